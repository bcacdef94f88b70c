"""How long Studio and notebook instances take for what takes minutes on AWS."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

PACE = "LOCALAWS_STUDIO_PACE"
"""The environment variable that multiplies all durations: 0.1 for tests, 60 to watch a screen of statuses."""


@dataclass(frozen=True)
class Durations:
    """Seconds from a request until the status that it leads to."""

    domain_creation: float = 1.0
    domain_update: float = 0.5
    domain_deletion: float = 1.0
    profile: float = 0.3
    space: float = 0.3
    app_start: float = 1.5
    app_stop: float = 1.5
    interface: float = 0.5
    """For which an interface outlives the app that it was for."""
    image: float = 0.3
    notebook_start: float = 1.5
    notebook_stop: float = 1.0
    notebook_update: float = 0.3
    notebook_deletion: float = 0.5

    @classmethod
    def from_environment(cls) -> Durations:
        """The defaults, multiplied by the environment's pace."""
        pace = float(os.environ.get(PACE, "1"))
        return cls(**{each.name: getattr(cls, each.name) * pace for each in fields(cls)})
