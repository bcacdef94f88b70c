"""The JSON Schema of a team file, for editors: `atelier schema`, committed as schema/team.schema.json."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from atelier.spec.model import TeamFile


class _ForEditors(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's signature
        """No: a title that only repeats the key hides the description."""
        return False

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """A mapping whose keys have a pattern takes no other keys, which pydantic leaves open."""
        json_schema = super().dict_schema(schema)
        if "patternProperties" in json_schema:
            json_schema["additionalProperties"] = False
        return json_schema


def schema_text() -> str:
    """The schema as JSON, ending in a newline."""
    schema = TeamFile.model_json_schema(schema_generator=_ForEditors)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
