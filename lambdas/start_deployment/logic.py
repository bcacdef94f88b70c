"""Which change of a model package is an approval, and the name of the deployment that follows. No AWS.

SageMaker may send several events for one change, and EventBridge may deliver each more than once; they are
to be one deployment. But a person who approves an older version again, to go back to it, wants another one.
What tells the two apart is when the package was last modified: the same for all events of one change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHANGED = "UpdatedModelPackageFields"


@dataclass(frozen=True)
class Approval:
    """A version of a model package group that has just been approved."""

    group: str
    package: str
    """The ARN of the version."""


@dataclass(frozen=True)
class Package:
    """A model package as SageMaker describes it; `modified` is when that last changed."""

    arn: str
    version: int
    approval: str
    modified: str


@dataclass(frozen=True)
class Deployment:
    """An execution of an endpoint's state machine; two deployments with one name are the same."""

    name: str
    endpoint: str
    package: Package

    def execution_input(self) -> str:
        """The execution's input: the same for the same deployment."""
        content = {
            "endpoint": self.endpoint,
            "modelPackage": self.package.arn,
            "version": self.package.version,
        }
        return json.dumps(content, sort_keys=True)


def parse(event: Mapping[str, Any]) -> Approval | None:
    """Read a "SageMaker Model Package State Change" event; None when it is no approval.

    An edit of a description sends such an event too, with the approval as it was. Events that name the
    fields that changed are therefore taken only when the approval is among them.

    Raises:
        ValueError: the event is of another kind, or lacks what such an event has.
    """
    try:
        detail = event["detail"]
        group, package = detail["ModelPackageGroupName"], detail["ModelPackageArn"]
        approval = detail["ModelApprovalStatus"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"a model package event without {error}: {json.dumps(event)[:300]}") from error
    changed = detail.get(CHANGED)
    if approval != "Approved" or (changed and "ModelApprovalStatus" not in changed):
        return None
    return Approval(group, package)


def deployment(endpoint: str, group: str, package: Package) -> Deployment:
    """The deployment of an approved package of `group`, called `<team>-<env>-<job>`, to an endpoint."""
    job = group.split("-", 2)[2]
    digest = hashlib.sha256(f"{package.arn} {package.modified}".encode()).hexdigest()[:12]
    return Deployment(f"{endpoint}-{job}-v{package.version}-{digest}", endpoint, package)
