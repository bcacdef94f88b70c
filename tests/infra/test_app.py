"""The app as people and pipelines call it: what is selected, what is refused, always the same."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import get_args

import aws_cdk
import pytest

from atelier.spec import names
from stacks.app import PROJECT

KINDS = get_args(names.StackKind)


def digest(folder: Path) -> dict[str, str]:
    """The files of an assembly that are deployed: templates and assets with their hashes."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ("asset." in str(path) or path.name.endswith(".template.json"))
    }


def test_the_app_is_fifteen_lines():
    """What app.py does is read at a glance; how is the business of stacks/."""
    assert len((PROJECT / "app.py").read_text().splitlines()) <= 15


def test_every_flag_that_cdk_recommends_is_set():
    """cdk.json says all of them, so that none changes by itself; it deviates where there is a reason."""
    deviations = {
        # An import keeps a stack from being deleted while another uses what it exports.
        "@aws-cdk/core:defaultCrossStackReferences": "strong",
        # What this project uses of CDK is nobody else's business, and telling takes time.
        "@aws-cdk/core:enableAdditionalMetadataCollection": False,
    }
    [library] = (Path(aws_cdk.__file__).parent / "_jsii").glob("*.tgz")
    with tarfile.open(library) as archive:
        name = next(member for member in archive if member.name.endswith("/recommended-feature-flags.json"))
        recommended = json.load(archive.extractfile(name))
    assert json.loads((PROJECT / "cdk.json").read_text())["context"] == recommended | deviations


def test_every_environment_is_a_stage_of_these_stacks(assembly):
    """Without a selection all environments of all teams are built."""
    stages = ("vision-dev", "vision-prod", "audio-dev", "audio-prod")
    assert set(assembly.templates) >= {f"{stage}-{kind}" for stage in stages for kind in KINDS}


def test_a_selected_environment_alone_is_built_and_read(synthesize, teams, tmp_path):
    """`-c team=… -c env=…` builds one environment, and a broken file of another team does not matter."""
    for path in teams.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.yaml").write_text("team: [")
    folder = synthesize(teams=str(tmp_path), team="audio", env="dev")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [name for name in manifest["artifacts"] if name.startswith("assembly-")] == ["assembly-audio-dev"]


def test_the_same_files_give_the_same_templates_and_assets(synthesize, checked, teams, tmp_path):
    """Whatever the folder, the time zone and the order of Python's sets."""
    elsewhere = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "PYTHONDONTWRITEBYTECODE": "1"}
    again = synthesize(teams=str(teams), cwd=tmp_path, environment=elsewhere)
    assert digest(again) == digest(checked)


def test_the_cdk_command_builds_what_the_app_alone_builds(assembly, read, teams, tmp_path):
    """`cdk synth` needs nothing activated; it adds nothing but metadata for people."""
    command = ["node_modules/.bin/cdk", "synth", "--quiet", "--no-notices", "--output", str(tmp_path)]
    selection = ["-c", f"teams={teams}", "-c", "team=vision", "-c", "env=dev"]
    path = os.environ["PATH"].replace(f"{PROJECT}/.venv/bin", "")
    subprocess.run(
        [*command, *selection], cwd=PROJECT, env={**os.environ, "PATH": path}, check=True, capture_output=True
    )
    built = read(tmp_path)
    assert sorted(built.templates) == sorted(f"vision-dev-{kind}" for kind in KINDS)
    for one in built.resources():
        alone = assembly.templates[one.stack]["Resources"][one.logical_id]
        assert {**one.definition, "Metadata": None} == {**alone, "Metadata": None}


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"team": "visoin"}, "there is no team 'visoin'\n  remedy  did you mean vision?"),
        (
            {"tema": "vision"},
            "-c tema\n  value   vision\n  reason  no key of that name\n  remedy  did you mean team?",
        ),
        ({"team": "vision", "ENV": "dev"}, "remedy  did you mean env?"),
        ({"team": "vision", "env": "prdo"}, "no environment is named prdo\n  remedy  did you mean prod?"),
    ],
)
def test_an_unknown_selection_is_refused_with_the_nearest_name(synthesize, context, says):
    """One message that says what is known, exit status 1, no traceback."""
    with pytest.raises(RuntimeError) as error:
        synthesize(**context)
    assert says in str(error.value)
    assert "Traceback" not in str(error.value)
