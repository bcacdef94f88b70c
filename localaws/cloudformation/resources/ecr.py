"""Resource types of Amazon ECR."""

from __future__ import annotations

from typing import Any

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import (
    Api,
    Aspects,
    Props,
    Tags,
    absent_ok,
    given,
    truth,
    undone_on_failure,
)

_TAGS = Tags("ecr", "resourceArn", tags="tags", keys="tagKeys")

Target = tuple[Api, str]


def _mutability(target: Target, props: Props) -> None:
    ecr, name = target
    ecr(
        "put_image_tag_mutability",
        repositoryName=name,
        imageTagMutability=props.get("ImageTagMutability", "MUTABLE"),
        imageTagMutabilityExclusionFilters=_filters(props),
    )


def _filters(props: Props) -> list[dict[str, Any]] | None:
    """The exclusion filters, whose members the API calls otherwise."""
    prefix = "ImageTagMutabilityExclusion"
    return [
        {"filter": rule[f"{prefix}FilterValue"], "filterType": rule[f"{prefix}FilterType"]}
        for rule in props.get(f"{prefix}Filters") or ()
    ] or None


def _scanning(target: Target, props: Props) -> None:
    ecr, name = target
    wanted = props.get("ImageScanningConfiguration") or {"ScanOnPush": False}
    ecr("put_image_scanning_configuration", repositoryName=name, imageScanningConfiguration=wanted)


def _lifecycle(target: Target, props: Props) -> None:
    ecr, name = target
    text = (props.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
    if text:
        ecr("put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=text)
    else:
        with absent_ok("LifecyclePolicyNotFoundException"):
            ecr("delete_lifecycle_policy", repositoryName=name)


def _policy(target: Target, props: Props) -> None:
    ecr, name = target
    if props.get("RepositoryPolicyText"):
        ecr("set_repository_policy", repositoryName=name, policyText=props["RepositoryPolicyText"])
    else:
        with absent_ok("RepositoryPolicyNotFoundException"):
            ecr("delete_repository_policy", repositoryName=name)


_ASPECTS = Aspects[Target](
    {
        ("ImageTagMutability", "ImageTagMutabilityExclusionFilters"): _mutability,
        ("ImageScanningConfiguration",): _scanning,
        ("LifecyclePolicy",): _lifecycle,
        ("RepositoryPolicyText",): _policy,
    }
)


class Repository(ResourceType):
    """A repository; one that still holds images is deleted only with EmptyOnDelete."""

    type_name = "AWS::ECR::Repository"
    properties = _ASPECTS.properties | {"EmptyOnDelete", "EncryptionConfiguration", "RepositoryName", "Tags"}
    replaces = frozenset({"EncryptionConfiguration", "RepositoryName"})

    def create(self, context: Context, props: Props) -> Created:
        """Make the repository; ECR refuses a name that exists."""
        ecr = Api(context, "ecr")
        name = props.get("RepositoryName") or context.generated_name(256, lower=True)
        ecr(
            "create_repository",
            repositoryName=name,
            tags=_TAGS.of(context, props),
            **given(props, "EncryptionConfiguration"),
        )
        with undone_on_failure(self, context, name, props):
            _ASPECTS.settle((ecr, name), {}, props)
        return self._described(ecr, name)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Tell what differs."""
        ecr = Api(context, "ecr")
        _ASPECTS.settle((ecr, physical_id), old, new)
        created = self._described(ecr, physical_id)
        _TAGS.settle(context, created.attributes["Arn"], new)
        return created

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete it, with its images only where the template allows that."""
        force = truth(props.get("EmptyOnDelete", False))
        with absent_ok("RepositoryNotFoundException"):
            Api(context, "ecr")("delete_repository", repositoryName=physical_id, force=force)

    @staticmethod
    def _described(ecr: Api, name: str) -> Created:
        (found,) = ecr("describe_repositories", repositoryNames=[name])["repositories"]
        return Created(name, {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]})


TYPES: tuple[type[ResourceType], ...] = (Repository,)
