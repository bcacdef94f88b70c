"""JSON as the service reads and writes it: compact, and not larger than a state may pass on."""

from __future__ import annotations

import json
from typing import Any

from localaws.stepfunctions.errors import DATA_LIMIT_EXCEEDED, PAYLOAD_LIMIT, StateError


def dumps(value: Any) -> str:
    """`value` as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def within_limit(value: Any, what: str) -> str:
    """`value` as JSON; States.DataLimitExceeded when it has more than 262,144 bytes of UTF-8."""
    text = dumps(value)
    # A character has at most four bytes: short texts need not be encoded to know.
    if len(text) * 4 > PAYLOAD_LIMIT and len(text.encode(errors="surrogatepass")) > PAYLOAD_LIMIT:
        cause = f"{what} is larger than the maximum of {PAYLOAD_LIMIT} bytes of UTF-8-encoded JSON."
        raise StateError(DATA_LIMIT_EXCEEDED, cause)
    return text
