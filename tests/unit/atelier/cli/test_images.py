"""`atelier images`, and `atelier image` with an engine and a CodeBuild that only take notes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atelier.cli import errors
from atelier.cli import image as command
from atelier.cli.images import Listed, listed, past
from atelier.cli.target import Target

ENGINE = """\
#!/bin/sh
echo "$@" >> "$ENGINE_NOTES"
[ "$1" = login ] && cat > /dev/null
exit "${ENGINE_FAILS:-0}"
"""
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"mediaType": "a", "size": 1, "digest": "sha256:" + "0" * 64},
    "layers": [],
}
ADDRESS = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/tiny-dev/own:1.0.0"


def test_every_framework_is_listed_with_its_newest_version(atelier):
    """One line for each image, with the address in the region and the month until which it is patched."""
    result = atelier("images", "--region", "eu-west-1", "--json")
    found = json.loads(result.stdout)
    assert {one["framework"] for one in found} >= {"sklearn", "pytorch", "xgboost", "blazingtext"}
    sklearn = next(one for one in found if one["framework"] == "sklearn")
    assert (sklearn["version"], sklearn["patched_until"]) == ("1.9-0", "2027-07")
    assert ".dkr.ecr.eu-west-1.amazonaws.com/" in sklearn["address"]


def test_the_table_warns_of_what_is_over(atelier):
    """On standard error, with what to do."""
    result = atelier("images", "mxnet")
    assert "mxnet-training:1.9.0-cpu-py38" in result.stdout
    assert "no more since 2023-09; MXNet 1.9 is the last image" in " ".join(result.stderr.split())
    result = atelier("images", "tensorflow", "--version", "1.15")
    assert "tensorflow 1.15.5 training image no more since 2022-11; the newest is 2.21.0" in result.stderr


def test_an_end_that_has_passed_is_warned_of_from_the_next_month_on():
    """The month itself is still patched."""
    one = Listed("sklearn", "1.9-0", "training", "cpu", "2027-07", "a")
    assert past([one], "2027-07") == []
    assert past([one], "2027-08") == [
        "AWS patches the sklearn 1.9-0 training image no more since 2027-07; there is none newer"
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sklaern"], "did you mean sklearn?"),
        (["sklearn", "--version", "1.8"], "the nearest is 1.4-2-py312, the newest 1.9-0"),
        (["--version", "1.8"], "needs a framework"),
        (["--region", "eu-wast-1"], "did you mean eu-west-1?"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(atelier, arguments, said):
    """A framework, version or region."""
    result = atelier("images", *arguments)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())


def test_all_versions_on_all_processors():
    """A framework may have an image of its own for GPUs."""
    found = list(listed("pytorch", "us-east-1", every=True))
    assert len({one.version for one in found}) > 10
    assert {one.processor for one in found} == {"cpu", "gpu"}


@pytest.fixture
def engine(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an image of its own, and podman as the only engine on PATH; its notes."""
    folder = project / "containers/own"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").touch()
    team = (project / "teams/tiny.yaml").read_text()
    own = '  own: {image: {name: own, tag: "1.0.0"}}\n'
    (project / "teams/tiny.yaml").write_text(
        team.replace("jobs:\n", f"images: {{own: {{}}, other: {{}}}}\njobs:\n{own}")
    )
    (project / "bin").mkdir()
    program = project / "bin/podman"
    program.write_text(ENGINE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{project / 'bin'}:/bin")
    notes = project / "notes"
    notes.touch()
    monkeypatch.setenv("ENGINE_NOTES", str(notes))
    return notes


def test_builds_with_the_engine_at_hand_for_sagemakers_processors(atelier, engine):
    """Under the address in the team's registry, with the tag that the job names."""
    result = atelier("image", "build", "own")
    assert result.exit_code == 0, result.stderr
    assert engine.read_text() == f"build --platform linux/amd64 --tag {ADDRESS} containers/own\n"


def test_pushes_after_signing_in(atelier, engine, deployed, monkeypatch):
    """A tag is that image for ever: one that the repository holds is refused before anything is sent."""
    monkeypatch.setattr(errors, "is_embedded", lambda: False)
    ecr = deployed("ecr")
    missing = atelier("image", "push", "own")
    assert "repository tiny-dev/own is not in account" in " ".join(missing.stderr.split())
    ecr.create_repository(repositoryName="tiny-dev/own", imageTagMutability="IMMUTABLE")
    engine.write_text("")
    result = atelier("image", "push", "own")
    assert result.exit_code == 0, result.stderr
    assert [line.split()[0] for line in engine.read_text().splitlines()] == ["build", "login", "push"]
    ecr.put_image(repositoryName="tiny-dev/own", imageManifest=json.dumps(MANIFEST), imageTag="1.0.0")
    engine.write_text("")
    again = atelier("image", "push", "own")
    assert "a tag is never given anew" in " ".join(again.stderr.split())
    assert "push" not in [line.split()[0] for line in engine.read_text().splitlines()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "owm"], "did you mean own?"),
        (["build", "other"], "containers/other/Dockerfile does not exist"),
        (["build", "own", "--engine", "docker"], "docker is not on PATH: install one, or let AWS build it"),
        (["build", "own", "--engine", "dockr"], "did you mean docker?"),
        (["build", "own", "--codebuild"], "builds and pushes at once"),
    ],
)
def test_what_cannot_be_built_is_said(atelier, engine, arguments, said):
    """With what else can be done."""
    result = atelier("image", *arguments)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())


