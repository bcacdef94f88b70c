"""An endpoint with further production variants: whose models it serves, with which weights."""

from __future__ import annotations

import pytest

from atelier.spec.model import OWN_VARIANT, Endpoint, Variant
from stacks.constructs.deploy_workflow import DeployWorkflowProps, deploy_definition
from tests.unit.stacks.test_deploy_workflow import INPUT, NAME, PACKAGE, SageMaker

DEEP = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/vision-dev-deep/7"


@pytest.fixture
def definition(spec):
    """The endpoint of `curve` with a variant that serves the job `deep`, and asks for a tenth."""
    variants = {"challenger": Variant(job="deep", weight=1), "third": Variant(job="slow", weight=0)}
    endpoint = Endpoint(job="curve", weight=9, variants=variants, sample=spec.endpoints["curve"].sample)
    jobs = dict.fromkeys(("curve", "deep", "slow"), spec.jobs["curve"])
    return deploy_definition(
        DeployWorkflowProps(
            spec=spec.model_copy(update={"endpoints": {"curve": endpoint}, "jobs": jobs}),
            endpoint_name="curve",
            key_arn="arn:key",
            execution_role_arn="arn:aws:iam::111122223333:role/execution",
            smoke_test_arn="arn:smoke",
            explain_arn="arn:explain",
            topic_arn="arn:topic",
        )
    )


class Registry(SageMaker):
    """A SageMaker in which groups have approved models."""

    def __init__(self, approved: dict[str, str], **more) -> None:
        super().__init__(**more)
        self.approved = approved

    def answers(self):
        """Its answers, the approved packages among them."""
        return {**super().answers(), "listModelPackages": self.list_packages}

    def list_packages(self, arguments):
        assert arguments["ModelApprovalStatus"] == "Approved"
        found = self.approved.get(arguments["ModelPackageGroupName"])
        return {"ModelPackageSummaryList": [{"ModelPackageArn": found}] if found else []}


def served(outcome):
    """What the last config serves: variant to model package and weight."""
    packages = {
        one["ModelName"]: one["PrimaryContainer"]["ModelPackageName"] for one in outcome.asked("createModel")
    }
    variants = outcome.asked("createEndpointConfig")[-1]["ProductionVariants"]
    return {one["VariantName"]: (packages[one["ModelName"]], one["InitialVariantWeight"]) for one in variants}


def test_each_variant_serves_the_newest_model_of_its_job(run, definition):
    """One whose job has no model is left out; all that are served are asked the sample, and recorded."""
    aws = Registry({f"{NAME}": "arn:newer", "vision-dev-deep": DEEP})
    outcome = run(definition, INPUT, aws.answers())
    assert outcome.error is None
    # The package that has just been approved, though there is a newer one: a person may go back to it.
    assert served(outcome) == {OWN_VARIANT: (PACKAGE, 9), "challenger": (DEEP, 1)}
    [sample] = [one["Payload"] for one in outcome.asked("invoke")]
    assert sample["variants"] == [OWN_VARIANT, "challenger"]
    assert aws.record["variants"] == {OWN_VARIANT: PACKAGE, "challenger": DEEP, "third": ""}


def test_the_approval_of_a_further_model_renews_the_endpoint(run, definition):
    """The model of the endpoint's own job is served on."""
    aws = Registry({NAME: PACKAGE, "vision-dev-deep": DEEP}, config="old")
    outcome = run(definition, {**INPUT, "modelPackage": DEEP, "version": 7}, aws.answers())
    assert served(outcome) == {OWN_VARIANT: (PACKAGE, 9), "challenger": (DEEP, 1)}
    assert aws.config == outcome.output["config"]


def test_a_further_model_waits_for_the_endpoints_own(run, definition):
    """It is served once there is something to compare it with."""
    aws = Registry({"vision-dev-deep": DEEP})
    outcome = run(definition, {**INPUT, "modelPackage": DEEP, "version": 7}, aws.answers())
    assert outcome.output["status"] == "waiting"
    assert (aws.status, aws.models, aws.configs) == (None, set(), set())


def test_what_had_to_wait_begins_again_with_what_is_approved_by_then(run, definition):
    """Of two deployments at the same time the later loses nothing of the earlier."""
    aws = Registry({NAME: PACKAGE}, config="old")
    aws.status, aws.coming = "Updating", [("Updating", "old"), ("InService", "other")]
    aws.configs.add("other")
    answers = aws.answers()

    def find(arguments):
        aws.approved["vision-dev-deep"] = DEEP
        return aws.list_endpoints(arguments)

    outcome = run(definition, INPUT, {**answers, "listEndpoints": find})
    assert outcome.error is None
    assert served(outcome) == {OWN_VARIANT: (PACKAGE, 9), "challenger": (DEEP, 1)}
    first, last = (one["EndpointConfigName"] for one in outcome.asked("createEndpointConfig"))
    assert aws.config == last
    assert first not in aws.configs


def test_nothing_is_left_of_a_deployment_whose_sample_failed(run, definition, fail):
    """Neither config nor any of its models."""
    aws = Registry({"vision-dev-deep": DEEP}, config="old")

    def invoke(arguments):
        smoke = arguments["FunctionName"] == "arn:smoke"
        return (fail("SmokeTestFailed", "answered 500") if smoke else aws.invoke)(arguments)

    outcome = run(definition, INPUT, {**aws.answers(), "invoke": invoke})
    assert outcome.error == "SmokeTestFailed"
    assert aws.config == "old"
    assert aws.configs == aws.models == {"old"}
