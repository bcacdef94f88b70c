"""`start_deployment`: an approval is deployed once, a renewed approval again, everything else not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from lambdas.start_deployment.handler import respond
from lambdas.start_deployment.logic import Deployment, Package
from lambdas.start_deployment.settings import StartDeploymentSettings

GROUP = "vision-dev-curve"
ARN = f"arn:aws:sagemaker:eu-west-1:111122223333:model-package/{GROUP}/3"
SETTINGS = StartDeploymentSettings(
    machines="machine-", endpoints={GROUP: ["curve", "shadow"], "other": ["x"]}
)


@dataclass
class Workplace:
    """One model package, and state machines in memory."""

    now: Package = field(default_factory=lambda: Package(ARN, 3, "Approved", "2026-11-21T08:00:00"))
    started: dict[str, Deployment] = field(default_factory=dict)

    def package(self, arn: str) -> Package:
        assert arn == self.now.arn
        return self.now

    def start(self, deployment: Deployment) -> bool:
        if deployment.name in self.started:
            return False
        self.started[deployment.name] = deployment
        return True


def change(**detail: object) -> dict[str, object]:
    """The event as SageMaker sends it."""
    return {
        "detail-type": "SageMaker Model Package State Change",
        "source": "aws.sagemaker",
        "detail": {
            "ModelPackageGroupName": GROUP,
            "ModelPackageArn": ARN,
            "ModelPackageVersion": 3,
            "ModelApprovalStatus": "Approved",
            **detail,
        },
    }


def test_an_approval_is_deployed_once_to_every_endpoint_of_the_group():
    """SageMaker may send several events for one change, each of them may come twice: still one deployment."""
    workplace = Workplace()
    answers = [respond(change(id=i), SETTINGS, workplace)["deployments"] for i in range(20)]
    assert [item["status"] for item in answers[0]] == ["started", "started"]
    assert {item["status"] for answer in answers[1:] for item in answer} == {"already started"}
    assert sorted(deployment.endpoint for deployment in workplace.started.values()) == ["curve", "shadow"]
    sent = json.loads(next(iter(workplace.started.values())).execution_input())
    assert sent == {"endpoint": "curve", "modelPackage": ARN, "version": 3}


def test_approving_an_older_version_again_deploys_it_again():
    """To go back, a person approves an older version anew: its last change is then another."""
    workplace = Workplace()
    respond(change(), SETTINGS, workplace)
    workplace.now = replace(workplace.now, modified="2026-11-21T09:00:00")
    respond(change(), SETTINGS, workplace)
    assert len(workplace.started) == 4


@pytest.mark.parametrize(
    "detail",
    [
        {"ModelApprovalStatus": "PendingManualApproval"},
        {"ModelApprovalStatus": "Rejected"},
        {"UpdatedModelPackageFields": ["ModelPackageDescription"]},
        {"ModelPackageGroupName": "of-nobody"},
    ],
)
def test_deploys_nothing_but_approvals(detail):
    """A rejection, an edit of an approved version's description, a group without endpoints: no deployment."""
    workplace = Workplace()
    assert respond(change(**detail), SETTINGS, workplace) == {"deployments": []}
    assert not workplace.started


@pytest.mark.parametrize(
    "fields", [["ModelApprovalStatus"], ["ApprovalDescription", "ModelApprovalStatus"], []]
)
def test_takes_events_that_name_the_approval_among_the_changes(fields):
    """Events that say what changed are taken when the approval did."""
    workplace = Workplace()
    assert respond(change(UpdatedModelPackageFields=fields), SETTINGS, workplace)["deployments"]


def test_a_version_rejected_meanwhile_is_not_deployed():
    """An old event of an approval does not overrule the rejection that followed."""
    workplace = Workplace()
    workplace.now = replace(workplace.now, approval="Rejected")
    assert respond(change(), SETTINGS, workplace) == {"deployments": []}


@pytest.mark.parametrize("event", [{}, {"detail": {}}, {"detail": None}])
def test_raises_what_it_cannot_handle(event):
    """An event that makes no sense becomes a dead letter."""
    with pytest.raises(ValueError, match="model package event"):
        respond(event, SETTINGS, Workplace())


def test_settings_survive_the_environment():
    """What the stack writes is what the function reads."""
    assert StartDeploymentSettings.from_environment(SETTINGS.to_environment()) == SETTINGS
