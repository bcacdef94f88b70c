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
    if not (private and opt_ml.keep_environment(folder)):
        # What the job installs must not change the environment, which others share.
        target = folder.with_name(f"{folder.name}.layer")
        os.environ |= {"PIP_TARGET": str(target), "PYTHONPATH": str(target)}
    fastfile.prepare(folder, base, private=private)
    lifeline.hold()
    bounds.apply()
    return Place(base, private)
