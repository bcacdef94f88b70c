"""Runs side by side: one for each value of a sweep, a table of them, a chart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from atelier.cli.best import Model, proposals
from atelier.cli.chart import draw
from atelier.cli.compare import Compared, _differing, _value
from atelier.cli.errors import CliError
from atelier.cli.sweep import combinations
from atelier.cli.target import choose_target


def test_a_sweep_starts_a_run_for_each_value(atelier, deployed):
    """At the same time, and tells how each ends; the command that compares them follows."""
    result = atelier("train", "curve", "--sweep", "rate=0.1,0.01,0.001", "--experiment", "rates")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [re.sub(r"\w{12} ", "… ", line) for line in lines[:3]] == [
        f"run curve-manual-…  rate={value}" for value in ("0.1", "0.01", "0.001")
    ]
    assert sorted(lines[3:6]) == [
        f"rate={value}: succeeded  rmse = 150.5".replace(" = ", " ") for value in ("0.001", "0.01", "0.1")
    ]
    assert lines[6] == "side by side: `atelier compare rates`"
    assert lines[7] == "to deploy one: `atelier approve curve/<version>`"


def test_a_sweeps_models_wait_and_the_best_is_proposed(atelier, project, deployed):
    """None is deployed unasked; the gate's metric says which is the best, here and when they are compared."""
    path = project / "teams/tiny.yaml"
    judged = 'framework: sklearn, metrics: {rmse: "rmse=([0-9.]+)"}, gate: {metric: rmse, at_most: 190}'
    path.write_text(path.read_text().replace("framework: sklearn", judged, 1))
    sagemaker = deployed("sagemaker")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    if not groups:
        sagemaker.create_model_package_group(ModelPackageGroupName="tiny-dev-curve")
        sagemaker.create_model_package(ModelPackageGroupName="tiny-dev-curve")
    package = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/tiny-dev-curve/1"
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="PendingManualApproval")
    result = atelier("train", "curve", "--sweep", "rate=1,2", "--experiment", "held", "--team", "tiny")
    assert result.exit_code == 0, result.output
    execution = result.output.split()[1]
    described = deployed("stepfunctions").describe_execution(
        executionArn=f"arn:aws:states:eu-west-1:111122223333:execution:tiny-dev-train-curve:{execution}"
    )
    assert json.loads(described["input"])["approval"] == "manual"
    proposal = "the best by rmse is curve/1 with 150.5: `atelier approve curve/1 --team tiny`"
    assert result.output.splitlines()[-1] == proposal
    assert proposal in atelier("compare", "held", "--team", "tiny").output.splitlines()
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    assert "the best" not in atelier("compare", "held").output


@pytest.mark.parametrize(("bound", "best"), [("at_most", 1), ("at_least", 3)])
def test_the_best_is_that_of_the_gates_bound(project, bound, best):
    """The least error or the greatest accuracy; a job without the metric has no best."""
    path = project / "teams/tiny.yaml"
    judged = f'framework: sklearn, metrics: {{m: "m=(.+)"}}, gate: {{metric: m, {bound}: 5}}'
    path.write_text(path.read_text().replace("framework: sklearn", judged, 1))
    target = choose_target("tiny", "dev")
    models = [Model("curve", str(version), {"m": version / 2}) for version in (2, 1, 3)]
    models += [Model("curve", "4", {}), Model("bare", "1", {"m": 0.1})]
    (line,) = proposals(target, models)
    assert line.startswith(f"the best by m is curve/{best} with {best / 2}: ")


def test_the_proposed_command_can_be_typed(atelier, deployed):
    """An experiment's name with a space in it is quoted, as a shell wants it."""
    result = atelier("train", "curve", "--sweep", "rate=1,2", "--no-wait", "--experiment", "my exp")
    assert result.output.splitlines()[-1] == "side by side: `atelier compare 'my exp'`"


