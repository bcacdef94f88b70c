"""CloudWatch Logs: searching a log group; moto keeps the groups and answers the rest.

Moto's own search ignores the prefix of streams, the ARN of a group, and most of what a pattern can say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from moto.logs.models import logs_backends

from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation

_LIMIT = 10_000
_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')


class Logs(Service):
    """Answers FilterLogEvents."""

    name: ClassVar[str] = "logs"

    @operation("FilterLogEvents")
    def filter_log_events(self, call: Call, params: Params) -> Result:
        """The events of a group's streams that match, by time; the token goes on behind the last one."""
        group = _group(call, params)
        if "logStreamNames" in params and "logStreamNamePrefix" in params:
            raise AwsError(
                "InvalidParameterException", "Specify either logStreamNames or logStreamNamePrefix, not both."
            )
        names = params.get("logStreamNames")
        prefix = params.get("logStreamNamePrefix", "")
        since, until = params.get("startTime", 0), params.get("endTime", float("inf"))
        matches = _pattern(params.get("filterPattern", ""))
        behind = _position(params.get("nextToken"))
        found = sorted(
            ((event.timestamp, event.event_id), name, event)
            for name, stream in list(group.streams.items())
            if (name in names if names else name.startswith(prefix))
            for event in list(stream.events)
            if since <= event.timestamp <= until and matches(event.message)
            if behind is None or (event.timestamp, event.event_id) > behind
        )
        limit = params.get("limit", _LIMIT)
        shown = found[:limit]
        answer: dict[str, Any] = {
            "events": [{**event.to_filter_dict(), "logStreamName": name} for _, name, event in shown],
            "searchedLogStreams": [],
        }
        if len(found) > limit:
            (time, number), _, _ = shown[-1]
            answer["nextToken"] = f"{time}@{number}"
        return answer


def _group(call: Call, params: Params) -> Any:
    """Moto's log group, by name or ARN."""
    identifier = params.get("logGroupName") or params.get("logGroupIdentifier") or ""
    account, region, name = call.account, call.region, identifier
    if identifier.startswith("arn:"):
        _, _, _, region, account, _, name = identifier.removesuffix(":*").split(":", 6)
    group = logs_backends[account][region].groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _position(token: str | None) -> tuple[int, int] | None:
    """Time and number of the last event that was shown."""
    if token is None:
        return None
    match = re.fullmatch(r"(\d+)@(\d+)", token)
    if match is None:
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(match[1]), int(match[2])


def _pattern(text: str) -> Callable[[str], bool]:
    """A pattern of terms: all of them, one of those marked `?`, none of those marked `-`."""
    text = text.strip()
    if text.startswith(("{", "[")) or re.fullmatch(r"%.*%", text):
        raise NotEmulated(f"The filter pattern {text}")
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise AwsError("InvalidParameterException", "Invalid filter pattern")
        mark, quoted, plain = match.groups()
        terms[mark].append(re.sub(r"\\(.)", r"\1", quoted) if plain is None else plain)
        position = match.end()
    # With other terms beside them, AWS ignores those marked `?`.
    one_of = terms["?"] if not terms[""] and not terms["-"] else []
    return lambda message: (
        all(term in message for term in terms[""])
        and not any(term in message for term in terms["-"])
        and (not one_of or any(term in message for term in one_of))
    )
