"""What a script owes the container it runs in, and what the container owes the script.

    parameters = contract.parameters(__file__)     # hyperparameters.json + command line
    data = read(contract.channel("train"))
    contract.report("validation:rmse", 151.2)      # one line of the log, which the metric definitions match
    with contract.saving() as folder:              # the model folder has all of it or nothing
        save(folder / "model.joblib")

    if __name__ == "__main__":
        contract.run(main)                         # an error becomes one line in output/failure

In a container the folders are those of the `SM_*` variables or below /opt/ml; by hand they are
`data/<channel>`, `model`, `output/data` and `checkpoints` of the current folder. Standard library only,
Python 3.8 or newer: this file lies in each script's folder and runs in whatever the image brings.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import hashlib
import http
import importlib.metadata
import json
import math
import os
import platform
import random
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, NoReturn, overload

CODE = Path(__file__).absolute().parent
"""The script's folder. This file is linked into it, so the link is not followed."""

DECLARATION = "hyperparameters.json"
MANIFEST = "manifest.json"
REQUIREMENTS = "requirements.txt"
FAILURE_CHARS = 1_000
"""SageMaker shows the first 1,024 characters of output/failure, some of them its own."""

# The launchers' own: `sagemaker_…`, `_tuning_objective_metric`, the model_dir of TensorFlow's estimator.
_LAUNCHER = re.compile(r"sagemaker_.*|_.*|model_dir")
_NOT_DATA = {"code", "sm_drivers"}  # channels that the SDK's third generation brings the script with
_NOT_SERVED = {"train.py", "prepare.py", "example.py"}
_HASHED_BYTES = 2**30
_BLOCK_BYTES = 4096
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
# What torch and TensorFlow raise: by name, since neither is imported here; and what torch says in other
# errors, of its own memory and of a data loader's process that the system has killed.
_OUT_OF_MEMORY = {"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"}
_NO_MEMORY = re.compile(rf"{os.strerror(errno.ENOMEM)}|killed by signal: (Killed|Bus error)", re.IGNORECASE)

_parameters: dict[str, Any] = {}
_metrics: dict[str, float] = {}


class ScriptError(Exception):
    """The script cannot go on. The message is one line: what, where, which value, what to do."""

    exit_code = 1


class UserError(ScriptError):
    """The data or a hyperparameter is wrong: whoever started the run can mend it."""

    exit_code = 10


class AlgorithmError(ScriptError):
    """The script or the training itself went wrong: whoever wrote the script can mend it."""

    exit_code = 20


class PlatformError(ScriptError):
    """The machine does not suffice: memory, disk, GPU."""

    exit_code = 30


# Hyperparameters


def parameters(
    script: str | Path, arguments: Sequence[str] | None = None, *, declaration: str = DECLARATION
) -> argparse.Namespace:
    """The hyperparameters that the script's `hyperparameters.json` declares, as the command line gives them.

    A prepare.py has arguments of its own, declared in the same form: `declaration="prepare.json"`.

    Takes what both generations of the SageMaker SDK pass: `--key value`, `-k value`, `True` and `true`,
    values as they are or as JSON; what the launcher adds for itself is passed over.

    Raises:
        UserError: an unknown name, a missing, mistyped or disallowed value.
    """
    declared = json.loads((Path(script).parent / declaration).read_text(encoding="utf-8"))
    given = _pairs(sys.argv[1:] if arguments is None else arguments)
    parser = _Parser(description=f"Hyperparameters of {Path(script).parent.name}.", allow_abbrev=False)
    for name, facts in declared.items():
        parser.add_argument(
            f"--{name}",
            type=partial(parse, name, facts),
            default=facts.get("default"),
            required="default" not in facts,
            metavar=facts["type"].upper(),
            help=f"{facts.get('help', '')} (default: {facts.get('default')})".replace("%", "%%"),
        )
    known, unknown = parser.parse_known_args(given)
    for argument in unknown:
        name = argument.lstrip("-").partition("=")[0]
        if not _LAUNCHER.fullmatch(name):
            raise UserError(f"hyperparameter {name!r} is unknown: {_suggestion(name, declared)}")
    _parameters.clear()
    _parameters.update(vars(known))
    return known


