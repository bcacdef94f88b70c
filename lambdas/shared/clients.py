"""The boto3 clients of a function, made when first used and kept for the next invocation."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3


@cache
def client(service: str) -> Any:
    """The client of `service` in the function's own account and region."""
    return boto3.client(service)
