"""An endpoint's state machine, really run against a small SageMaker: what serves when it ends."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from atelier.spec.model import Scaling
from localaws.stepfunctions.errors import StateError
from stacks.constructs.deploy_workflow import DeployWorkflowProps, deploy_definition

NAME = "vision-dev-curve"
PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/vision-dev-curve/3"
INPUT = {"endpoint": "curve", "modelPackage": PACKAGE, "version": 3}


class SageMaker:
    """One endpoint, its configs and models, an SSM parameter; each change takes `looks` looks to settle."""

    def __init__(self, looks: int = 3, ends: str = "InService", config: str | None = None) -> None:
        self.looks, self.ends = looks, ends
        self.status: str | None = "InService" if config else None
        self.config = config
        self.coming: list[tuple[str, str]] = []
        self.configs: set[str] = {config} if config else set()
        self.models: set[str] = set(self.configs)
        self.record: dict[str, Any] | None = None

    def answers(self) -> dict[str, Any]:
        """What it answers to each action."""
        return {
            "describeModelPackage": lambda _: {"CustomerMetadataProperties": {"run": "curve-0123"}},
            "createModel": lambda a: self.models.add(a["ModelName"]) or {"ModelArn": "arn"},
            "createEndpointConfig": lambda a: self.configs.add(a["EndpointConfigName"]) or {},
            "deleteModel": lambda a: self.delete(self.models, a["ModelName"]),
            "deleteEndpointConfig": lambda a: self.delete(self.configs, a["EndpointConfigName"]),
            "listEndpoints": self.list_endpoints,
            "createEndpoint": self.create_endpoint,
            "updateEndpoint": self.update_endpoint,
            "deleteEndpoint": self.delete_endpoint,
            "describeEndpoint": self.describe_endpoint,
            "getParameter": lambda _: {"Parameter": {"Value": json.dumps(self.record)}},
            "putParameter": self.put_parameter,
            "deregisterScalableTarget": lambda _: {},
            "registerScalableTarget": lambda _: {},
            "putScalingPolicy": lambda _: {},
            "publish": lambda _: {},
            "invoke": self.invoke,
        }

    @staticmethod
    def delete(names: set[str], name: str) -> dict[str, Any]:
        if name not in names:
            raise StateError("SageMaker.SageMakerException", f"Could not find {name}")
        names.remove(name)
        return {}

    def list_endpoints(self, _arguments):
        self.pass_time()
        others = [{"EndpointName": f"{NAME}-2", "EndpointStatus": "InService"}]
        own = [{"EndpointName": NAME, "EndpointStatus": self.status}] if self.status else []
        return {"Endpoints": others + own}

    def create_endpoint(self, arguments):
        assert self.status is None, "exists"
        self.status, self.config = "Creating", arguments["EndpointConfigName"]
        self.coming = [("Creating", self.config)] * (self.looks - 1) + [(self.ends, self.config)]
        return {"EndpointArn": "arn"}

    def update_endpoint(self, arguments):
        assert self.status == "InService", f"cannot update while {self.status}"
        wanted, old = arguments["EndpointConfigName"], self.config
        assert wanted in self.configs
        settled = (self.ends, wanted) if self.ends == "InService" else ("InService", old)
        self.status = "Updating"
        self.coming = [("Updating", old)] * (self.looks - 1) + [settled]
        return {"EndpointArn": "arn"}

    def delete_endpoint(self, _arguments):
        if self.status not in ("InService", "Failed"):
            raise StateError("SageMaker.SageMakerException", f"Cannot delete while {self.status}")
        self.status, self.coming = "Deleting", [("Deleting", self.config), (None, None)]
        return {}

    def describe_endpoint(self, _arguments):
        self.pass_time()
        reason = {"FailureReason": "no ping"} if self.status == "Failed" else {}
        return {"EndpointStatus": self.status, "EndpointConfigName": self.config, **reason}

    def pass_time(self) -> None:
        if self.coming:
            self.status, self.config = self.coming.pop(0)

    def put_parameter(self, arguments):
        self.record = json.loads(arguments["Value"])
        return {}

    def invoke(self, arguments):
        payload = arguments["Payload"]
        if arguments["FunctionName"] == "arn:smoke":
            return {"Payload": {"status": 200, "answer": "[[1]]"}}
        explained = {"error": payload["error"], "text": payload["cause"], "subject": "s", "message": "m"}
        return {"Payload": explained}


@pytest.fixture
def define(spec):
    """`define(**changes of the endpoint)`: the definition of the endpoint, changed so."""

    def definition(**changes):
        endpoints = {"curve": spec.endpoints["curve"].model_copy(update=changes)}
        return deploy_definition(
            DeployWorkflowProps(
                spec=spec.model_copy(update={"endpoints": endpoints}),
                endpoint_name="curve",
                key_arn="arn:key",
                execution_role_arn="arn:aws:iam::111122223333:role/execution",
                smoke_test_arn="arn:smoke",
                explain_arn="arn:explain",
                topic_arn="arn:topic",
            )
        )

    return definition


def failing_smoke_test(sagemaker: SageMaker, fail):
    """The answers of an AWS whose endpoints answer their sample with an error."""

    def invoke(arguments):
        smoke = arguments["FunctionName"] == "arn:smoke"
        return (fail("SmokeTestFailed", "answered 500") if smoke else sagemaker.invoke)(arguments)

    return {**sagemaker.answers(), "invoke": invoke}


def test_creates_an_endpoint_the_first_time(run, define):
    """Model, config, endpoint; asked its sample; recorded; told."""
    sagemaker = SageMaker()
    outcome = run(define(), INPUT, sagemaker.answers())
    assert outcome.error is None
    name = outcome.output["config"]
    assert re.fullmatch(rf"{NAME}-v3-[0-9a-f]{{8}}", name)
    assert (sagemaker.status, sagemaker.config) == ("InService", name)
    assert sagemaker.record["modelPackage"] == PACKAGE
    assert (sagemaker.record["config"], sagemaker.record["run"]) == (name, "curve-0123")
    assert outcome.output["smokeTest"] == {"status": 200, "answer": "[[1]]"}
    assert "updateEndpoint" not in outcome.actions
    (model,) = outcome.asked("createModel")
    assert model["PrimaryContainer"] == {"ModelPackageName": PACKAGE}
    assert outcome.asked("createEndpointConfig")[0]["KmsKeyId"] == "arn:key"


def test_updates_an_endpoint_blue_green(run, define):
    """An endpoint that serves is updated, all traffic at once when the new fleet is there."""
    sagemaker = SageMaker(config="old")
    outcome = run(define(), INPUT, sagemaker.answers())
    (update,) = outcome.asked("updateEndpoint")
    traffic = update["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert traffic["Type"] == "ALL_AT_ONCE"
    assert sagemaker.config == outcome.output["config"]
    assert sagemaker.record["previous"] == "old"


def test_keeps_the_config_before_and_deletes_the_one_before_that(run, define):
    """One step back stays possible; nothing piles up."""
    sagemaker = SageMaker(config="old")
    sagemaker.configs.add("older")
    sagemaker.models.add("older")
    sagemaker.record = {"config": "old", "previous": "older"}
    name = run(define(), INPUT, sagemaker.answers()).output["config"]
    assert sagemaker.configs == sagemaker.models == {"old", name}


@pytest.mark.parametrize("config", [None, "old"])
def test_a_failed_smoke_test_leaves_what_served_before(run, define, fail, config):
    """An updated endpoint goes back; a new one is removed, so that the next deployment can make it."""
    sagemaker = SageMaker(config=config)
    outcome = run(define(), INPUT, failing_smoke_test(sagemaker, fail))
    assert (outcome.error, outcome.cause) == ("SmokeTestFailed", "answered 500")
    assert outcome.actions[-2:] == ["invoke", "publish"]
    assert sagemaker.record is None
    assert sagemaker.configs == sagemaker.models == ({config} if config else set())
    if config:
        assert (sagemaker.status, sagemaker.config) == ("InService", "old")
    else:
        assert sagemaker.status == "Deleting"


def test_a_new_endpoint_that_fails_is_removed(run, define):
    """The reason that SageMaker gives is the run's cause."""
    sagemaker = SageMaker(ends="Failed")
    outcome = run(define(), INPUT, sagemaker.answers())
    assert outcome.error == "Atelier.EndpointFailed"
    assert "no ping" in outcome.cause
    assert sagemaker.status == "Deleting"
    assert not sagemaker.configs