def parse(name: str, declaration: dict[str, Any], text: str) -> Any:
    """One hyperparameter's value from its text; a UserError names hyperparameter, value and bound."""
    kind = declaration["type"]
    try:
        value = _KINDS[kind](text)
    except (ValueError, KeyError, OverflowError):
        raise UserError(f"hyperparameter {name}: {text[:40]!r} is not of type {kind}") from None
    if "minimum" in declaration and value < declaration["minimum"]:
        raise UserError(f"hyperparameter {name}: {value} is below its minimum of {declaration['minimum']}")
    if "maximum" in declaration and value > declaration["maximum"]:
        raise UserError(f"hyperparameter {name}: {value} is above its maximum of {declaration['maximum']}")
    choices = declaration.get("choices")
    if choices is not None and value not in choices:
        raise UserError(f"hyperparameter {name}: {value!r} is none of {', '.join(map(str, choices))}")
    return value


class _Parser(argparse.ArgumentParser):
    """Complains with a UserError instead of usage and exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"hyperparameters: {message}")


def _pairs(arguments: Sequence[str]) -> list[str]:
    """`--key=value` for each pair, so that a value may begin with a dash."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        option = f"--{argument.lstrip('-')}" if argument.startswith("-") else argument
        if option == "--help" or "=" in option or not argument.startswith("-"):
            joined.append(option)
            continue
        value = next(rest, None)
        joined.append(option if value is None else f"{option}={value}")
    return joined


def _suggestion(name: str, declared: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, declared, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(declared)}"


def _unquoted(text: str) -> str:
    """A JSON string's content; any other text as it is."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        with suppress(ValueError):
            return str(json.loads(text))
    return text


def _integer(text: str) -> int:
    plain = _unquoted(text)
    try:
        return int(plain)
    except ValueError:
        value = float(plain)
        if value != int(value):
            raise
        return int(value)


def _number(text: str) -> float:
    value = float(_unquoted(text))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[_unquoted(text).lower()]


_KINDS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _unquoted,
}


# Folders


@overload
def channel(name: str) -> Path: ...
@overload
def channel(name: str, *, required: Literal[True]) -> Path: ...
@overload
def channel(name: str, *, required: bool) -> Path | None: ...
def channel(name: str, *, required: bool = True) -> Path | None:
    """The folder of an input channel.

    Returns:
        None for a channel that is absent and not required.

    Raises:
        UserError: the channel is required and absent.
    """
    base = _base()
    inside = base / "input" / "data" / name if base else Path("data", name)
    folder = Path(os.environ.get(f"SM_CHANNEL_{name.upper()}", inside))
    if folder.is_dir():
        return folder
    if required:
        remedy = "name it under `channels` of the job" if base else f"put its files into {folder}"
        raise UserError(f"channel {name!r} is missing: {remedy}")
    return None


def model_dir() -> Path:
    """The folder whose content becomes the model; write to it through `saving()`."""
    return _folder("SM_MODEL_DIR", "model")


def output_dir() -> Path:
    """The folder for what else the run brings forth: histories, pictures. It becomes output.tar.gz."""
    return _folder("SM_OUTPUT_DATA_DIR", "output/data")


def checkpoint_dir() -> Path:
    """The folder that is kept beside S3 while the script runs, and is back when a stopped run goes on."""
    return _folder("SM_CHECKPOINT_DIR", "checkpoints")


def prepare_input(name: str) -> Path:
    """The folder of a preparation's input; by hand `data/<name>`.

    Raises:
        UserError: it is absent.
    """
    base = _base()
    folder = base / "processing" / "input" / name if base else Path("data", name)
    if not folder.is_dir():
        remedy = "name it under `prepare.inputs` of the job" if base else f"put its files into {folder}"
        raise UserError(f"input {name!r} is missing: {remedy}")
    return folder


def prepare_output(channel_name: str) -> Path:
    """The folder that a preparation fills for a channel of the training; by hand `data/<channel>`."""
    base = _base()
    folder = base / "processing" / "output" / channel_name if base else Path("data", channel_name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable, (_base() or Path()) / name))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _base() -> Path | None:
    """The container's /opt/ml; None when the script is run by hand."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    # Jobs have the first, processing jobs the second; a notebook's /opt/ml has neither.
    return base if any((base / name).is_dir() for name in ("input/config", "config")) else None


