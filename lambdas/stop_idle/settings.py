"""What the cost stack tells `stop_idle`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambdas.shared.compact import pack, unpack

NAMESPACE, METRIC = "Atelier", "IdleHours"


def dimensions(environment: str, kind: str, name: str) -> list[dict[str, str]]:
    """How the metric of an `endpoint` or `notebook` is told from the others."""
    return [
        {"Name": "Environment", "Value": environment},
        {"Name": "Resource", "Value": f"{kind}/{name}"},
    ]


@dataclass(frozen=True, kw_only=True)
class StopIdleSettings:
    """Whom to watch, and what to do with what nobody uses."""

    environment: str
    """The environment as metrics name it, such as `vision-dev`."""
    endpoints: Sequence[str]
    """The physical names of its endpoints."""
    notebooks: Sequence[str]
    """The physical names of its notebook instances."""
    stop_after_hours: int | None
    """Stop what nobody has used for so long; None to only measure."""
    topic: str
    """The ARN of the topic that hears of what was stopped."""

    def to_environment(self) -> dict[str, str]:
        """The environment variables that carry these settings."""
        return {
            "ATELIER_ENVIRONMENT": self.environment,
            "ATELIER_WATCHED": pack([list(self.endpoints), list(self.notebooks)]),
            "ATELIER_STOP_AFTER_HOURS": str(self.stop_after_hours or ""),
            "ATELIER_TOPIC": self.topic,
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> StopIdleSettings:
        """The settings that `to_environment` wrote; a missing variable is a KeyError with its name."""
        endpoints, notebooks = unpack(environment["ATELIER_WATCHED"])
        hours = environment["ATELIER_STOP_AFTER_HOURS"]
        return cls(
            environment=environment["ATELIER_ENVIRONMENT"],
            endpoints=endpoints,
            notebooks=notebooks,
            stop_after_hours=int(hours) if hours else None,
            topic=environment["ATELIER_TOPIC"],
        )