def test_several_sweeps_are_a_grid():
    """Every combination, and not more than anybody means."""
    assert combinations({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]
    assert combinations({}) == [{}]
    with pytest.raises(CliError, match="121 combinations"):
        combinations({"a": list(range(11)), "b": list(range(11))})


def test_a_failed_run_of_a_sweep_hides_no_other(atelier, deployed):
    """All are waited for and can be compared; the command fails and says how many did."""
    result = atelier("train", "curve", "--sweep", "spoil=1,2")
    assert result.exit_code == 1
    assert result.stdout.count("failed  rmse is 200") == 2
    assert result.stdout.splitlines()[-1] == "side by side: `atelier compare curve`"
    assert "2 of 2 runs failed" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sweep", "units"], "is no name=value,value"),
        (["--sweep", "units=1,,2"], "is no name=value,value"),
        (["--sweep", "units=1,0"], "units=0: must be at least 1"),
        (["--sweep", "units=1,2", "-p", "units=3"], "units is in --sweep and in --hyperparameter (-p)"),
        (["-p", "unit=1"], "curve has no hyperparameter 'unit': did you mean units?"),
    ],
)
def test_a_wrong_value_starts_nothing(atelier, project, deployed, arguments, said):
    """What the script declares is asked before anything is started."""
    declared = {"units": {"type": "integer", "default": 10, "minimum": 1}}
    (project / "training_scripts/curve/hyperparameters.json").write_text(json.dumps(declared))
    result = atelier("train", "curve", "--no-wait", *arguments)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())
    assert "run curve" not in result.stdout


def test_runs_of_an_experiment_are_compared(atelier, project, deployed):
    """With what differs and what was measured; the chart is written; programs get JSON."""
    atelier("train", "curve", "--sweep", "layers=1,2", "-p", "solver=adam", "--experiment", "depth")
    result = atelier("compare", "depth")
    assert result.exit_code == 0, result.output
    header, *rows = result.output.splitlines()
    assert header.split() == ["run", "status", "experiment", "layers", "rmse"]
    assert sorted(row.split()[-2:] for row in rows[:2]) == [["1", "150.5"], ["2", "150.5"]]
    assert rows[2] == "the same in all: solver adam"
    assert rows[3] == "rmse against layers: build/compare.png"
    assert (project / "build/compare.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(atelier("compare", "depth", "--json").output)
    assert sorted(one["parameters"]["layers"] for one in found) == [1, 2]
    assert {one["experiment"] for one in found} == {"depth"}


def test_runs_of_no_experiment_are_unassigned(atelier, deployed):
    """They compare under that name, and a job's name compares all of its runs."""
    run = atelier("train", "curve", "--no-wait").output.split()[1]
    assert run in atelier("compare", "unassigned").output
    assert run in atelier("compare", "curve").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["curv"], "did you mean curve?"),
        (["curve", "--metric", "rms"], "did you mean rmse?"),
        (["curve", "--parameter", "nothing"], "no run has a hyperparameter 'nothing'"),
    ],
)
def test_what_nobody_has_cannot_be_compared(atelier, deployed, arguments, said):
    """The nearest is named."""
    atelier("train", "curve")
    result = atelier("compare", *arguments)
    assert result.exit_code == 1
    assert said in " ".join(result.stderr.split())


def test_values_are_read_as_they_were_meant():
    """As the SDK writes them, or as text."""
    texts = ['"adam"', "adam", "0.5", "10", "true", "[1]"]
    assert [_value(text) for text in texts] == ["adam", "adam", 0.5, 10, "true", "[1]"]


def test_what_differs_is_told_from_what_does_not():
    """A parameter that a run has not at all differs too."""
    found = [Compared(None, {"a": 1, "b": 2}), Compared(None, {"a": 1, "c": 3})]  # type: ignore[arg-type]
    assert _differing(found) == ["b", "c"]


@pytest.mark.parametrize(
    "points",
    [[(0.1, 1.0), (0.001, 2.0)], [("adam", 1.0), ("lbfgs", 2.0)], [("auto", 1.0), (3, 2.0), (3, 4.0)]],
)
def test_anything_can_be_charted(tmp_path: Path, points) -> None:
    """Numbers, words, and both."""
    draw(tmp_path / "new/chart.png", points, "solver", "rmse", "title")
    assert (tmp_path / "new/chart.png").stat().st_size > 1000
