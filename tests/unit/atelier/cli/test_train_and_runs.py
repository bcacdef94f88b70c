from __future__ import annotations

import json
import re
import time
from dataclasses import fields

import pytest

from atelier.cli.runs import Run, _result
from atelier.cli.target import choose_target


def test_train_follows_the_run_to_its_end(atelier, deployed):
    """States come as they are entered, then the metrics and the model; the exit code is 0."""
    result = atelier("train", "curve", "-p", "units=20")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert re.fullmatch(r"run curve-manual-[0-9a-f]{12}", lines[0])
    assert lines[1:4] == ["Prepare", "Is the gate passed?", "Done"]
    assert lines[4] == "rmse = 150.5"
    assert "model-package/tiny-dev-curve/1 approved" in lines[5]
    assert lines[6] == "its deployment to curve, mute follows: `atelier runs curve` shows how it ends"


def test_a_failed_run_ends_with_its_cause_and_1(atelier, deployed):
    """A run that fails says why, and the command fails."""
    result = atelier("train", "curve", "-p", "spoil=true")
    assert result.exit_code == 1
    assert "Failed with a reason" in result.stdout
    assert "failed: Atelier.GateNotPassed: rmse is 200, the gate asks for at most 190" in result.stderr


def test_no_wait_returns_at_once(atelier, deployed):
    """Without waiting, the run's name is all that is printed."""
    result = atelier("train", "curve", "--no-wait")
    assert result.exit_code == 0
    assert re.fullmatch(r"run curve-manual-\w+\n", result.output)


def test_hyperparameters_reach_the_run_typed(atelier, deployed):
    """Numbers and booleans are passed as such, everything else as text; a value may hold `=`."""
    run = atelier(
        "train",
        "curve",
        "--no-wait",
        "-p",
        "a=1",
        "-p",
        "b=0.5",
        "-p",
        "c=true",
        "-p",
        "d=x=y",
        "-p",
        "e=[1]",
    ).output.split()[1]
    found = next(one for one in json.loads(atelier("runs", "--json").output) if one["run"] == run)
    assert found["hyperparameters"] == {"a": "1", "b": "0.5", "c": "true", "d": '"x=y"', "e": '"[1]"'}


def test_runs_lists_success_and_failure(atelier, deployed):
    """The table has one line a run, newest first: metrics of what succeeded, the reason of what failed."""
    good = atelier("train", "curve").output.split()[1]
    bad = atelier("train", "curve", "-p", "spoil=1").stdout.split()[1]
    result = atelier("runs", "curve", "--limit", "2")
    assert result.exit_code == 0
    header, first, second, *_ = result.output.splitlines()
    assert header.split()[:2] == ["run", "job"]
    assert bad in first
    assert "rmse is 200, the gate asks for at most 190" in first
    assert "last line of the log" not in first
    assert good in second
    assert "succeeded" in second
    assert "rmse 150.5" in second


def test_what_the_gate_says_is_not_said_twice(project):
    """The metric by which a model did not pass stands in the reason; the others stand before it."""
    run = Run(
        **{one.name: "" for one in fields(Run)}
        | {
            "metrics": {"rmse": 498.9712, "mae": 3.5},
            "error": "Atelier.GateNotPassed",
            "cause": "rmse is 498.9712, the gate asks for at most 190\nmore of the log",
            "deployments": [],
        }
    )
    said = _result(choose_target("tiny", "dev"), run).plain
    assert said == "mae 3.5; rmse is 498.9712, the gate asks for at most 190"


def test_runs_as_json(atelier, deployed):
    """Programs get every field, with types."""
    atelier("train", "curve")
    run = json.loads(atelier("runs", "curve", "--json", "--limit", "1").output)[0]
    assert run["status"] == "SUCCEEDED"
    assert run["trigger"] == "manual"
    assert run["metrics"] == {"rmse": 150.5}
    assert run["training_job"] == "tiny-dev-curve-1"
    assert run["seconds"] >= 0


