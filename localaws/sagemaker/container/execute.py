"""Run a command under the contract of SageMaker's containers: an image of one's own, or a processing job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from . import lifeline
from .prologue import begin

FOLDER = "LOCALAWS_PROGRAM_FOLDER"
"""The environment variable that names the folder which stands for the image's working directory and PATH."""

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_FIRST_SIGNAL_CODE = 128


def main(folder: Path) -> int:
    """Run the command that follows the folder on the command line; its exit code, as a container has it."""
    command = sys.argv[3:]
    base, private = begin(folder)
    # The signal is for the command, which gets it too, as a member of the group; this one reports the end.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if not private:
        reason = f"this system allows no private /opt/ml: use SAGEMAKER_BASE_DIR, {base}"
        print(f"localaws: {reason}", flush=True)  # noqa: T201 -- standard output is the job's log
    work = Path(os.environ.pop(FOLDER, "") or folder)
    os.environ["PATH"] = f"{work}{os.pathsep}{os.environ['PATH']}"
    try:
        code = subprocess.run(command, cwd=work, check=False).returncode
    except FileNotFoundError:
        return _refuse(command, "no such file, or its interpreter (the first line) is missing", _NOT_FOUND)
    except (PermissionError, OSError) as error:
        hint = "chmod +x it, and begin it with #! and an interpreter"
        return _refuse(command, f"{error.strerror}: {hint}", _NOT_EXECUTABLE)
    finally:
        lifeline.end_children()
    return _FIRST_SIGNAL_CODE - code if code < 0 else code


def _refuse(command: list[str], reason: str, code: int) -> int:
    print(f"localaws: {command[0]!r} cannot be run: {reason}", flush=True)  # noqa: T201 -- the job's log
    return code
