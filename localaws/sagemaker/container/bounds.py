"""Keep the machine usable while a job runs: it yields to everything else and has some of the processors."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path

CPUS = "LOCALAWS_CPUS"
"""The environment variable that says how many processors this process and its children may use."""

_NICENESS = 10
_FIRST_TO_GO = "600"


def apply() -> None:
    """Bound this process and its children, where the variable asks for it."""
    wanted = os.environ.pop(CPUS, "")
    if not wanted:
        return
    os.nice(_NICENESS)
    with suppress(OSError):
        # Where memory runs out, the kernel takes a job before anything of the user's.
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        # At random, so that two jobs do not always meet on the same ones; nothing secret hangs on it.
        chosen = random.sample(allowed, min(int(wanted), len(allowed)))
        with suppress(OSError):
            os.sched_setaffinity(0, chosen)


def threads(cpus: int) -> dict[str, str]:
    """The variables by which numerical libraries are told how many threads to start."""
    names = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "POLARS_MAX_THREADS",
    )
    # Threads that wait sleep rather than spin: on a busy machine that is five times as fast.
    return {**dict.fromkeys(names, str(cpus)), "OMP_WAIT_POLICY": "PASSIVE"}


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
