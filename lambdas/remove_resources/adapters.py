"""The AWS account, as `remove_resources` sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from lambdas.shared.clients import client

GONE_CODES = frozenset(
    {
        "ExecutionDoesNotExist",
        "NotFoundException",
        "ObjectNotFoundException",
        "ParameterNotFound",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Let pass that something does not exist; SageMaker has no error code for it, only a message."""
    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        message = said.get("Message", "").lower()
        if not (said["Code"] in GONE_CODES or "could not find" in message or "does not exist" in message):
            raise


class AwsAccount:
    """The real one; see `logic.Account`."""

    def stop_executions(self, machine: str) -> None:
        """Stop every running execution of a state machine."""
        states = client("stepfunctions")
        with gone_is_fine():
            pages = states.get_paginator("list_executions")
            for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING"):
                for execution in page["executions"]:
                    with gone_is_fine():
                        states.stop_execution(
                            executionArn=execution["executionArn"],
                            error="Atelier.Removed",
                            cause="The endpoint is being removed.",
                        )

    def endpoint_status(self, name: str) -> str | None:
        """The status of an endpoint, or None when there is none."""
        with gone_is_fine():
            return str(client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"])
        return None

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint."""
        with gone_is_fine():
            client("sagemaker").delete_endpoint(EndpointName=name)

    def configs(self, part: str) -> Iterator[str]:
        """The endpoint configs whose name contains `part`."""
        return _names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", NameContains=part)

    def delete_config(self, name: str) -> None:
        """Delete an endpoint config."""
        with gone_is_fine():
            client("sagemaker").delete_endpoint_config(EndpointConfigName=name)

    def models(self, part: str) -> Iterator[str]:
        """The models whose name contains `part`."""
        return _names("list_models", "Models", "ModelName", NameContains=part)

    def delete_model(self, name: str) -> None:
        """Delete a model."""
        with gone_is_fine():
            client("sagemaker").delete_model(ModelName=name)

    def stop_scaling(self, endpoint: str, variant: str) -> None:
        """Forget the scaling of an endpoint's variant."""
        with gone_is_fine():
            client("application-autoscaling").deregister_scalable_target(
                ServiceNamespace="sagemaker",
                ResourceId=f"endpoint/{endpoint}/variant/{variant}",
                ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            )

    def delete_parameter(self, name: str) -> None:
        """Delete an SSM parameter."""
        with gone_is_fine():
            client("ssm").delete_parameter(Name=name)

    def delete_log_group(self, name: str) -> None:
        """Delete a log group."""
        with gone_is_fine():
            client("logs").delete_log_group(logGroupName=name)

    def budget_actions(self, budget: str) -> dict[str, str]:
        """The actions of a budget by their ids, each with its status."""
        with gone_is_fine():
            pages = client("budgets").get_paginator("describe_budget_actions_for_budget")
            return {
                action["ActionId"]: action["Status"]
                for page in pages.paginate(AccountId=_account(), BudgetName=budget)
                for action in page["Actions"]
            }
        return {}

    def reverse_action(self, budget: str, action: str) -> None:
        """Begin to take back what an action of a budget has done."""
        with gone_is_fine():
            client("budgets").execute_budget_action(
                AccountId=_account(),
                BudgetName=budget,
                ActionId=action,
                ExecutionType="REVERSE_BUDGET_ACTION",
            )

    def training_jobs(self, part: str) -> Iterator[tuple[str, str]]:
        """Name and status of the training jobs that run or are stopping, whose name contains `part`."""
        pages = client("sagemaker").get_paginator("list_training_jobs")
        for status in ("InProgress", "Stopping"):
            for page in pages.paginate(NameContains=part, StatusEquals=status):
                for job in page["TrainingJobSummaries"]:
                    yield job["TrainingJobName"], status

    def stop_training_job(self, name: str) -> None:
        """Begin to stop a training job; one that has ended meanwhile is left alone."""
        try:
            with gone_is_fine():
                client("sagemaker").stop_training_job(TrainingJobName=name)
        except ClientError as error:
            # SageMaker has no error code for it either; the next look tells whether it really has ended.
            if error.response["Error"]["Code"] != "ValidationException":
                raise

    def packages(self, group: str) -> Iterator[str]:
        """The ARNs of the versions of a model package group."""
        with gone_is_fine():
            yield from _names(
                "list_model_packages",
                "ModelPackageSummaryList",
                "ModelPackageArn",
                ModelPackageGroupName=group,
            )

    def delete_package(self, arn: str) -> None:
        """Delete a version of a model package group."""
        with gone_is_fine():
            client("sagemaker").delete_model_package(ModelPackageName=arn)


def _account() -> str:
    """The account that the function runs in; Budgets wants to be told."""
    return str(client("sts").get_caller_identity()["Account"])


def _names(operation: str, items: str, name: str, **filters: str) -> Iterator[str]:
    for page in client("sagemaker").get_paginator(operation).paginate(**filters):
        for item in page[items]:
            yield item[name]
