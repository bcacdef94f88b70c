"""`atelier train --sweep`: one run for each value, at the same time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

from rich.console import Console
from rich.text import Text

from atelier.cli.errors import CliError
from atelier.cli.runs import FAILED_STYLE, READERS, STYLES
from atelier.cli.target import Target

MOST_RUNS = 100
POLL_SECONDS = 1.0


def combinations(swept: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination of the values of each hyperparameter.

    Raises:
        CliError: there are too many of them to be meant.
    """
    found = [dict(zip(swept, values, strict=True)) for values in product(*swept.values())]
    if len(found) > MOST_RUNS:
        raise CliError(f"--sweep: {len(found)} combinations, and {MOST_RUNS} runs at most: give fewer values")
    return found


def start_all(
    start: Callable[[dict[str, Any]], dict[str, str]], asked: Sequence[dict[str, Any]]
) -> list[dict[str, str]]:
    """Start a run for each, none waiting for another; what was answered, in the same order."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(start, asked))


def wait_for_all(
    console: Console, target: Target, started: Sequence[tuple[str, dict[str, str]]]
) -> list[dict[str, Any]]:
    """Print how each run ends, as it ends; `started` has what tells it apart, and its execution.

    Returns:
        The outputs of those that succeeded, in the same order.
    """
    states = target.client("stepfunctions")
    waiting = {answer["execution"]: what for what, answer in started}
    outputs: dict[str, dict[str, Any]] = {}
    while waiting:
        for execution in list(waiting):
            described = states.describe_execution(executionArn=execution)
            if described["status"] == "RUNNING":
                continue
            what = waiting.pop(execution)
            status = described["status"]
            if status == "SUCCEEDED":
                outputs[execution] = json.loads(described["output"])
            line = Text(f"{what}: {status.lower()}  ", STYLES.get(status, FAILED_STYLE))
            console.print(line.append(_said(described)), soft_wrap=True)
        if waiting:
            time.sleep(POLL_SECONDS)
    return [outputs[answer["execution"]] for _, answer in started if answer["execution"] in outputs]


def _said(described: Mapping[str, Any]) -> str:
    """Its metrics, or the first line of why it failed."""
    if described["status"] == "SUCCEEDED":
        metrics = json.loads(described["output"]).get("metrics", {})
        return ", ".join(f"{name} {value:.6g}" for name, value in metrics.items())
    error: str = described.get("error", "")
    return next(iter(described.get("cause", "").splitlines()), error)
