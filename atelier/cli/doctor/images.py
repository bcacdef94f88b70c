"""Whether the images that the team file names exist."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.doctor.finding import Finding, missing, ok
from atelier.cli.target import Target
from atelier.spec import images as table
from atelier.spec import job_images, names

NOT_THERE = ("ImageNotFoundException", "RepositoryNotFoundException")


def images(target: Target) -> Iterator[Finding]:
    """The team's own images are pushed, under the tag or digest that Studio or a job names."""
    spec = target.spec
    studio = spec.studio.images.values() if spec.studio else ()
    wanted = {(one.image, one.tag) for one in studio} | {
        (job.image.name, job.image.digest or job.image.tag) for job in spec.jobs.values() if job.image
    }
    for image, tag in sorted(wanted):
        yield _own(target, image, tag)


def _own(target: Target, image: str, version: str) -> Finding:
    spec = target.spec
    repository = names.repository(spec.team, spec.name, image)
    what = f"image {image}:{version}"
    wanted = {"imageDigest" if version.startswith("sha256:") else "imageTag": version}
    try:
        found = target.client("ecr").describe_images(repositoryName=repository, imageIds=[wanted])
    except ClientError as error:
        if errors.code(error) not in NOT_THERE:
            raise
        found = {}
    if found and found["imageDetails"]:
        return ok(what, f"in {repository}")
    deploy = f"npx cdk deploy '{target.label}/registry' -c team={spec.team} -c env={spec.name}"
    push = target.proposal(f"image push {image} --tag {version}").strip("`")
    return missing(what, f"{repository} does not hold it", f"{deploy}\n{push}")


def managed_images(target: Target) -> Iterator[Finding]:
    """Every framework has an image in the region, for each instance type that uses it."""
    spec, found = target.spec, set()
    try:
        for job in spec.jobs.values():
            if job.image is None and job.trains:
                found |= {job_images.training_image(spec, job, one) for one in job.instances}
        for endpoint in spec.endpoints.values():
            for variant, name in endpoint.served.items():
                if spec.jobs[name].image is None:
                    instance = endpoint.instances[variant]
                    found.add(job_images.serving_image(spec, spec.jobs[name], instance))
    except table.ImageError as error:
        yield missing("managed images", error.reason, error.remedy)
    else:
        for address in sorted(found):
            yield ok("managed image", address.partition("/")[2])