def test_a_build_that_fails_is_said(atelier, engine, monkeypatch):
    """The engine has said why, on the terminal."""
    monkeypatch.setenv("ENGINE_FAILS", "3")
    result = atelier("image", "build", "own")
    assert "podman build failed, exit code 3" in " ".join(result.stderr.split())


class CodeBuild:
    """A CodeBuild whose build ends so."""

    def __init__(self, status: str) -> None:
        self.asked: dict[str, Any] = {}
        self._status = status

    def start_build(self, **asked: Any) -> dict[str, Any]:
        """Start it."""
        self.asked = asked
        return {"build": {"id": "own:1", "buildStatus": "IN_PROGRESS", "currentPhase": "QUEUED"}}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        """Its end."""
        phases = [{"contexts": [{"message": "exit status 1"}]}, {"contexts": [{}]}, {}]
        return {"builds": [{"id": ids[0], "buildStatus": self._status, "phases": phases}]}


@pytest.mark.parametrize(("status", "fails"), [("SUCCEEDED", False), ("FAILED", True)])
def test_codebuild_builds_and_pushes(monkeypatch, status, fails):
    """The project of the registry stack is told the tag; the reason of a failure is passed on."""
    monkeypatch.setattr(command, "POLL_SECONDS", 0)
    codebuild = CodeBuild(status)
    target = Target(SimpleNamespace(team="tiny", name="dev"), "", {"codebuild": codebuild})  # type: ignore[arg-type]
    if fails:
        with pytest.raises(command.CliError, match="own:1 failed: exit status 1"):
            command._push_by_codebuild(target, "own", "2")
    else:
        command._push_by_codebuild(target, "own", "2")
    assert codebuild.asked["projectName"] == "tiny-dev-build-own"
    assert codebuild.asked["environmentVariablesOverride"] == [
        {"name": "TAG", "value": "2", "type": "PLAINTEXT"}
    ]


def test_the_embedded_aws_gets_an_image_without_content(atelier, engine, deployed):
    """It builds and runs none, and what asks whether an image is there finds it; no engine is needed."""
    ecr = deployed("ecr")
    ecr.create_repository(repositoryName="tiny-dev/other", imageTagMutability="IMMUTABLE")
    Path("containers/own").rename("containers/other")
    result = atelier("image", "push", "other", "--tag", "1.0.0", "--codebuild")
    assert result.exit_code == 0, result.stderr
    assert "without content" in result.stdout
    found = ecr.describe_images(repositoryName="tiny-dev/other", imageIds=[{"imageTag": "1.0.0"}])
    assert found["imageDetails"]
    assert engine.read_text() == ""
    again = atelier("image", "push", "other", "--tag", "1.0.0")
    assert "a tag is never given anew" in " ".join(again.stderr.split())
