"""`atelier image build|push`: an image of the team's own, by the container engine at hand or by CodeBuild."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.errors import CliError
from atelier.cli.target import EnvOption, Target, TeamOption, choose_target
from atelier.spec import job_images, names
from atelier.spec.hyperparameters import CONTAINERS
from atelier.spec.problems import choose
from atelier.spec.sources import OwnImage

ENGINES = ("docker", "podman", "finch")
"""In the order in which they are looked for; all take the same commands."""
PLATFORM = "linux/amd64"
"""What SageMaker's instances are, whatever the machine that builds is."""
PROJECT = Path()
POLL_SECONDS = 3.0
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def image(
    action: Annotated[Literal["build", "push"], typer.Argument(help="Build it, or build and push it.")],
    name: Annotated[str, typer.Argument(help="One of the team's images, and its folder in containers/.")],
    tag: Annotated[
        str | None, typer.Option(help="Its version; the one that a job names, if omitted.")
    ] = None,
    team: TeamOption = None,
    env: EnvOption = None,
    engine: Annotated[
        str | None, typer.Option(help="docker, podman or finch; the one at hand, if omitted.")
    ] = None,
    codebuild: Annotated[
        bool, typer.Option("--codebuild", help="Build and push in AWS, where no engine is at hand.")
    ] = False,
) -> None:
    """Build an image of the team's own from containers/NAME, and push it to the team's repository."""
    target = choose_target(team, env)
    if name not in target.spec.images:
        remedy = choose(name, target.spec.images, nothing=f"declare it:  images: {{{name}: {{}}}}")
        raise CliError(f"{target.label} has no image {name!r}: {remedy}")
    folder = PROJECT / CONTAINERS / name
    if not (folder / "Dockerfile").is_file():
        beside = "; an image that jobs name holds the programs train and serve as well"
        raise CliError(f"{folder}/Dockerfile does not exist: write it{beside}")
    address = job_images.own_image(target.spec, OwnImage(name=name, tag=tag or _tag(target, name)))
    if codebuild and action == "build":
        raise CliError("--codebuild builds and pushes at once: atelier image push … --codebuild")
    if action == "push" and errors.is_embedded():
        _push_empty(target, address)
        return
    if codebuild:
        _push_by_codebuild(target, name, address.rpartition(":")[2])
    else:
        program = find_engine(engine)
        _run(program, "build", "--platform", PLATFORM, "--tag", address, str(folder))
        if action == "push":
            _log_in(target, program, address)
            _push(target, program, address)
    typer.echo(f"{'built' if action == 'build' else 'pushed'} {address}")


def _tag(target: Target, name: str) -> str:
    """The tag that jobs and Studio name, if they agree on one."""
    own = (job.image for job in target.spec.jobs.values())
    found = {image.tag for image in own if image and image.name == name and not image.digest}
    offered = target.spec.studio.images.values() if target.spec.studio else ()
    found |= {image.tag for image in offered if image.image == name}
    if len(found) != 1:
        said = f"the team file names {' and '.join(sorted(found))}" if found else "the team file names none"
        raise CliError(f"which version of {name}? --tag …, since {said}")
    return found.pop()


def find_engine(wanted: str | None) -> str:
    """The path of the container engine to use.

    Raises:
        CliError: there is none, or not the one that is wanted; says what else can be done.
    """
    if wanted is not None and wanted not in ENGINES:
        raise CliError(f"{wanted!r} is no container engine known here: {choose(wanted, ENGINES, nothing='')}")
    looked_for = (wanted,) if wanted else ENGINES
    found = next(filter(None, map(shutil.which, looked_for)), None)
    if found is None:
        raise CliError(
            f"{' or '.join(looked_for)} is not on PATH: install one, or let AWS build it:"
            " atelier image push … --codebuild. The embedded AWS needs no image: it runs the files of"
            f" {CONTAINERS}/ as they are"
        )
    return found


def _run(program: str, *arguments: str, given: str | None = None) -> None:
    """Run the engine, its output going to the terminal."""
    command = [program, *arguments]
    done = subprocess.run(command, check=False, input=given, text=True)
    if done.returncode:
        raise CliError(
            f"{Path(program).name} {arguments[0]} failed, exit code {done.returncode}: see above; where no"
            " engine runs, AWS can build it: atelier image push … --codebuild"
        )


def _log_in(target: Target, program: str, address: str) -> None:
    answer = target.client("ecr").get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(answer["authorizationToken"]).decode().partition(":")
    registry = address.partition("/")[0]
    _run(program, "login", "--username", user, "--password-stdin", registry, given=password)


def _push(target: Target, program: str, address: str) -> None:
    _refuse_known(target, address)
    _run(program, "push", address)


def _push_empty(target: Target, address: str) -> None:
    """Put an image without content into a repository of the embedded AWS, which builds none."""
    _refuse_known(target, address)
    repository, _, tag = address.partition("/")[2].rpartition(":")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"version": tag}}
    target.client("ecr").put_image(
        repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest)
    )
    typer.echo(f"put {repository}:{tag}, without content: the embedded AWS runs the files of {CONTAINERS}/")


def _refuse_known(target: Target, address: str) -> None:
    repository, _, tag = address.partition("/")[2].rpartition(":")
    try:
        found = target.client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if errors.code(error) == "RepositoryNotFoundException":
            raise target.not_deployed(f"repository {repository}") from error
        if errors.code(error) != "ImageNotFoundException":
            raise
        found = {}
    if found.get("imageDetails"):
        raise CliError(f"{repository} holds {tag} already, and a tag is never given anew: raise --tag")


def _push_by_codebuild(target: Target, name: str, tag: str) -> None:
    """Start the project of the registry stack and wait for its end."""
    project = names.image_build(target.spec.team, target.spec.name, name)
    codebuild = target.client("codebuild")
    try:
        build: dict[str, Any] = codebuild.start_build(
            projectName=project,
            environmentVariablesOverride=[{"name": "TAG", "value": tag, "type": "PLAINTEXT"}],
        )["build"]
    except ClientError as error:
        if errors.code(error) == "ResourceNotFoundException":
            raise target.not_deployed(f"build project {project}") from error
        raise
    typer.echo(f"build {build['id']} builds what was deployed last: a change needs  cdk deploy  first")
    said = ""
    while build["buildStatus"] == "IN_PROGRESS":
        if build.get("currentPhase", "") != said:
            said = build["currentPhase"]
            typer.echo(f"  {said.lower()}")
        time.sleep(POLL_SECONDS)
        [build] = codebuild.batch_get_builds(ids=[build["id"]])["builds"]
    if build["buildStatus"] != "SUCCEEDED":
        reasons = [
            context["message"]
            for phase in build.get("phases", [])
            for context in phase.get("contexts", [])
            if context.get("message")
        ]
        log = build.get("logs", {}).get("deepLink", "see its log")
        raise CliError(f"build {build['id']} {build['buildStatus'].lower()}: {'; '.join(reasons)}\n{log}")
