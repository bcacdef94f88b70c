"""Which team and endpoint a job belongs to, and that team cut down to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atelier.demo.journey import JourneyError
from atelier.spec import TeamEnvironment, document, load_teams, team_files
from atelier.spec.load import SUFFIX
from atelier.spec.problems import choose

FIRST_TEAM = "vision"
"""The team that shows a job which several have: the simplest."""


@dataclass(frozen=True)
class Selection:
    """One job of one team in one environment."""

    spec: TeamEnvironment
    """With that job alone, and what belongs to it."""
    job: str
    endpoint: str | None
    """The endpoint that serves the job's models, if any."""
    teams: Path
    """A folder with the team's file, cut down so."""


def select(project: Path, folder: Path, job: str, team: str | None, env: str) -> Selection:
    """Find `job`, also when it is called as its script folder is, and write its team's file to `folder`.

    Raises:
        SpecError: the team files are wrong, or there is no such environment.
        JourneyError: no team has the job, or several do and `team` is not given.
    """
    contents = {
        path.stem: document.read(path).plain()
        for path in team_files(project / "teams")
        if team in {None, path.stem}
    }
    name = job.replace("_", "-")
    found = [one for one, content in contents.items() if name in _part(content, "jobs")]
    if not found:
        known = {known for content in contents.values() for known in _part(content, "jobs")}
        where = f"team {team} has" if team else "no team has"
        remedy = choose(name, known, nothing="write it into teams/")
        raise JourneyError(f"{where} {'no ' if team else 'a '}job {name!r}: {remedy}")
    if len(found) > 1 and FIRST_TEAM not in found:
        raise JourneyError(f"several teams have a job {name!r}: --team {' or '.join(found)}")
    chosen = FIRST_TEAM if FIRST_TEAM in found else found[0]
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and leaves no value to be read as another type.
    (folder / f"{chosen}{SUFFIX}").write_text(json.dumps(cut_down(contents[chosen], name), indent=1))
    [spec] = load_teams(folder, team=chosen, env=env, root=project)
    return Selection(spec, name, next(iter(spec.endpoints), None), folder)


def cut_down(content: Mapping[str, Any], job: str) -> dict[str, Any]:
    """The content of a team file with one job, its endpoints, and the images that something still names."""
    kept = {"jobs": {job}, "endpoints": _endpoints(content, job)}
    environments = {
        name: {**one, "override": _only(one["override"], kept)} if one.get("override") else one
        for name, one in content["environments"].items()
    }
    cut = {**_only(content, kept), "environments": environments}
    written = json.dumps([cut.get("jobs"), cut.get("studio"), environments])
    images = {name: one for name, one in _part(content, "images").items() if json.dumps(name) in written}
    # The further variants of an endpoint are other jobs' models.
    endpoints = {
        name: {key: value for key, value in one.items() if key != "variants"}
        for name, one in _part(cut, "endpoints").items()
    }
    return {**cut, "images": images, "endpoints": endpoints}


def _endpoints(content: Mapping[str, Any], job: str) -> set[str]:
    """The endpoints of a job, in the file or in an environment's override alone."""
    places = [content, *((one.get("override") or {}) for one in content["environments"].values())]
    return {
        name
        for place in places
        for name, one in _part(place, "endpoints").items()
        if one and one.get("job") == job
    }


def _only(content: Mapping[str, Any], kept: Mapping[str, set[str]]) -> dict[str, Any]:
    """The content with what is kept of some parts."""
    cut = dict(content)
    for key in kept.keys() & content.keys():
        cut[key] = {name: one for name, one in _part(content, key).items() if name in kept[key]}
    return cut


def _part(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    return content.get(key) or {}
