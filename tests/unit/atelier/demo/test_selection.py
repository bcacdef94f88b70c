"""Which team a job belongs to, and that team cut down to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from atelier.demo.journey import JourneyError
from atelier.demo.selection import cut_down, select

ROOT = Path(__file__).parents[4]
CONTENT: dict[str, Any] = {
    "team": "one",
    "environments": {
        "dev": {},
        "prod": {
            "override": {"jobs": {"a": {}, "b": {}}, "endpoints": {"late": {"job": "a"}}, "studio": None}
        },
    },
    "images": {"used": {}, "lab": {}, "spare": {}},
    "jobs": {"a": {"image": "used"}, "b": {}},
    "endpoints": {"a": {"job": "a"}, "b": {"job": "b"}},
    "studio": {"images": {"lab": {"image": "lab"}}},
}  # fmt: skip


def test_a_team_is_cut_down_to_one_job() -> None:
    """Its endpoints stay, those of an override too, and the images that something still names."""
    cut = cut_down(CONTENT, "a")
    assert cut["jobs"] == {"a": {"image": "used"}}
    assert cut["endpoints"] == {"a": {"job": "a"}}
    assert set(cut["images"]) == {"used", "lab"}
    assert cut["environments"]["prod"]["override"] == {
        "jobs": {"a": {}},
        "endpoints": {"late": {"job": "a"}},
        "studio": None,
    }
    assert cut["studio"] == CONTENT["studio"]


@pytest.mark.parametrize(
    ("asked", "team", "job", "endpoint"),
    [
        ("curve", "vision", "curve", "curve"),
        ("topics_blazingtext", "language", "topics-blazingtext", "topics-blazingtext"),
        ("iris-tuned", "lab", "iris-tuned", None),
    ],
)
def test_a_job_is_found_among_the_example_teams(tmp_path, asked, team, job, endpoint) -> None:
    """Also when it is called as its folder is; of several teams that have it, the simplest shows it."""
    selected = select(ROOT, tmp_path / "teams", asked, None, "dev")
    assert (selected.spec.team, selected.job, selected.endpoint) == (team, job, endpoint)
    assert list(selected.spec.jobs) == [job]
    assert json.loads((selected.teams / f"{team}.yaml").read_text())["team"] == team


@pytest.mark.parametrize(
    ("job", "team", "said"), [("curv", None, "did you mean curve"), ("curve", "lab", "team lab has no job")]
)
def test_a_job_that_nobody_has_is_refused(tmp_path, job, team, said) -> None:
    """With the nearest that somebody has."""
    with pytest.raises(JourneyError, match=said):
        select(ROOT, tmp_path, job, team, "dev")
