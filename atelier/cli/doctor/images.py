"""Whether the images that the team file names exist."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok
from atelier.cli.target import Target
from atelier.spec import images as table
from atelier.spec import names

NOT_THERE = ("ImageNotFoundException", "RepositoryNotFoundException")


def images(target: Target) -> Iterator[Finding]:
    """The team's own images are pushed: those for Studio under their tag, those for jobs under any."""
    spec = target.spec
    studio = spec.studio.images.values() if spec.studio else ()
    wanted = {(one.image, one.tag) for one in studio} | {
        (job.image, "") for job in spec.jobs.values() if job.image
    }
    for image, tag in sorted(wanted):
        yield _own(target, image, tag)


def _own(target: Target, image: str, tag: str) -> Finding:
    spec = target.spec
    repository = names.repository(spec.team, spec.name, image)
    what = f"image {image}:{tag}" if tag else f"image {image}"
    wanted = {"imageIds": [{"imageTag": tag}]} if tag else {}
    try:
        found = target.client("ecr").describe_images(repositoryName=repository, **wanted)["imageDetails"]
    except ClientError as error:
        if errors.code(error) not in NOT_THERE:
            raise
        found = []
    if found:
        return ok(what, f"in {repository}")
    address = f"{spec.account}.dkr.ecr.{spec.region}.amazonaws.com/{repository}:{tag or '<tag>'}"
    deploy = f"npx cdk deploy '{target.label}/registry' -c team={spec.team} -c env={spec.name}"
    return missing(what, f"{repository} does not hold it", f"{deploy} , then  docker push {address}")


def managed_images(target: Target) -> Iterator[Finding]:
    """Every framework has an image in the region, for each instance type that uses it."""
    spec, found = target.spec, set()
    try:
        for job in spec.jobs.values():
            if job.framework:
                found |= {table.training_image(job.framework, spec.region, one) for one in job.instances}
        for endpoint in spec.endpoints.values():
            framework = spec.jobs[endpoint.job].framework
            if framework:
                found.add(table.inference_image(framework, spec.region, endpoint.instance))
    except table.ImageError as error:
        yield missing("managed images", error.reason, error.remedy)
    else:
        for address in sorted(found):
            yield ok("managed image", address.partition("/")[2])
