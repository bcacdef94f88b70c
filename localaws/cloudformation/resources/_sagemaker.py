"""What the types of SageMaker Studio and of notebook instances share: calls by kind, waiting, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import Api, Props, Tags, error_code, given, undone_on_failure

TAGS = Tags("sagemaker", "ResourceArn", lister="list_tags", adder="add_tags", remover="delete_tags")
_POLL_SECONDS = 0.1
_MISSING = ("RecordNotFound", "Cannot find", "Could not find", "does not exist")


def is_missing(error: ClientError) -> bool:
    """Whether SageMaker says that there is no such thing: a code for some kinds, for others only words."""
    message = str(error.response["Error"]["Message"])
    return error_code(error) == "ResourceNotFound" or any(words in message for words in _MISSING)


class Kept(ResourceType):
    """A kind that SageMaker keeps: created and described by name, tagged by ARN, deleted by name."""

    kind: ClassVar[str]
    """The word in the operations, such as `user_profile` in `create_user_profile`."""
    identifiers: ClassVar[tuple[str, ...]]
    """The parameters that name it, in the order in which `Ref` joins them."""
    by_arn: ClassVar[bool] = False
    """Whether `Ref` returns the ARN rather than the names."""
    arn: ClassVar[str]
    """The member of descriptions that holds the ARN."""
    attributes: ClassVar[tuple[str, ...]] = ()
    """The members of the description that `Fn::GetAtt` may ask for."""
    status: ClassVar[str] = "Status"
    """The member of the description that holds the status; kinds without one are there at once."""

    def request(self, context: Context, props: Props) -> dict[str, Any]:
        """The parameters of its creation, but for the tags."""
        return given(props, *self.properties - {"Tags"})

    def names(self, physical_id: str) -> dict[str, Any]:
        """The parameters that name it."""
        parts = [physical_id.rpartition("/")[2]] if self.by_arn else physical_id.split("|")
        return dict(zip(self.identifiers, parts, strict=True))

    def create(self, context: Context, props: Props) -> Created:
        """Make it and wait until it is there; SageMaker refuses a name that exists."""
        sagemaker, request = Api(context, "sagemaker"), self.request(context, props)
        tags = {"Tags": TAGS.of(context, props)} if "Tags" in self.properties else {}
        made = sagemaker(f"create_{self.kind}", **request, **tags)
        known = {**request, **made}
        physical_id = known[self.arn] if self.by_arn else "|".join(known[name] for name in self.identifiers)
        with undone_on_failure(self, context, physical_id, props):
            return self.settled(context, physical_id)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Change it in place, settle the tags, and wait until it is there again."""
        if {**old, "Tags": None} != {**new, "Tags": None}:
            self.change(context, physical_id, old, new)
        settled = self.settled(context, physical_id)
        if "Tags" in self.properties:
            TAGS.settle(context, self.describe(context, physical_id)[self.arn], new)
        return settled

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Tell SageMaker what differs besides the tags."""
        names = self.names(physical_id)
        settings = given(new, *self.properties - self.replaces - {"Tags"} - names.keys())
        Api(context, "sagemaker")(f"update_{self.kind}", **names, **settings)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete it and wait until it is gone; SageMaker refuses while something needs it."""
        try:
            Api(context, "sagemaker")(f"delete_{self.kind}", **self.names(physical_id))
            while not context.world.stopping.is_set():
                found = self.describe(context, physical_id)
                if not _moving(found.get(self.status, "Deleting")):
                    raise ResourceFailed(_failure(physical_id, found, self.status))
                context.world.stopping.wait(_POLL_SECONDS)
        except ClientError as error:
            if not is_missing(error):
                raise

    def describe(self, context: Context, physical_id: str) -> dict[str, Any]:
        """As SageMaker describes it."""
        return Api(context, "sagemaker")(f"describe_{self.kind}", **self.names(physical_id))

    def settled(self, context: Context, physical_id: str, *good: str) -> Created:
        """Wait until its status is none that passes; raises ResourceFailed unless it is a good one."""
        found = self.describe(context, physical_id)
        while self.status in found and _moving(found[self.status]) and not context.world.stopping.is_set():
            context.world.stopping.wait(_POLL_SECONDS)
            found = self.describe(context, physical_id)
        if self.status in found and found[self.status] not in (good or ("InService", "CREATED")):
            raise ResourceFailed(_failure(physical_id, found, self.status))
        return Created(physical_id, {name: found.get(name, "") for name in self.attributes})


def _moving(status: str) -> bool:
    return status.lower().endswith("ing")


def _failure(physical_id: str, found: Mapping[str, Any], status: str) -> str:
    return f"{physical_id} is {found.get(status)}: {found.get('FailureReason', 'no reason given')}"


def pairs(value: Any) -> dict[str, str]:
    """A list of keys and values as the mapping that the API takes."""
    with suppress(TypeError, KeyError):
        return {item["Key"]: item["Value"] for item in value}
    raise ResourceFailed(f"Properties validation failed: {value!r} is no list of Key and Value")