def test_an_update_that_sagemaker_rolls_back_fails_the_deployment(run, define):
    """SageMaker has gone back by itself: nothing is to be updated again, the unused config goes."""
    sagemaker = SageMaker(config="old", ends="Failed")
    outcome = run(define(), INPUT, sagemaker.answers())
    assert outcome.error == "Atelier.EndpointFailed"
    assert len(outcome.asked("updateEndpoint")) == 1
    assert (sagemaker.config, sagemaker.configs) == ("old", {"old"})


@pytest.mark.parametrize("status", ["Updating", "Creating", "RollingBack"])
def test_waits_for_a_deployment_that_is_under_way(run, define, status):
    """Two approvals in a row: the second waits until the first has settled, then updates."""
    sagemaker = SageMaker(config="old")
    sagemaker.status = status
    sagemaker.coming = [(status, "old")] * 5 + [("InService", "old")]
    assert run(define(), INPUT, sagemaker.answers()).error is None


@pytest.mark.parametrize("config", [None, "old"])
@pytest.mark.parametrize("when", ["while it settles", "while asked its sample", "after a failed sample"])
def test_a_deployment_that_another_overtakes_ends_quietly(run, define, fail, config, when):
    """The newer config serves on, untouched and recorded; nothing fails, nobody is told, no endpoint goes."""
    sagemaker = SageMaker(looks=1, config=config)
    answers = sagemaker.answers()
    sagemaker.record = newer = {"config": f"{NAME}-v4-0123abcd", "previous": "x"}

    def overtake():
        sagemaker.coming = [("Updating", sagemaker.config)] * 3 + [("InService", newer["config"])]

    def begin(action):
        return lambda arguments: (answers[action](arguments), overtake())[0]

    def invoke(arguments):
        overtake()
        if when == "after a failed sample":
            return fail("SmokeTestFailed", "answered 500")(arguments)
        return sagemaker.invoke(arguments)

    changed = (
        {action: begin(action) for action in ("createEndpoint", "updateEndpoint")}
        if when == "while it settles"
        else {"invoke": invoke}
    )
    outcome = run(define(), INPUT, {**answers, **changed})
    assert (outcome.error, outcome.output["status"]) == (None, "superseded")
    assert (sagemaker.status, sagemaker.config) == ("InService", newer["config"])
    assert sagemaker.record == newer
    assert len(outcome.asked("createEndpoint") + outcome.asked("updateEndpoint")) == 1
    assert not outcome.asked("deleteEndpoint")
    assert not outcome.asked("publish")
    # The newer one may have to go back to it.
    assert outcome.output["config"] in sagemaker.configs


