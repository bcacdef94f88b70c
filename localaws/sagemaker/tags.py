"""Tags of every SageMaker resource that the embedded AWS holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localaws.sagemaker.records import Record, Table, invalid
from localaws.service import Call, Params, Result, Service, operation
from localaws.world import World

_MOST = 50


class Tags(Service):
    """AddTags, ListTags, DeleteTags."""

    name = "sagemaker"

    def __init__(self, world: World, tables: Sequence[Table[Any]]) -> None:
        super().__init__(world)
        self._tables = tables

    def _record(self, call: Call, arn: str) -> Record:
        for table in self._tables:
            for record in table.all(call):
                if record.arn == arn:
                    found: Record = record
                    return found
        raise invalid(f"Could not find resource {arn}.")

    @operation("AddTags")
    def add(self, call: Call, params: Params) -> Result:
        """Add tags, or change their values."""
        record = self._record(call, params["ResourceArn"])
        check_tags(params["Tags"])
        tags = {**record.tags, **{tag["Key"]: tag["Value"] for tag in params["Tags"]}}
        if len(tags) > _MOST:
            raise invalid(f"A resource can have {_MOST} tags at most; {record.arn} would have {len(tags)}.")
        record.tags = tags
        for tag in params["Tags"]:
            record.tagged(tag["Key"])
        return {"Tags": as_list(record.tags)}

    @operation("ListTags")
    def list(self, call: Call, params: Params) -> Result:
        """All tags of a resource."""
        return {"Tags": as_list(self._record(call, params["ResourceArn"]).tags)}

    @operation("DeleteTags")
    def delete(self, call: Call, params: Params) -> Result:
        """Remove tags by key; one that is not there is no error."""
        record = self._record(call, params["ResourceArn"])
        record.tags = {key: value for key, value in record.tags.items() if key not in params["TagKeys"]}
        return {}


def check_tags(tags: Sequence[dict[str, str]]) -> None:
    """Raise AwsError for a key that stands twice or is AWS's own."""
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise invalid(f"Duplicate tag keys found: {', '.join(keys)}")
    for key in keys:
        if key.lower().startswith("aws:"):
            raise invalid(f"Tag key {key!r} begins with aws:, which is reserved.")


def as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as the API shows them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
