"""Structured logs: one JSON object a line, so that CloudWatch Logs Insights can filter by field."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any


class JsonFormatter(logging.Formatter):
    """Writes level, function, message and the fields of `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an exception's traceback stands in `traceback`."""
        entry: dict[str, Any] = {
            "level": record.levelname,
            "function": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class Log:
    """The log of one function: a message for people, fields for queries."""

    def __init__(self, function: str) -> None:
        self._logger = logging.getLogger(function)
        if not self._logger.handlers:
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(JsonFormatter())
            self._logger.addHandler(handler)
            self._logger.setLevel(logging.INFO)
            # Lambda's own handler on the root logger would write every line a second time.
            self._logger.propagate = False

    def info(self, message: str, **fields: object) -> None:
        """Say what happened."""
        self._logger.info(message, extra={"fields": fields})

    def warning(self, message: str, **fields: object) -> None:
        """Say what went wrong without stopping the work."""
        self._logger.warning(message, extra={"fields": fields})

    def failure(self, message: str, error: Exception, **fields: object) -> None:
        """Say what stopped the work, with the exception's traceback."""
        self._logger.error(message, exc_info=error, extra={"fields": fields})