def check_resumable(
    epoch: int, then: dict[str, Any], now: dict[str, Any], *, free: Iterable[str] = ("epochs",)
) -> None:
    """Let a run go on from a checkpoint only where the manifest would be true of all that it trained.

    Args:
        epoch: the last epoch that the checkpoint's run has trained.
        then: the hyperparameters of that run.
        now: those of this run, `epochs` among them.
        free: those that may differ; `epochs` as long as there are not fewer than have been trained.

    Raises:
        UserError: another hyperparameter differs, or this run has fewer epochs.
    """
    differing = [name for name in now if name not in set(free) and then.get(name) != now[name]]
    if epoch > now["epochs"]:
        differing.append("epochs")
    if differing:
        changes = ", ".join(f"{name} {then.get(name)} then, {now[name]} now" for name in differing)
        raise UserError(
            f"the checkpoint is of a run with other hyperparameters ({changes}): remove the checkpoints"
        )


# Results


def seed(number: int) -> None:
    """Start every source of random numbers that is loaded: Python's, numpy's, torch's, TensorFlow's."""
    random.seed(number)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(number)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(number)
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(number)


def report(name: str, value: float) -> None:
    """Write a metric into the log, `name=value`: SageMaker finds it by `name=([-+0-9.eE]+)`.

    Raises:
        AlgorithmError: the value is no finite number; what comes after it would be of no use.
    """
    if not math.isfinite(value):
        raise AlgorithmError(f"metric {name} is {value}: the training diverged; lower the learning rate")
    _metrics[name] = float(value)
    print(f"{name}={value:.6g}", flush=True)


