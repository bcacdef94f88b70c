"""Checks of what callers send, beyond what botocore's model says."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from localaws.service import AwsError, NotEmulated, Params
from localaws.stepfunctions.errors import PAYLOAD_LIMIT
from localaws.stepfunctions.logs import group_of

log = logging.getLogger("localaws.stepfunctions")

_BAD_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
_MAX_NAME = 80
_MAX_TAGS = 50


def checked_name(name: str) -> str:
    """A name of a state machine or an execution; AwsError where it is too long, or no ARN can carry it."""
    if len(name) > _MAX_NAME:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_MAX_NAME}",
        )
    bad = _BAD_NAME.search(name)
    if bad:
        raise AwsError("InvalidName", f"Invalid Name: '{name}' contains {bad.group()!r}, which no name may")
    return name


def parsed_input(text: str) -> Any:
    """An execution's input as JSON; InvalidExecutionInput when it is none, or too large."""
    size = len(text.encode(errors="surrogatepass"))
    if size > PAYLOAD_LIMIT:
        reason = f"The input has {size} bytes; the most is {PAYLOAD_LIMIT}"
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{reason}'")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AwsError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        ) from error


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def checked_tags(old: Mapping[str, str], tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """`old` with `tags` over it; TooManyTags past fifty."""
    merged = {**old, **{tag["key"]: tag["value"] for tag in tags}}
    if len(merged) > _MAX_TAGS:
        raise AwsError("TooManyTags", f"A state machine may have {_MAX_TAGS} tags, not {len(merged)}")
    return merged


def checked_logging(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """A LoggingConfiguration; InvalidLoggingConfiguration when it logs, but nowhere."""
    if configuration.get("level", "OFF") != "OFF" and group_of(configuration) is None:
        raise AwsError("InvalidLoggingConfiguration", "A log level other than OFF needs one destination")
    return configuration


def refuse_what_is_not_emulated(params: Params) -> None:
    """NotEmulated for what Create and UpdateStateMachine cannot do; a warning for what has no effect."""
    if params.get("type", "STANDARD") != "STANDARD":
        raise NotEmulated("a state machine of type EXPRESS")
    if params.get("publish"):
        raise NotEmulated("publishing a version of a state machine")
    if params.get("tracingConfiguration", {}).get("enabled"):
        log.warning("tracingConfiguration is kept, but nothing is sent to X-Ray")
    if params.get("encryptionConfiguration", {}).get("type") == "CUSTOMER_MANAGED_KMS_KEY":
        log.warning("encryptionConfiguration is kept, but nothing is encrypted")
