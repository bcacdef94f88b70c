"""What the user of an embedded AWS may choose: own containers, and how much of the machine a job may take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

_FEW_CPUS = 2


def default_cpus() -> int:
    """All processors but one, which the user keeps; both of a machine that has two."""
    cpus = os.cpu_count() or 1
    return cpus if cpus <= _FEW_CPUS else cpus - 1


def default_memory() -> int:
    """Half of the machine's memory, in bytes."""
    return int(psutil.virtual_memory().total) // 2


@dataclass(frozen=True)
class Options:
    """The choices; each has a default that suits a laptop."""

    containers: Path | None = None
    """The folder of own images: `<containers>/<name>/train` and `serve` stand for the image `…/<name>`."""
    job_cpus: int = 0
    """How many processors each job may use; 0 for the default."""
    job_memory: int = 0
    """How many bytes of memory each job may use, all its processes together; 0 for the default."""

    @property
    def cpus(self) -> int:
        """Processors for each job."""
        return self.job_cpus or default_cpus()

    @property
    def memory(self) -> int:
        """Bytes for each job."""
        return self.job_memory or default_memory()
