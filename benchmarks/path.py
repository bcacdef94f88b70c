"""The main job: how long the demo takes, and what the path costs over the script and the server it runs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

from atelier.demo import points
from atelier.demo.journey import Journey
from benchmarks.deployed import CACHE, ROOT, deployed
from benchmarks.measure import ROUNDS, Figure, median, timed
from localaws.sagemaker.environments import Environments

SCRIPT = ROOT / "training_scripts" / "curve_sklearn"


def figures() -> list[Figure]:
    """The demo's time and memory, and the path's overhead."""
    memory: list[float] = []

    def demo() -> float:
        took = timed(lambda: subprocess.run(["atelier", "demo"], cwd=ROOT, check=True, capture_output=True))
        summary = json.loads((ROOT / "build/demo/summary.json").read_text(encoding="utf-8"))
        memory.append(summary["embedded_aws_megabytes"])
        return took

    return [
        median("make demo, after set-up", 90, "s", demo),
        Figure("the embedded AWS after the demo", statistics.median(memory), 300, "MB", "resident memory"),
        _overhead(),
    ]


def _overhead() -> Figure:
    with tempfile.TemporaryDirectory() as scratch, deployed(Path(scratch), "vision") as vision:
        journey = Journey(vision.spec, "curve", "curve", vision.client)
        folder = Path(scratch) / "alone"
        _path(journey, folder, seed=0)  # creates the endpoint; the rounds update it
        rounds = []
        for seed in range(1, ROUNDS + 1):
            path = timed(lambda seed=seed: _path(journey, folder, seed))  # type: ignore[misc]
            rounds.append((path, timed(lambda: _script_alone(folder)), timed(lambda: _model_alone(folder))))
        path, script, model = (statistics.median(part) for part in zip(*rounds, strict=True))
    detail = f"{path:.2f} s; the script alone {script:.2f} s, loading the model alone {model:.2f} s"
    what = "upload to answered prediction, over script and server start"
    return Figure(what, path - script - model, 3.0, "s", detail)


def _path(journey: Journey, folder: Path, seed: int) -> None:
    data = points.generate(seed)
    began = journey.upload({name: data[name] for name in ("validation", "train")}, folder)
    for execution in (journey.training_run(began), journey.deployment(began)):
        while (status := _status(journey, execution)) == "RUNNING":
            time.sleep(0.05)
        if status != "SUCCEEDED":
            raise RuntimeError(f"{execution} {status}")
    journey.predict_json([100.0])


def _status(journey: Journey, execution: str) -> str:
    return str(journey.client("stepfunctions").describe_execution(executionArn=execution)["status"])


def _script_alone(folder: Path) -> None:
    """The training script in its environment, on the data just uploaded."""
    folders = {"SM_MODEL_DIR": str(folder / "model"), "SM_OUTPUT_DIR": str(folder / "output")}
    for name in ("train", "validation"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "points.csv").write_bytes((folder / f"{name}.csv").read_bytes())
        folders[f"SM_CHANNEL_{name.upper()}"] = str(folder / name)
    arguments = ["--hidden_layers", "5", "--units", "10", "--max_iter", "2000"]
    command = [_python(), "train.py", *arguments]
    subprocess.run(command, cwd=SCRIPT, env=os.environ | folders, check=True, capture_output=True)


def _model_alone(folder: Path) -> None:
    """What a server must do before it answers: import the script and load the model."""
    load = f"import inference; inference.model_fn({str(folder / 'model')!r})"
    subprocess.run([_python(), "-c", load], cwd=SCRIPT, check=True, capture_output=True)


@cache
def _python() -> str:
    return str(
        Environments(CACHE).python((SCRIPT / "requirements.txt").read_text(encoding="utf-8"), lambda _: None)
    )
