"""The model registry and the state machines, as `start_deployment` sees them."""

from __future__ import annotations

from typing import Protocol

from lambdas.shared.clients import client
from lambdas.shared.executions import start_once
from lambdas.start_deployment.logic import Deployment, Package


class Workplace(Protocol):
    """What the function needs of AWS."""

    def package(self, arn: str) -> Package:
        """The model package as it is now."""
        ...

    def start(self, deployment: Deployment) -> bool:
        """Start the deployment's execution; False when it was started before."""
        ...


class AwsWorkplace:
    """The real one; `machines` is the ARN that every endpoint's state machine begins with."""

    def __init__(self, machines: str) -> None:
        self._machines = machines

    def package(self, arn: str) -> Package:
        """Describe the package; one that was never modified counts from its creation."""
        described = client("sagemaker").describe_model_package(ModelPackageName=arn)
        modified = described.get("LastModifiedTime") or described["CreationTime"]
        return Package(
            arn=described["ModelPackageArn"],
            version=described["ModelPackageVersion"],
            approval=described["ModelApprovalStatus"],
            modified=modified.isoformat(),
        )

    def start(self, deployment: Deployment) -> bool:
        """Start the execution under the deployment's name."""
        machine = f"{self._machines}{deployment.endpoint}"
        return start_once(machine, deployment.name, deployment.execution_input())