@pytest.fixture
def deploy_machine(deployed):
    """The state machine of endpoint `curve`, which does what its input asks for; starts its executions."""
    states = deployed("stepfunctions")
    choice = {"Condition": "{% $states.input.fail %}", "Next": "Failed"}
    arn = states.create_state_machine(
        name="tiny-dev-deploy-curve",
        roleArn="arn:aws:iam::111122223333:role/any",
        definition=json.dumps(
            {
                "QueryLanguage": "JSONata",
                "StartAt": "Choose",
                "States": {
                    "Choose": {"Type": "Choice", "Choices": [choice], "Default": "Done"},
                    "Failed": {"Type": "Fail", "Error": "Broken", "Cause": "no ping\nwhat to do"},
                    "Done": {"Type": "Succeed"},
                },
            }
        ),
    )["stateMachineArn"]

    def deploy(version: int, digest: str, *, fail: bool) -> None:
        execution = states.start_execution(
            stateMachineArn=arn, name=f"curve-curve-v{version}-{digest}", input=json.dumps({"fail": fail})
        )["executionArn"]
        deadline = time.monotonic() + 10
        while states.describe_execution(executionArn=execution)["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.02)

    yield deploy
    states.delete_state_machine(stateMachineArn=arn)


def test_runs_shows_what_became_of_a_model(atelier, deployed, deploy_machine):
    """A model waits with what to type, its deployment fails with the reason, serves, and is replaced."""
    sagemaker = deployed("sagemaker")
    if not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        sagemaker.create_model_package_group(ModelPackageGroupName="tiny-dev-curve")
        sagemaker.create_model_package(ModelPackageGroupName="tiny-dev-curve")
    package = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/tiny-dev-curve/1"
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="PendingManualApproval")
    atelier("train", "curve")

    def shown() -> str:
        return atelier("runs", "curve", "--limit", "1", "--team", "tiny").output

    assert "curve/1 waits for approval: `atelier approve curve/1 --team tiny`" in shown()
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    deploy_machine(1, "a", fail=True)
    assert "curve/1 approved" in shown()
    assert "endpoint curve: deployment failed: no ping" in shown()
    assert "what to do" not in shown()
    deploy_machine(1, "b", fail=False)
    deploy_machine(11, "c", fail=True)
    assert "endpoint curve: served" in shown()
    deploy_machine(12, "d", fail=False)
    assert "endpoint curve: replaced" in shown()
    run = json.loads(atelier("runs", "curve", "--json", "--limit", "1").output)[0]
    assert run["approval"] == "Approved"
    assert run["deployments"] == [
        {"endpoint": "curve", "state": "replaced", "execution": "curve-curve-v1-b", "error": "", "cause": ""}
    ]


def test_runs_of_a_job_without_runs(atelier, deployed):
    """No runs is no error, and says how to start one."""
    result = atelier("runs", "bare")
    assert result.exit_code == 0
    assert "no run of bare in tiny-dev yet: atelier train bare" in result.output


def test_a_job_that_is_not_deployed_yet_hides_no_other(atelier, deployed, project):
    """The runs of what is deployed are listed while the team file is ahead of the deployment."""
    path = project / "teams/tiny.yaml"
    path.write_text(
        path.read_text().replace("jobs:\n", "jobs:\n  fresh: {script: curve, framework: sklearn}\n")
    )
    run = atelier("train", "curve").output.split()[1]
    assert run in atelier("runs").output
    assert "job fresh is not in account" in atelier("runs", "fresh").stderr


def test_train_without_data_says_where_to_upload(atelier, deployed):
    """A channel without data is named, with the place to upload to."""
    result = atelier("train", "bare")
    assert result.exit_code == 1
    assert "upload some to s3://tiny-dev-data-111122223333-eu-west-1/bare/train/" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "curv"], "tiny-dev has no job 'curv': did you mean curve?"),
        (["runs", "curv"], "tiny-dev has no job 'curv': did you mean curve?"),
        (["train", "curve", "--team", "tinny"], "did you mean tiny?"),
        (["train", "curve", "--env", "prod"], "no environment is named prod"),
        (["train", "curve", "-p", "units"], "is no name=value"),
        (["train", "curve", "-p", "=1"], "is no name=value"),
    ],
)
def test_bad_usage_is_one_message(atelier, project, arguments, says):
    """Bad usage is refused before any call of AWS, with what there is instead."""
    result = atelier(*arguments)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_function_that_fails_says_why(atelier, deployed, project):
    """A job that the team file has and the deployed function does not know is told in its words."""
    (project / "teams/tiny.yaml").write_text(
        (project / "teams/tiny.yaml").read_text().replace("  bare:", "  fresh:")
    )
    result = atelier("train", "fresh")
    assert result.exit_code == 1
    assert "no job 'fresh' here; the jobs are bare, curve" in result.stderr