@pytest.mark.parametrize(("live", "status"), [(2, "deployed"), (4, "superseded")])
@pytest.mark.parametrize("config", [None, "old"])
def test_waits_its_turn_when_another_begins_first(run, define, config, live, status):
    """Two begin at once: the later one is refused by SageMaker, waits, and is served unless it is older."""
    sagemaker = SageMaker(config=config)
    answers = sagemaker.answers()
    winner = f"{NAME}-v{live}-0123abcd"
    sagemaker.configs.add(winner)
    action = "updateEndpoint" if config else "createEndpoint"

    def begin(arguments):
        if sagemaker.config != winner:
            sagemaker.config = winner
            sagemaker.status, sagemaker.coming = "Updating", [("Updating", winner), ("InService", winner)]
            raise StateError(
                "SageMaker.SageMakerException",
                'Cannot update in-progress endpoint "arn".'
                if config
                else 'Cannot create already existing "arn".',
            )
        return answers[action](arguments)

    outcome = run(define(), INPUT, {**answers, action: begin})
    assert (outcome.error, outcome.output["status"]) == (None, status)
    assert (sagemaker.config == winner) is (status == "superseded")
    if status == "superseded":
        assert outcome.output["config"] not in sagemaker.configs | sagemaker.models
        assert not outcome.asked("publish")


def test_an_older_version_is_served_when_nothing_else_is_under_way(run, define):
    """That is how a person goes back."""
    sagemaker = SageMaker(config=f"{NAME}-v9-0123abcd")
    assert run(define(), INPUT, sagemaker.answers()).output["status"] == "deployed"


def test_says_why_an_endpoint_failed(run, define):
    """The right config that fails is not told to be another."""
    cause = run(define(), INPUT, SageMaker(ends="Failed").answers()).cause
    assert cause == "the endpoint is Failed: no ping"


@pytest.mark.parametrize("status", ["Failed", "Deleting"])
def test_makes_a_new_endpoint_where_one_has_failed_or_is_going(run, define, status):
    """What an earlier failure left is no obstacle."""
    sagemaker = SageMaker(config="old")
    sagemaker.status = status
    if status == "Deleting":
        sagemaker.coming = [("Deleting", "old"), (None, None)]
    outcome = run(define(), INPUT, sagemaker.answers())
    assert outcome.error is None
    assert outcome.asked("createEndpoint")


def test_waits_shorter_for_what_is_quick(run, define):
    """An endpoint that is there after a few looks has cost a few seconds; a slow one few looks a minute."""
    assert run(define(), INPUT, SageMaker(looks=4).answers()).waited <= 5
    slow = run(define(), INPUT, SageMaker(looks=200).answers())
    assert slow.waited / len(slow.asked("describeEndpoint")) > 10


def test_without_a_sample_the_smoke_test_is_skipped_and_said_so(run, define):
    """The output and the record do not pretend that the endpoint was asked."""
    outcome = run(define(sample=None), INPUT, SageMaker().answers())
    assert outcome.output["smokeTest"].startswith("skipped")
    assert not outcome.asked("invoke")


