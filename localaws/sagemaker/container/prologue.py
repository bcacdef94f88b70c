"""How every container begins: its own /opt/ml, its lifeline, its bounds, its lazy channels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from . import bounds, fastfile, lifeline, opt_ml


class Place(NamedTuple):
    """Where the container's /opt/ml is, and whether it is literally there."""

    base: Path
    private: bool


def begin(folder: Path) -> Place:
    """Make `folder` this process's /opt/ml, or name it in SAGEMAKER_BASE_DIR where that is forbidden."""
    private = opt_ml.enter(folder)  # before any thread exists: a user namespace needs that
    base = opt_ml.OPT_ML if private else folder
    if not private:
        os.environ["SAGEMAKER_BASE_DIR"] = str(base)
    fastfile.prepare(folder, base, private=private)
    lifeline.hold()
    bounds.apply()
    return Place(base, private)
