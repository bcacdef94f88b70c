"""Resource types of AWS CodeBuild."""

from __future__ import annotations

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Api, Props, Tags, given

_TAGS = Tags("codebuild", "", tags="tags", pair=("key", "value"))
_DEFAULTS = {"Description": "", "TimeoutInMinutes": 60}


class Project(ResourceType):
    """A build project; `Ref` is its name."""

    type_name = "AWS::CodeBuild::Project"
    properties = frozenset(
        {
            "Artifacts",
            "Description",
            "EncryptionKey",
            "Environment",
            "LogsConfig",
            "Name",
            "ServiceRole",
            "Source",
            "Tags",
            "TimeoutInMinutes",
        }
    )
    replaces = frozenset({"Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Make it; CodeBuild refuses a name that exists."""
        return self._made("create_project", context, props.get("Name") or context.generated_name(255), props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put it anew."""
        return self._made("update_project", context, physical_id, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete it; CodeBuild does not mind one that is gone."""
        Api(context, "codebuild")("delete_project", name=physical_id)

    def _made(self, operation: str, context: Context, name: str, props: Props) -> Created:
        # CodeBuild leaves what it is not told as it was, a template what it does not say at its default.
        settings = _DEFAULTS | given(props, *self.properties - {"Name", "Tags"})
        made = Api(context, "codebuild")(operation, **settings, name=name, tags=_TAGS.of(context, props))
        return Created(name, {"Arn": made["project"]["arn"], "Id": name})


TYPES: tuple[type[ResourceType], ...] = (Project,)