@contextmanager
def saving(*, serving_requirements: str | None = REQUIREMENTS) -> Iterator[Path]:
    """A folder for the model's files, which come into the model folder together once the block has ended.

    A manifest goes with them, and, where the script has an inference.py, the code that serves the model.

    Args:
        serving_requirements: the file of the packages that serving needs beside those of its image, if any.
    """
    target = model_dir()
    # Inside the model folder, since that may be a file system of its own: nothing is renamed across two.
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    try:
        yield partial
        _copy_serving_code(partial, serving_requirements)
        (partial / MANIFEST).write_text(json.dumps(_manifest(), indent=2) + "\n", encoding="utf-8")
        for item in sorted(partial.iterdir()):
            _replace(item, target / item.name)
    except Exception as error:
        if shutil.disk_usage(partial).free < _BLOCK_BYTES:  # not every library says why it cannot write
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file that comes to its place, whole, once the block has ended, and not at all after an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")  # which neither reads as data nor counts as a checkpoint
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _replace(item: Path, place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    item.replace(place)


def _copy_serving_code(model: Path, requirements: str | None) -> None:
    if not (CODE / "inference.py").is_file():
        return
    served = [path for path in CODE.glob("*.py") if path.name not in _NOT_SERVED]
    (model / "code").mkdir()
    for path in served:
        shutil.copyfile(path, model / "code" / path.name)
    if requirements and (CODE / requirements).is_file():
        shutil.copyfile(CODE / requirements, model / "code" / REQUIREMENTS)


def _manifest() -> dict[str, Any]:
    """What the model was made of: the same code, data and versions give the same lines."""
    return {
        "job": os.environ.get("TRAINING_JOB_NAME"),
        "code": digest(CODE, "*"),
        "data": {folder.name: digest(folder) for folder in _channels()},
        "hyperparameters": _parameters,
        "metrics": _metrics,
        "versions": _versions(),
    }


def _channels() -> list[Path]:
    named = [Path(value) for key, value in os.environ.items() if key.startswith("SM_CHANNEL_")]
    base = _base()
    folder = base / "input" / "data" if base else Path("data")
    found = named or (list(folder.iterdir()) if folder.is_dir() else [])
    return sorted(path for path in found if path.is_dir() and path.name not in _NOT_DATA)


def digest(folder: Path, pattern: str = "**/*") -> str:
    """A digest of a folder's files by place and content; past 1 GiB by place and size, which it says."""
    # Only regular files: a channel in Pipe mode is a FIFO, which can be read once.
    files = sorted(path for path in folder.glob(pattern) if path.is_file())
    large = sum(path.stat().st_size for path in files) > _HASHED_BYTES
    total = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        total.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        if not large:
            with path.open("rb") as file:
                while block := file.read(2**20):
                    total.update(block)
    return f"{'sizes' if large else 'sha256'}:{total.hexdigest()}"


def _versions() -> dict[str, str]:
    """The versions of Python and of what requirements.txt names."""
    versions = {"python": platform.python_version()}
    requirements = CODE / REQUIREMENTS
    lines = requirements.read_text(encoding="utf-8").splitlines() if requirements.is_file() else []
    for name in (match[0] for line in lines if (match := re.match(r"[A-Za-z0-9][\w.-]*", line.strip()))):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


# Serving


def refusal(status: int, message: str) -> Exception:
    """What a serving function raises for a request that it cannot answer: `raise contract.refusal(400, …)`.

    AWS's servers answer with the status of their toolkit's own error, and 500 for any other.
    """
    try:
        from sagemaker_inference.errors import BaseInferenceToolkitError  # noqa: PLC0415 -- theirs, in their images
    except ImportError:
        return Refused(status, message)
    return BaseInferenceToolkitError(status, message, http.HTTPStatus(status).phrase)  # type: ignore[no-any-return]


class Refused(Exception):
    """A request that cannot be answered, where AWS's toolkit is not installed."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


# The end


def run(main: Callable[[], None]) -> None:
    """Run `main`; whatever it raises ends in one line in output/failure and the exit code of its family.

    Exit codes: 10 for a UserError, 20 for an AlgorithmError and the unforeseen, 30 for a PlatformError.
    SageMaker stops a job with SIGTERM: that unwinds the script, so that nothing half written is left.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    failure = _failure_file()
    if _base() is None and os.environ.get("LOCAL_RANK", "0") == "0":
        failure.unlink(missing_ok=True)  # of an earlier run by hand; a container begins without one
    try:
        main()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it belongs to a family
        family = classify(error)
        if not isinstance(error, ScriptError):
            traceback.print_exc()
        line = " ".join(f"{type(family).__name__}: {family}".split())[:FAILURE_CHARS]
        print(line, file=sys.stderr, flush=True)
        # The first of several processes knows why; the others only see it gone. No space may be left for it.
        with suppress(OSError), failure.open("x", encoding="utf-8") as file:
            file.write(line)
        raise SystemExit(family.exit_code) from None


def classify(error: BaseException) -> ScriptError:
    """The family that an error belongs to, by itself or by what caused it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ScriptError):
            return cause
        if getattr(cause, "errno", None) in _NO_SPACE or os.strerror(errno.ENOSPC) in str(cause):
            place = f" for {name}" if (name := getattr(cause, "filename", None)) else ""
            return PlatformError(f"no space is left on the disk{place}: give the job a larger volume_gb")
        names = {kind.__name__ for kind in type(cause).__mro__}
        if names & _OUT_OF_MEMORY or _NO_MEMORY.search(str(cause)):
            return PlatformError(
                f"out of memory ({str(cause) or type(cause).__name__}): "
                "choose an instance with more memory, or smaller batches"
            )
        cause = cause.__cause__ or cause.__context__
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == CODE
    ]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return AlgorithmError(f"{type(error).__name__}: {error}{place}")


def _failure_file() -> Path:
    base = _base()
    if base and (base / "config").is_dir():
        return base / "output" / "message"  # what a processing job's ExitMessage shows
    return _folder("SM_OUTPUT_DIR", "output") / "failure"
