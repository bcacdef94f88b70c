"""Many environments, and a large one: what they cost to synthesize, how long AWS takes to make one.

Synthesis in the processors' time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import chain
from benchmarks.measure import Figure, largest_megabytes, ratio, worked
from benchmarks.synth import EMPTY_APP

ROOT = Path(__file__).resolve().parent.parent
TEAM, ENVIRONMENT = "research", "dev"
"""The example with everything switched on."""

MANY = 200
ENVIRONMENTS_A_TEAM = 2


def figures() -> list[Figure]:
    """A full environment against an empty stack, two hundred against one hundred, the longest chain."""
    with tempfile.TemporaryDirectory() as scratch:
        return [*_full(Path(scratch)), _linear(Path(scratch)), _longest_chain(Path(scratch))]


def _full(folder: Path) -> list[Figure]:
    def synth(*more: str) -> float:
        command = [
            "node_modules/.bin/cdk",
            "synth",
            "--quiet",
            "--no-notices",
            "--output",
            str(folder / "out"),
        ]
        return worked(lambda: _run([*command, *more]))

    return [
        ratio(
            "cdk synth of an environment with everything ÷ an empty stack",
            2.5,
            lambda: synth("-c", f"team={TEAM}", "-c", f"env={ENVIRONMENT}"),
            lambda: synth("--app", f"{sys.executable} {EMPTY_APP}"),
        )
    ]


def _linear(folder: Path) -> Figure:
    """Two runs of the first half around one of both: these take more than a minute."""
    text = (ROOT / "teams/vision.yaml").read_text(encoding="utf-8")
    half, whole = folder / "half", folder / "whole"
    for teams, count in ((half, MANY // 2), (whole, MANY)):
        teams.mkdir()
        for number in range(count // ENVIRONMENTS_A_TEAM):
            team = text.replace("team: vision", f"team: team{number}")
            (teams / f"team{number}.yaml").write_text(team, encoding="utf-8")
    nothing = worked(lambda: _run([sys.executable, str(EMPTY_APP)]))

    def synth(teams: Path) -> float:
        return worked(lambda: _app(folder / f"{teams.name}.out", teams=str(teams))) - nothing

    # Before and after, since even the processors' time changes with what else they do.
    before, both, after = synth(half), synth(whole), synth(half)
    first = (before + after) / 2
    second = both - first
    return Figure(
        f"synth of the second {MANY // 2} environments ÷ of the first",
        second / first,
        1.2,
        "x",
        f"{second:.1f} s against {first:.1f} s; the largest process {largest_megabytes():.0f} MB",
    )


def _longest_chain(folder: Path) -> Figure:
    _app(folder / "one.out", team=TEAM, env=ENVIRONMENT)
    templates = chain.read(folder / "one.out")
    divided, referred = templates.as_divided(), templates.as_referred()
    return Figure(
        "time that AWS takes to make it, in stacks ÷ by references alone",
        divided.seconds / referred.seconds,
        2.0,
        "x",
        f"{divided.seconds} s against {referred.seconds} s: {chain.shown(templates, divided)}",
    )


def _app(output: Path, **context: str) -> None:
    _run([sys.executable, "app.py"], {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)})


def _run(command: list[str], variables: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=ROOT, env=os.environ | (variables or {}), check=True, capture_output=True)
