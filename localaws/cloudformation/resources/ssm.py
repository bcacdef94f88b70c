"""Resource types of Systems Manager."""

from __future__ import annotations

from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.cloudformation.resources._common import Api, Props, Tags, absent_ok, differ, given, partition

_TAGS = Tags(
    "ssm",
    "ResourceId",
    lister="list_tags_for_resource",
    adder="add_tags_to_resource",
    remover="remove_tags_from_resource",
    listed="TagList",
    fixed=(("ResourceType", "Parameter"),),
)


class Parameter(ResourceType):
    """A parameter of type String or StringList; CloudFormation makes no SecureString."""

    type_name = "AWS::SSM::Parameter"
    properties = frozenset(
        {"AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"}
    )
    replaces = frozenset({"Name"})

    def create(self, context: Context, props: Props) -> Created:
        """Put the parameter; Systems Manager refuses a name that exists."""
        name = props.get("Name") or context.generated_name(1011)
        self._put(context, name, props, Tags=_TAGS.of(context, props))
        return self._described(context, name, props)

    def update(self, context: Context, physical_id: str, old: Props, new: Props) -> Created:
        """Put a new version; what the template no longer says is emptied."""
        emptied = {name: "" for name in ("AllowedPattern", "Description") if name in old}
        if differ(old, new, *self.properties - {"Tags"}):
            self._put(context, physical_id, {**emptied, **new}, Overwrite=True)
        _TAGS.settle(context, physical_id, new)
        return self._described(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Delete every version."""
        with absent_ok("ParameterNotFound"):
            Api(context, "ssm")("delete_parameter", Name=physical_id)

    @staticmethod
    def _put(context: Context, name: str, props: Props, **how: object) -> None:
        if props["Type"] == "SecureString":
            raise ResourceFailed("Type: CloudFormation makes no SecureString parameter, on AWS neither")
        wanted = given(props, "AllowedPattern", "DataType", "Description", "Tier", "Type", "Value")
        Api(context, "ssm")("put_parameter", Name=name, **wanted, **how)

    @staticmethod
    def _described(context: Context, name: str, props: Props) -> Created:
        arn = f"arn:{partition(context.region)}:ssm:{context.region}:{context.account}:parameter"
        return Created(
            name,
            {"Arn": f"{arn}/{name.lstrip('/')}", "Type": props["Type"], "Value": str(props["Value"])},
        )


TYPES: tuple[type[ResourceType], ...] = (Parameter,)
