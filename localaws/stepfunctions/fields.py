"""The fields of each state type, in each query language: one table for the validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localaws.stepfunctions.language import JSONATA, JSONPATH

_ALWAYS = frozenset({"Type", "Comment", "QueryLanguage"})
_MOVES = frozenset({"Next", "End", "Assign"})
_HANDLES = frozenset({"Retry", "Catch"})
_PATHS = frozenset({"InputPath", "OutputPath"})
_RESULT = frozenset({"Parameters", "ResultSelector", "ResultPath"})


@dataclass(frozen=True)
class Fields:
    """What a state of one type may say: in either language, in JSONPath only, in JSONata only."""

    either: frozenset[str]
    jsonpath: frozenset[str] = frozenset()
    jsonata: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()

    def allowed(self, language: str) -> frozenset[str]:
        """The fields that this type has in a query language."""
        return _ALWAYS | self.either | (self.jsonpath if language == JSONPATH else self.jsonata)

    def language_of(self, name: str) -> str | None:
        """The one language in which this type has the field, or None when it never has."""
        if name in self.jsonpath:
            return JSONPATH
        return JSONATA if name in self.jsonata else None


FIELDS: Mapping[str, Fields] = {
    "Pass": Fields(
        either=_MOVES,
        jsonpath=_PATHS | {"Parameters", "Result", "ResultPath"},
        jsonata=frozenset({"Output"}),
    ),
    "Task": Fields(
        either=_MOVES | _HANDLES | {"Resource", "TimeoutSeconds", "HeartbeatSeconds"},
        jsonpath=_PATHS | _RESULT | {"TimeoutSecondsPath", "HeartbeatSecondsPath"},
        jsonata=frozenset({"Arguments", "Output"}),
        required=("Resource",),
    ),
    "Choice": Fields(
        either=frozenset({"Choices", "Default", "Assign"}),
        jsonpath=_PATHS,
        jsonata=frozenset({"Output"}),
        required=("Choices",),
    ),
    "Wait": Fields(
        either=_MOVES | {"Seconds", "Timestamp"},
        jsonpath=_PATHS | {"SecondsPath", "TimestampPath"},
        jsonata=frozenset({"Output"}),
    ),
    "Succeed": Fields(either=frozenset(), jsonpath=_PATHS, jsonata=frozenset({"Output"})),
    "Fail": Fields(either=frozenset({"Error", "Cause"}), jsonpath=frozenset({"ErrorPath", "CausePath"})),
    "Parallel": Fields(
        either=_MOVES | _HANDLES | {"Branches"},
        jsonpath=_PATHS | _RESULT,
        jsonata=frozenset({"Arguments", "Output"}),
        required=("Branches",),
    ),
    "Map": Fields(
        either=_MOVES | _HANDLES | {"ItemProcessor", "ItemSelector", "MaxConcurrency"},
        jsonpath=_PATHS | _RESULT | {"Iterator", "ItemsPath", "MaxConcurrencyPath"},
        jsonata=frozenset({"Items", "Output"}),
    ),
}

# Fields that AWS has and this interpreter has not: refused by name rather than as unknown.
NOT_EMULATED: Mapping[str, frozenset[str]] = {
    "Task": frozenset({"Credentials"}),
    "Map": frozenset(
        {
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "Label",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentagePath",
        }
    ),
}

# Types after which the machine goes on to `Next` or ends by `End`.
MOVING = frozenset({"Pass", "Task", "Wait", "Parallel", "Map"})
MACHINE_FIELDS = frozenset({"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"})
BRANCH_FIELDS = frozenset({"Comment", "StartAt", "States", "QueryLanguage"})
PROCESSOR_FIELDS = BRANCH_FIELDS | {"ProcessorConfig"}

# The JSON types of the fields that hold the machine together; what others hold is checked where it is read.
JSON_TYPES: Mapping[str, type] = {
    "Assign": dict,
    "Branches": list,
    "Catch": list,
    "Choices": list,
    "Comment": str,
    "Default": str,
    "ItemProcessor": dict,
    "Iterator": dict,
    "Next": str,
    "ProcessorConfig": dict,
    "QueryLanguage": str,
    "Resource": str,
    "Retry": list,
    "StartAt": str,
    "States": dict,
    "Type": str,
}
TYPE_NAMES: Mapping[type, str] = {dict: "an object", list: "an array", str: "a string"}
