"""Resource types of Amazon SageMaker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import Api, Props, given, undone_on_failure
from localaws.cloudformation.resources._sagemaker import TAGS, is_missing

_POLL_SECONDS = 0.2
_AT_ENDPOINT_CREATION = ("DeploymentConfig", "EndpointConfigName", "EndpointName", "Tags")


@contextmanager
def _absent_ok() -> Iterator[None]:
    """Take SageMaker's answer that there is no such thing for success: its code does not tell it apart."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


class _Named(ResourceType):
    """What SageMaker's types have in common: a name, an ARN as `Ref`, tags that change in place."""

    kind: ClassVar[str]
    """The word in the operations, such as `model` in `create_model`."""
    word: ClassVar[str]
    """The word in the parameters, such as `Model` in `ModelName`."""

    def create(self, context: Context, props: Props) -> Created:
        """Make it; SageMaker refuses a name that exists."""
        sagemaker = Api(context, "sagemaker")
        name = props.get(f"{self.word}Name") or context.generated_name(63)
        settings = given(props, *self.properties - {"Tags"})
        made = sagemaker(
            f"create_{self.kind}",
            **{**settings, f"{self.word}Name": name},
            Tags=TAGS.of(context, props),
        )
        return self._described(sagemaker, made[f"{self.word}Arn"])

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change the tags: any other change makes a new resource."""
        TAGS.settle(context, physical_id, new)
        return self._described(Api(context, "sagemaker"), physical_id)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete it."""
        with _absent_ok():
            Api(context, "sagemaker")(f"delete_{self.kind}", **{f"{self.word}Name": _name(physical_id)})

    def _described(self, sagemaker: Api, arn: str) -> Created:
        return Created(arn, {f"{self.word}Arn": arn, f"{self.word}Name": _name(arn)})


class Model(_Named):
    """A model: containers, their artifacts, a role."""

    type_name = "AWS::SageMaker::Model"
    replaces = frozenset(
        {
            "Containers",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "InferenceExecutionConfig",
            "ModelName",
            "PrimaryContainer",
            "VpcConfig",
        }
    )
    properties = replaces | {"Tags"}
    kind, word = "model", "Model"


class EndpointConfig(_Named):
    """What an endpoint serves: models on instances, and what is captured of it."""

    type_name = "AWS::SageMaker::EndpointConfig"
    replaces = frozenset(
        {
            "AsyncInferenceConfig",
            "DataCaptureConfig",
            "EnableNetworkIsolation",
            "EndpointConfigName",
            "ExecutionRoleArn",
            "ExplainerConfig",
            "KmsKeyId",
            "ProductionVariants",
            "ShadowProductionVariants",
            "VpcConfig",
        }
    )
    properties = replaces | {"Tags"}
    kind, word = "endpoint_config", "EndpointConfig"


class ModelPackageGroup(_Named):
    """A group of model versions."""

    type_name = "AWS::SageMaker::ModelPackageGroup"
    replaces = frozenset({"ModelPackageGroupDescription", "ModelPackageGroupName"})
    properties = replaces | {"ModelPackageGroupPolicy", "Tags"}
    kind, word = "model_package_group", "ModelPackageGroup"

    def create(self, context: Context, props: Props) -> Created:
        """Make the group, then put its policy."""
        created = super().create(context, {**props, "ModelPackageGroupPolicy": None})
        with undone_on_failure(self, context, created.physical_id, props):
            self._put_policy(context, created.physical_id, {}, props)
        return created

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change the policy and the tags."""
        self._put_policy(context, physical_id, old, new)
        return super().update(context, physical_id, old, new)

    @staticmethod
    def _put_policy(context: Context, arn: str, old: Props, new: Props) -> None:
        sagemaker, group = Api(context, "sagemaker"), _name(arn)
        policy = new.get("ModelPackageGroupPolicy")
        if policy:
            sagemaker("put_model_package_group_policy", ModelPackageGroupName=group, ResourcePolicy=policy)
        elif old.get("ModelPackageGroupPolicy"):
            with _absent_ok():
                sagemaker("delete_model_package_group_policy", ModelPackageGroupName=group)

    def _described(self, sagemaker: Api, arn: str) -> Created:
        found = sagemaker("describe_model_package_group", ModelPackageGroupName=_name(arn))
        return Created(
            arn,
            {
                "ModelPackageGroupArn": arn,
                "ModelPackageGroupStatus": found["ModelPackageGroupStatus"],
                "CreationTime": found["CreationTime"].isoformat(),
            },
        )


class Endpoint(_Named):
    """An endpoint; it is made or updated once it is in service."""

    type_name = "AWS::SageMaker::Endpoint"
    replaces = frozenset({"EndpointName"})
    properties = frozenset({"EndpointConfigName", "EndpointName", "DeploymentConfig", "Tags"}) | {
        "ExcludeRetainedVariantProperties",
        "RetainAllVariantProperties",
        "RetainDeploymentConfig",
    }
    kind, word = "endpoint", "Endpoint"

    def create(self, context: Context, props: Props) -> Created:
        """Make the endpoint and wait until it serves."""
        created = super().create(context, given(props, *_AT_ENDPOINT_CREATION))
        with undone_on_failure(self, context, created.physical_id, props):
            self._await_service(context, created.physical_id, props["EndpointConfigName"])
        return created

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Move to another configuration, as the deployment settings say, and wait until it serves."""
        if old["EndpointConfigName"] != new["EndpointConfigName"]:
            settings = given(new, *self.properties - {"EndpointName", "Tags"})
            sagemaker = Api(context, "sagemaker")
            sagemaker("update_endpoint", EndpointName=_name(physical_id), **settings)
            self._await_service(context, physical_id, new["EndpointConfigName"])
        return super().update(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete the endpoint and wait until it is gone."""
        super().delete(context, physical_id, props)
        with _absent_ok():
            while not context.world.stopping.wait(_POLL_SECONDS):
                Api(context, "sagemaker")("describe_endpoint", EndpointName=_name(physical_id))

    @staticmethod
    def _await_service(context: Context, arn: str, config: str) -> None:
        found: Mapping[str, Any] = {}
        while not context.world.stopping.is_set():
            found = Api(context, "sagemaker")("describe_endpoint", EndpointName=_name(arn))
            if not found["EndpointStatus"].endswith("ing"):
                break
            context.world.stopping.wait(_POLL_SECONDS)
        # After an automatic rollback the endpoint serves too, but from the configuration it had before.
        if found.get("EndpointStatus") != "InService" or found["EndpointConfigName"] != config:
            status, reason = found.get("EndpointStatus"), found.get("FailureReason", "no reason given")
            raise ResourceFailed(f"Endpoint {_name(arn)} does not serve {config} ({status}): {reason}")


TYPES: tuple[type[ResourceType], ...] = (Model, EndpointConfig, ModelPackageGroup, Endpoint)
