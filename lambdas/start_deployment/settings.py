"""What the serving stack tells `start_deployment`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambdas.shared.compact import pack, unpack


@dataclass(frozen=True, kw_only=True)
class StartDeploymentSettings:
    """The ARN that every endpoint's state machine begins with, and the endpoints that a group feeds."""

    machines: str
    endpoints: Mapping[str, Sequence[str]]
    """Name of a model package group to the endpoints (as the team file names them) that serve its models."""

    def to_environment(self) -> dict[str, str]:
        """The environment variables that carry these settings."""
        endpoints = {group: list(names) for group, names in self.endpoints.items()}
        return {"ATELIER_MACHINES": self.machines, "ATELIER_ENDPOINTS": pack(endpoints)}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> StartDeploymentSettings:
        """The settings that `to_environment` wrote; a missing variable is a KeyError with its name."""
        return cls(
            machines=environment["ATELIER_MACHINES"],
            endpoints=unpack(environment["ATELIER_ENDPOINTS"]),
        )
