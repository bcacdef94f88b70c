from __future__ import annotations

import json

import pytest

from atelier.cli.check import _out_of_date
from atelier.spec import load_team


def test_check_says_what_is_right(atelier, project):
    """A right file is named with what it holds; the exit code is 0."""
    result = atelier("check")
    assert result.exit_code == 0
    assert result.stdout == "teams/tiny.yaml: right (1 environment, 2 jobs, 2 endpoints)\n"


def test_check_shows_every_problem_and_fails(atelier, project):
    """All problems of all files are shown, right files are still named, and the exit code is 1."""
    (project / "teams/bad.yaml").write_text("team: bad\nowner: x\n")
    result = atelier("check")
    assert result.exit_code == 1
    assert "teams/tiny.yaml: right" in result.stdout
    assert "teams/bad.yaml:2:1: owner" in result.stderr
    assert "did you mean owners?" in result.stderr
    assert result.stderr.endswith("3 problems\n")


def test_check_of_named_files(atelier, project):
    """Only the files that are named are checked."""
    (project / "teams/bad.yaml").write_text("")
    assert atelier("check", "teams/tiny.yaml").exit_code == 0
    assert "the file is empty" in atelier("check", "teams/bad.yaml").stderr
    assert "there is no such file" in atelier("check", "teams/none.yaml").stderr


def test_check_without_any_file(atelier, project):
    """An empty folder of teams is a mistake, not a success."""
    (project / "teams/tiny.yaml").unlink()
    result = atelier("check")
    assert result.exit_code == 1
    assert "no team file is in teams/" in result.stderr


def test_check_warns(atelier, project):
    """What is allowed but worth a word is said, and fails nothing."""
    path = project / "teams/tiny.yaml"
    path.write_text(path.read_text().replace("framework: sklearn", "framework: {name: mxnet}"))
    result = atelier("check")
    assert result.exit_code == 0
    said = (
        "warning: jobs.curve: AWS patches the mxnet 1.9.0 training image no more since 2023-09; MXNet 1.9 is"
    )
    assert said in result.stderr


def test_images_out_of_date_are_found_by_the_clock(project):
    """An image is warned of once the month in which AWS stops to patch it has passed."""
    team = load_team(project / "teams/tiny.yaml")
    assert _out_of_date(team, "2027-07") == []
    assert _out_of_date(team, "2027-08") == [
        f"{place}: AWS patches the sklearn 1.9-0 {use} image no more since 2027-07; there is none newer"
        for place, use in (
            ("endpoints.curve", "inference"),
            ("endpoints.mute", "inference"),
            ("jobs.bare", "training"),
            ("jobs.curve", "training"),
        )
    ]


@pytest.mark.parametrize(
    ("framework", "said"),
    [
        (
            "{name: sklearn, version: 0.23-1}",
            "sklearn 0.23-1 training image no more since 2021-06; the newest is",
        ),
        (
            '{name: tensorflow, version: "2.3"}',
            "tensorflow 2.3.2 training image no more since 2022-11; the newest",
        ),
        (
            '{name: pytorch, version: "1.13"}',
            "pytorch 1.13.1 training image no more since 2024-10; the newest",
        ),
    ],
)
def test_an_image_older_than_any_with_a_date_is_out_of_date_too(project, framework, said):
    """The older a version, the less it may go without a word."""
    path = project / "teams/tiny.yaml"
    path.write_text(path.read_text().replace("framework: sklearn", f"framework: {framework}"))
    assert any(said in one for one in _out_of_date(load_team(path), "2026-11"))


def test_what_serves_gets_out_of_date_too(project):
    """An endpoint's image and a batch transform's, once each, though the job's own is patched."""
    path = project / "teams/tiny.yaml"
    pytorch = "framework: {name: pytorch, version: '2.13'}, transform: {content_type: text/csv}"
    path.write_text(path.read_text().replace("framework: sklearn", pytorch, 1))
    said = _out_of_date(load_team(path), "2026-11")
    over = "AWS patches the pytorch 2.6.0 inference image no more since 2026-06; AWS makes none that it still"
    assert [one.partition(": ")[0] for one in said if over in one] == [
        "endpoints.curve",
        "endpoints.mute",
        "jobs.curve.transform",
    ]
    assert len(said) == 3


def test_the_image_of_a_pretrained_model_gets_out_of_date_too(project):
    """That of its framework where that serves it, and where that trains it."""
    path = project / "teams/tiny.yaml"
    model = (
        "jumpstart: {model: a-b, version: '1.0.0', framework: {name: huggingface, version: '4.6'},"
        " artifact: s3://models/a.tar.gz%s}, instances: [ml.g4dn.xlarge]"
    )
    text = path.read_text().replace("job: curve", "job: curve, instance: ml.g4dn.xlarge")
    own_image = ", image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"
    tuned = ", training: {artifact: s3://models/b.tar.gz, script: s3://models/c.tar.gz%s}"
    for more, places in (
        ("", ["endpoints.curve", "endpoints.mute"]),
        (own_image, []),
        (f"{tuned % ''}{own_image}", ["jobs.curve"]),
        (f"{tuned % own_image}{own_image}", []),
    ):
        path.write_text(text.replace("script: curve, framework: sklearn", model % more, 1))
        assert [one.partition(": ")[0] for one in _out_of_date(load_team(path), "2026-11")] == places


def test_the_images_of_algorithms_and_preparations_get_out_of_date_too(project):
    """Whatever of AWS's a job runs in is looked at."""
    path = project / "teams/tiny.yaml"
    of_words = "  words: {algorithm: {name: xgboost, version: '3.2'}, prepare_script: curve, "
    needed = "prepare: {program: train.py}, hyperparameters: {num_round: 9}}\n"
    path.write_text(path.read_text().replace("jobs:\n", f"jobs:\n{of_words}{needed}"))
    said = _out_of_date(load_team(path), "2028-01")
    assert (
        "jobs.words: AWS patches the xgboost 3.2-0 training image no more since 2027-05; there is none newer"
        in said
    )
    assert (
        "jobs.words: AWS patches the sklearn 1.9-0 training image no more since 2027-07; there is none newer"
        in said
    )


def test_schema_is_json(atelier, project):
    """The schema is printed as it is, for  atelier schema > team.schema.json."""
    result = atelier("schema")
    assert json.loads(result.stdout)["required"] == ["team", "owners", "environments"]


def test_check_compares_the_networks_of_all_files(atelier, project):
    """Files that are right alone but not together are refused, with another range for one of them.

    Whether all are named or one: the others lie beside it.
    """
    network = "region: eu-west-1, network: {mode: created}}"
    first = (project / "teams/tiny.yaml").read_text().replace("region: eu-west-1}", network)
    (project / "teams/tiny.yaml").write_text(first)
    (project / "teams/other.yaml").write_text(first.replace("team: tiny", "team: other"))
    for files in ([], ["teams/tiny.yaml"], ["teams/other.yaml"]):
        result = atelier("check", *files)
        assert result.exit_code == 1
        assert "teams/tiny.yaml:" in result.stderr
        assert "10.0.0.0/16 overlaps 10.0.0.0/16 of other-dev" in result.stderr
        assert "write  cidr: 10.1.0.0/16" in result.stderr
