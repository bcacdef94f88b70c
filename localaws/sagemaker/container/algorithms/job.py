"""What a built-in algorithm is given and answers for: hyperparameters, channels, model, failure file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FAILURE_CHARS = 1_000  # SageMaker shows the first 1,024 characters, some of them its own
_ROOM = 2**20  # bytes: more than a library holds back of a file that it could not write
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class UserError(Exception):
    """What the user asked for or brought is wrong; the message says what."""


class Job:
    """A training job under the contract of the container."""

    def __init__(self, base: Path) -> None:
        self._base = base
        config = base / "input" / "config"
        self.hyperparameters: dict[str, str] = _load(config / "hyperparameters.json")
        self._channels: dict[str, dict[str, str]] = _load(config / "inputdataconfig.json")
        self._checkpoints: dict[str, str] = (
            _load(config / "checkpointconfig.json") if (config / "checkpointconfig.json").exists() else {}
        )

    @property
    def checkpoints(self) -> Path | None:
        """The folder of checkpoints; None where the job asks for none."""
        path = self._checkpoints.get("LocalPath", "/opt/ml/checkpoints")
        return self._base / Path(path).relative_to("/opt/ml") if self._checkpoints else None

    def check_channels(self, known: tuple[str, ...], modes: tuple[str, ...]) -> None:
        """Raise UserError for a channel that the algorithm does not know or cannot read in its mode."""
        if "train" not in self._channels:
            raise UserError("Missing required input data channel: train")
        for name, channel in self._channels.items():
            if name not in known:
                raise UserError(f"Extraneous channel found: {name}; there are {', '.join(known)}")
            if channel["TrainingInputMode"] not in modes:
                raise UserError(f"Channel {name}: input mode {channel['TrainingInputMode']} is not supported")

    def content_type(self, channel: str) -> str | None:
        """The ContentType of a channel."""
        return self._channels[channel].get("ContentType")

    def files(self, channel: str) -> list[Path]:
        """The data files of a channel, by name; none where the channel is not there.

        Raises:
            UserError: the channel is there and holds none.
        """
        if channel not in self._channels:
            return []
        folder = self._base / "input" / "data" / channel
        found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name[0] not in "._"]
        if not any(path.stat().st_size for path in found):
            raise UserError(f"No data in the {channel} channel")
        return found

    @contextmanager
    def model(self) -> Iterator[Path]:
        """A folder whose files become the model's when the block ends well."""
        with tempfile.TemporaryDirectory(dir=self._base) as folder:
            try:
                yield Path(folder)
            finally:
                # Of a full disk fastText says nothing, and xgboost not what it is.
                room = Path(folder, ".room")
                room.write_bytes(bytes(_ROOM))
                room.unlink()
            for path in Path(folder).iterdir():
                shutil.move(path, self._base / "model" / path.name)

    def run(self, train: Callable[[Job], None]) -> int:
        """Train; 0, or 1 with one line in `output/failure`, which begins with the family of the error."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            train(self)
        except UserError as error:
            reason = f"ClientError: {error}"
        except MemoryError:
            reason = "ClientError: Please use an instance type with more memory"
        except Exception as error:  # noqa: BLE001 -- whatever fails, the failure file says it
            traceback.print_exc()
            reason = f"AlgorithmError: {type(error).__name__}: {error}"
            if _is_full(error):
                reason = "PlatformError: no space left on device: give the job a larger volume_gb"
        else:
            return 0
        line = " ".join(reason.split())[:_FAILURE_CHARS]
        say(line)
        with suppress(OSError):  # there may be no space for it either
            (self._base / "output" / "failure").write_text(line, encoding="utf-8")
        return 1


def _is_full(error: BaseException) -> bool:
    """Whether a full disk is what an error comes from; a library may say so in words alone."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in _NO_SPACE or os.strerror(errno.ENOSPC) in str(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _load(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def say(line: str) -> None:
    """Write a line to the job's log."""
    print(line, flush=True)  # noqa: T201 -- standard output is the job's log


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: how its text is read, and what it may be."""

    read: Callable[[str], Any]
    default: Any = None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    """A bound that the value must exceed."""
    choices: tuple[Any, ...] = ()
    required: bool = False

    def problem(self, value: Any) -> str | None:
        """Why a value that could be read is not allowed."""
        if self.choices:
            wrong = [
                item for item in (value if isinstance(value, list) else [value]) if item not in self.choices
            ]
            return f"{wrong[0]} is not in {list(self.choices)}" if wrong else None
        outside = (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
        )
        return f"{value} is not in {self._range()}" if outside else None

    def _range(self) -> str:
        start = (
            f"({self.above}"
            if self.above is not None
            else f"[{self.low}"
            if self.low is not None
            else "(-inf"
        )
        return f"{start}, {self.high}]" if self.high is not None else f"{start}, +inf)"


def positive(default: int | None = None, high: int | None = None) -> Parameter:
    """A whole number from 1 on."""
    return Parameter(int, default, low=1, high=high)


def boolean(text: str) -> bool:
    """True or False, in any case."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def validate(raw: dict[str, str], known: dict[str, Parameter]) -> dict[str, Any]:
    """The values of the hyperparameters, with defaults; raises UserError for the first that is wrong."""
    for name, parameter in known.items():
        if parameter.required and name not in raw:
            raise UserError(f"Missing required hyperparameter: {name}")
    values = {name: item.default for name, item in known.items() if item.default is not None}
    for name, text in raw.items():
        if name not in known:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = known[name].read(text)
        except ValueError as error:
            raise UserError(f"Hyperparameter {name}: could not parse value {text!r}") from error
        problem = known[name].problem(values[name])
        if problem is not None:
            raise UserError(f"Hyperparameter {name}: {problem}")
    return values
