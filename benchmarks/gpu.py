"""On a GPU: samples a second in bf16 against fp32, and the share of time in which the GPU works.

    python -m benchmarks.gpu

Nothing is measured where `nvidia-smi` finds no GPU. The scripts run by themselves, in the environments of
their jobs, on their examples' data repeated until an epoch takes seconds.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.deployed import CACHE, ROOT
from benchmarks.measure import Figure
from localaws.sagemaker.environments import Environments

SCRIPTS = ROOT / "training_scripts"
SPEED = re.compile(r"train:samples_per_second=([0-9.e+]+)")
LOOK = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0")
LOOK_SECONDS = 0.2
EPOCHS = 4
"""The first, in which kernels are chosen and data come into memory, is not measured."""


@dataclass(frozen=True)
class Training:
    """A script that can train in two precisions."""

    script: str
    fp32: str
    bf16: str
    arguments: tuple[str, ...]
    """The same for both: much work for each step."""
    channels: tuple[str, ...]
    times: int
    """How often the example's samples are repeated."""


TRAININGS = (
    Training(
        "images_pytorch",
        "fp32",
        "bf16",
        ("--batch_size", "1024", "--width", "256", "--workers", "8"),
        ("train/images.npy", "train/labels.npy"),
        50,
    ),
    Training(
        "sentiment_tensorflow",
        "float32",
        "mixed_bfloat16",
        ("--batch_size", "512"),
        ("train/x_train.npy", "train/y_train.npy"),
        20,
    ),
)


def figures() -> Iterator[Figure]:
    """Time for a sample in bf16 as a share of that in fp32, for each script; none without a GPU."""
    if not has_gpu():
        return
    for training in TRAININGS:
        with tempfile.TemporaryDirectory() as scratch:
            python = _prepare(training, Path(scratch))
            single = _train(training, python, Path(scratch), training.fp32)
            half = _train(training, python, Path(scratch), training.bf16)
        yield Figure(
            f"{training.script} on a GPU: time for a sample in bf16 ÷ in fp32",
            single.speed / half.speed,
            1.0,
            "x",
            f"{half} against {single}",
        )


def has_gpu() -> bool:
    """Whether there is a GPU of NVIDIA's."""
    return (
        shutil.which(LOOK[0]) is not None
        and subprocess.run(LOOK, check=False, capture_output=True).returncode == 0
    )


@dataclass(frozen=True)
class _Speed:
    speed: float
    """Samples a second, in the median of the epochs but the first."""
    busy: float
    """Percent of the time of these epochs in which the GPU worked."""

    def __str__(self) -> str:
        return f"{self.speed:.0f} samples/s with the GPU at work {self.busy:.0f} % of the time"


def _prepare(training: Training, folder: Path) -> Path:
    """Write the channels into `folder`; the interpreter of the job's environment."""
    code = SCRIPTS / training.script
    _run(folder, code / "example.py", "data")
    if (code / "prepare.py").is_file():
        _run(folder, code / "prepare.py")
    for name in training.channels:
        path = folder / "data" / name
        samples = np.load(path)
        np.save(path, np.tile(samples, (training.times, *(1,) * (samples.ndim - 1))))
    requirements = (code / "requirements.txt").read_text(encoding="utf-8")
    # TensorFlow's package brings CUDA's libraries only when asked to; PyTorch's always does.
    requirements = requirements.replace("tensorflow==", "tensorflow[and-cuda]==")
    return Environments(CACHE).python(requirements, lambda line: print(line, file=sys.stderr))


def _train(training: Training, python: Path, folder: Path, precision: str) -> _Speed:
    """Train in `precision`, and watch the GPU from the end of the first epoch to that of the last."""
    for left in ("model", "checkpoints", "output"):
        shutil.rmtree(folder / left, ignore_errors=True)
    program = SCRIPTS / training.script / "train.py"
    options = ("--epochs", str(EPOCHS), "--precision", precision, *training.arguments)
    command = [str(python), "-u", str(program), *options]
    speeds: list[float] = []
    busy: list[float] = []
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(busy, ended))
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if found := SPEED.search(line):
                speeds.append(float(found[1]))
                if len(speeds) == 1:
                    watch.start()
                elif len(speeds) == EPOCHS:
                    ended.set()
    ended.set()
    if process.returncode or len(speeds) != EPOCHS:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(lines[-20:])}")
    watch.join()
    return _Speed(statistics.median(speeds[1:]), statistics.mean(busy))


def _watch(busy: list[float], ended: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS) or not busy:
        looked = subprocess.run(LOOK, capture_output=True, text=True, check=True)
        busy.append(float(looked.stdout))


def _run(folder: Path, *command: Path | str) -> None:
    subprocess.run([sys.executable, *map(str, command)], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if not has_gpu():
        sys.exit("no GPU: nvidia-smi finds none, and nothing is measured")
    for figure in figures():
        print(f"{figure.what}: {figure.measured:.2f} x ({figure.detail})", flush=True)