def test_registers_scaling_and_keeps_its_counts(run, define):
    """With scaling declared, an update keeps the number of instances that scaling has reached."""
    scaling = Scaling(max_instances=4)
    outcome = run(define(scaling=scaling), INPUT, SageMaker(config="old").answers())
    assert outcome.error is None
    assert outcome.asked("updateEndpoint")[0]["RetainAllVariantProperties"] is True
    (target,) = outcome.asked("registerScalableTarget")
    assert target["ResourceId"] == f"endpoint/{NAME}/variant/AllTraffic"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert outcome.asked("putScalingPolicy")


def test_without_scaling_an_earlier_declaration_is_dropped(run, define, fail):
    """The team file's count holds again; that there was no scaling is no error."""
    answers = {**SageMaker(config="old").answers(), "deregisterScalableTarget": fail("ObjectNotFound")}
    outcome = run(define(), INPUT, answers)
    assert outcome.error is None
    assert outcome.asked("updateEndpoint")[0]["RetainAllVariantProperties"] is False


@pytest.mark.parametrize(
    "action",
    [
        "describeModelPackage",
        "createModel",
        "createEndpointConfig",
        "listEndpoints",
        "createEndpoint",
        "putParameter",
    ],
)
def test_every_failure_is_explained_told_and_undone(run, define, fail, action):
    """Wherever a first deployment fails, it is told, and no config or model of it stays."""
    sagemaker = SageMaker(looks=1)
    outcome = run(define(), INPUT, {**sagemaker.answers(), action: fail("SageMaker.Boom", "why")})
    assert (outcome.error, outcome.cause) == ("SageMaker.Boom", "why")
    assert outcome.actions[-2:] == ["invoke", "publish"]
    assert not sagemaker.configs
    assert not sagemaker.models


def test_a_config_in_use_is_never_deleted(run, define, fail):
    """When not even going back works, the config that serves stays."""
    sagemaker = SageMaker(config="old")
    answers = failing_smoke_test(sagemaker, fail)
    refuse = fail("SageMaker.Boom")

    def update(arguments):
        return (refuse if arguments["EndpointConfigName"] == "old" else sagemaker.update_endpoint)(arguments)

    outcome = run(define(), INPUT, {**answers, "updateEndpoint": update})
    assert outcome.error == "SmokeTestFailed"
    assert sagemaker.config in sagemaker.configs


def test_an_endpoint_that_cannot_be_looked_at_keeps_its_config(run, define, fail):
    """An endpoint that is still being made cannot be removed: what it is made of stays."""
    sagemaker = SageMaker()
    outcome = run(define(), INPUT, {**sagemaker.answers(), "describeEndpoint": fail("SageMaker.Boom", "why")})
    assert outcome.error == "SageMaker.Boom"
    assert sagemaker.config in sagemaker.configs


def test_a_type_with_disks_of_its_own_takes_no_key(run, define):
    """SageMaker refuses a KMS key for an instance type with NVMe disks."""
    outcome = run(define(instance="ml.g5.xlarge"), INPUT, SageMaker().answers())
    assert "KmsKeyId" not in outcome.asked("createEndpointConfig")[0]


def test_names_stay_within_sagemakers_limits(run, spec):
    """With the longest names and a large version, models and configs have at most 63 characters."""
    name = "e" * 20
    longest = spec.model_copy(
        update={"team": "t" * 15, "name": "n" * 14, "endpoints": {name: spec.endpoints["curve"]}}
    )
    definition = deploy_definition(
        DeployWorkflowProps(
            spec=longest,
            endpoint_name=name,
            key_arn="arn:key",
            execution_role_arn="arn:aws:iam::111122223333:role/execution",
            smoke_test_arn="arn:smoke",
            explain_arn="arn:explain",
            topic_arn="arn:topic",
        )
    )
    outcome = run(definition, {**INPUT, "version": 12345}, SageMaker().answers())
    (model,) = outcome.asked("createModel")
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", model["ModelName"])
    # The removal of the endpoint finds its models by this form.
    assert re.fullmatch(rf"{'t' * 15}-{'n' * 14}-{name}-v\d+-[0-9a-f]{{8}}", model["ModelName"])


def test_a_sample_that_looks_like_an_expression_is_sent_as_it_is(run, define, spec):
    """A body between percent signs is text, not JSONata."""
    sample = spec.endpoints["curve"].sample.model_copy(update={"body": "{% $uuid() %}"})
    outcome = run(define(sample=sample), INPUT, SageMaker().answers())
    assert outcome.asked("invoke")[0]["Payload"]["body"] == "{% $uuid() %}"
