"""An endpoint that serves two jobs' models side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from atelier import embedded
from atelier.cli.follow import Finished, follow
from atelier.demo.cdk import Cdk
from atelier.demo.journey import Journey
from atelier.demo.points import generate
from atelier.spec import load_teams, names
from atelier.spec.model import OWN_VARIANT
from tests.local.whole import wait

JOB = """\
    script: curve_sklearn
    framework: sklearn
    channels: {train: points/train/, validation: points/validation/}
    metrics: ["validation:rmse"]
    triggers: [{upload: [train]}]
"""
FILE = f"""\
team: pair
owners: [pair@example.com]
environments:
  dev: {{account: "111122223333", region: eu-west-1}}
jobs:
  curve:
{JOB}
  deep:
{JOB}
    hyperparameters: {{hidden_layers: 7}}
endpoints:
  curve:
    job: curve
    weight: 3
    sample: {{body: "[[100]]"}}
    variants:
      challenger: {{job: deep}}
"""


def test_two_models_share_the_requests(cdk: Cdk, client: Callable[[str], Any], tmp_path: Path) -> None:
    """One upload trains both jobs at the same time; neither's model is lost, and each gets its share."""
    teams = tmp_path / "teams"
    teams.mkdir()
    (teams / "pair.yaml").write_text(FILE)
    [spec] = load_teams(teams, "pair", "dev", embedded.ROOT)
    deployed = replace(cdk, logs=tmp_path, team="pair", teams=teams)
    deployed.finish("synth", deployed.synth())
    deployed.deploy()
    journey, data = Journey(spec, "curve", "curve", client), generate()
    began = journey.upload({name: data[name] for name in ("train", "validation")}, tmp_path)
    for job in spec.jobs:
        _succeeded(client, Journey(spec, job, "curve", client).training_run(began))
    machine = names.deploy_machine("pair", "dev", "curve")
    machine = f"arn:aws:states:{spec.region}:{spec.account}:stateMachine:{machine}"
    executions: list[dict[str, Any]] = []

    def both_started() -> bool:
        executions[:] = client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        return len(executions) == len(spec.jobs)

    wait(both_started)
    for one in executions:
        _succeeded(client, one["executionArn"])

    runtime, name = client("sagemaker-runtime"), names.endpoint("pair", "dev", "curve")
    asked = {"EndpointName": name, "ContentType": "text/csv", "Body": "100\n"}
    answered = Counter(runtime.invoke_endpoint(**asked)["InvokedProductionVariant"] for _ in range(60))
    assert set(answered) == {OWN_VARIANT, "challenger"}
    assert answered[OWN_VARIANT] > answered["challenger"]
    both = {one: runtime.invoke_endpoint(**asked, TargetVariant=one)["Body"].read() for one in answered}
    assert both[OWN_VARIANT] != both["challenger"]

    deployed.destroy()
    left = client("sagemaker").list_models(NameContains="pair-dev")["Models"]
    assert not left


def _succeeded(client: Callable[[str], Any], execution: str) -> None:
    *_, last = follow(client, execution, poll_seconds=0.1)
    assert isinstance(last, Finished)
    assert last.status == "SUCCEEDED", last.cause
