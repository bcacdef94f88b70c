"""`cdk synth`: what an environment costs over an empty stack, and what other teams' files cost a team.

In the processors' time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, ratio, worked

ROOT = Path(__file__).resolve().parent.parent
EMPTY_APP = Path(__file__).with_name("empty_app.py")
OTHERS = 200


def figures() -> list[Figure]:
    """The two ratios of synthesis."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        one, many = folder / "one", folder / "many"
        for teams in (one, many):
            teams.mkdir()
            shutil.copy(ROOT / "teams" / "vision.yaml", teams)
        text = (ROOT / "teams" / "vision.yaml").read_text(encoding="utf-8")
        for number in range(OTHERS - 1):
            name = f"team{number}"
            (many / f"{name}.yaml").write_text(
                text.replace("team: vision", f"team: {name}"), encoding="utf-8"
            )

        def app_with(teams: Path) -> float:
            return worked(lambda: _synth(folder, [], [f"teams={teams}", "team=vision", "env=dev"]))

        def empty() -> float:
            return worked(lambda: _synth(folder, ["--app", f"{sys.executable} {EMPTY_APP}"], []))

        return [
            ratio("cdk synth of an environment ÷ an empty stack", 2.0, lambda: app_with(one), empty),
            ratio(
                f"one team's synth with {OTHERS} team files ÷ with one",
                1.15,
                lambda: app_with(many),
                lambda: app_with(one),
            ),
        ]


def _synth(folder: Path, app: list[str], context: list[str]) -> None:
    settings = [part for entry in context for part in ("-c", entry)]
    command = ["node_modules/.bin/cdk", "synth", "--quiet", "--no-notices", "--output", str(folder / "out")]
    subprocess.run([*command, *app, *settings], cwd=ROOT, check=True, capture_output=True)
