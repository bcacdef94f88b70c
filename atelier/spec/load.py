"""Loads team files: reads, merges each environment's override, validates, checks, fills in the defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from atelier.spec import checks, defaults, document, explain, record
from atelier.spec.document import Node
from atelier.spec.model import Team, TeamEnvironment, TeamFile
from atelier.spec.problems import Problem, SpecError, choose

SUFFIX = ".yaml"
OPTIONAL = {section for section, field in TeamFile.model_fields.items() if not field.is_required()}
"""What a file may leave out."""


def load_team(path: Path, root: Path | None = None) -> Team:
    """The team that the file `path` describes.

    `root` is the project's folder, which holds training_scripts/ and lifecycle_scripts/; the one above the
    file's own if omitted.

    Raises:
        SpecError: with everything that is wrong with the file.
    """
    path = Path(path)
    base = document.read(path)
    variants = {name: _variant(base, override) for name, override in _overrides(base).items()}
    found: list[Problem] = []
    files: dict[str, TeamFile] = {}
    project = root or path.absolute().parent.parent
    for name, variant in (variants or {"": base}).items():
        file, wrong, problems = _validated(path, variant)
        found += problems
        if file:
            files[name] = file
            found += checks.check(path, variant, file, name, project, wrong)
    if found:
        raise SpecError(found)
    environments = {name: defaults.environment(name, file) for name, file in files.items()}
    _compare([(path, environment) for environment in environments.values()])
    return Team(
        name=next(iter(files.values())).team,
        environments=environments,
        warnings=sorted(
            {
                *(warning for env in environments.values() for warning in checks.warnings(env, project)),
                *record.missing(path, environments.values()),
            }
        ),
    )


def load_teams(
    folder: Path, team: str | None = None, env: str | None = None, root: Path | None = None
) -> list[TeamEnvironment]:
    """The environments of the teams in `folder`, or of `team` alone; only those named `env`, if given.

    With `team`, no other team's file is read.

    Raises:
        SpecError: with everything that is wrong with the files read, or when nothing has these names.
    """
    teams = [load_team(path, root) for path in [_file_of(folder, team)]] if team else _all(folder, root)
    found = [
        environment
        for one in teams
        for environment in one.environments.values()
        if env in {None, environment.name}
    ]
    if not found:
        known = {name for one in teams for name in one.environments}
        reason = f"no environment is named {env}" if teams else "no team file is here"
        remedy = choose(env or "", known, nothing="write teams/<team>.yaml")
        raise SpecError(
            [Problem(_file_of(folder, team) if team else Path(folder), 0, 0, "", "", reason, remedy)]
        )
    return found


def load_to_deploy(
    folder: Path, team: str | None = None, env: str | None = None, root: Path | None = None
) -> list[TeamEnvironment]:
    """As `load_teams`, and the environments fit those of the folder's other files as well.

    Raises:
        SpecError: as `load_teams` and `check_together`.
    """
    found = load_teams(folder, team, env, root)
    check_together(((Path(folder) / f"{one.team}{SUFFIX}", one) for one in found), root)
    return found


def check_together(environments: Iterable[tuple[Path, TeamEnvironment]], root: Path | None = None) -> None:
    """Check environments, each with its file, against each other and those of the files beside.

    Of the files beside, only those are parsed that can matter as far as their text tells; what is wrong in
    them is not told here. `root` is the project's folder, as for `load_team`.

    Raises:
        SpecError: networks of one account and region overlap.
    """
    given = list(environments)
    _compare(given)
    networks = [spec for _, spec in given if spec.network.mode == "created"]
    beside = _beside({path for path, _ in given}) if networks else {}

    def others(matters: Callable[[str, TeamEnvironment], bool]) -> list[tuple[Path, TeamEnvironment]]:
        found = [path for path, text in beside.items() if any(matters(text, spec) for spec in networks)]
        return [(path, spec) for path in found for spec in _right(path, root)]

    if checks.overlaps(given, others(checks.may_overlap)):
        # The remedy proposes a range that no other network of the account has, so now all of them matter.
        raise SpecError(checks.overlaps(given, others(checks.may_share_account)))


def _compare(environments: Iterable[tuple[Path, TeamEnvironment]]) -> None:
    found = checks.overlaps(environments)
    if found:
        raise SpecError(found)


def _beside(files: AbstractSet[Path]) -> dict[Path, str]:
    """The other team files of their folders, with what they hold as far as it is text."""
    own = {(file.parent.resolve(), file.name) for file in files}
    folders = {file.parent.resolve(): file.parent for file in files}
    return {
        path: path.read_text(encoding="utf-8", errors="replace")
        for real, folder in folders.items()
        for path in sorted(folder.glob(f"*{SUFFIX}"))
        if (real, path.name) not in own and path.is_file()
    }


def _right(path: Path, root: Path | None) -> list[TeamEnvironment]:
    """The environments of a file; none if anything is wrong with it."""
    try:
        return list(load_team(path, root).environments.values())
    except SpecError:
        return []


def team_files(folder: Path) -> list[Path]:
    """The team files of a folder, by name.

    Raises:
        SpecError: there is no such folder, or a file in it ends in .yml.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SpecError([Problem(folder, 0, 0, "", "", "there is no such folder", "make teams/<team>.yaml")])
    misnamed = sorted(folder.glob("*.yml"))
    if misnamed:
        reason = f"a team file's name ends in {SUFFIX}"
        raise SpecError(
            Problem(path, 0, 0, "", "", reason, f"rename it to {path.stem}{SUFFIX}") for path in misnamed
        )
    return sorted(folder.glob(f"*{SUFFIX}"))


def _all(folder: Path, root: Path | None) -> list[Team]:
    teams: dict[Path, Team] = {}
    found: list[Problem] = []
    for path in team_files(folder):
        try:
            teams[path] = load_team(path, root)
        except SpecError as error:
            found += error.problems
    if found:
        raise SpecError(found)
    _compare((path, environment) for path, one in teams.items() for environment in one.environments.values())
    return list(teams.values())


def _file_of(folder: Path, team: str) -> Path:
    path = Path(folder) / f"{team}{SUFFIX}"
    if path.parent != Path(folder) or not path.is_file():
        known = [file.stem for file in team_files(folder)]
        remedy = choose(team, known, nothing=f"write {path}")
        raise SpecError([Problem(path, 0, 0, "", "", f"there is no team {team!r}", remedy)])
    return path


def _validated(path: Path, variant: Node) -> tuple[TeamFile | None, set[str], list[Problem]]:
    """The file as far as it fits the schema, the sections that do not and are left out, and why not.

    So that what is wrong elsewhere is told at once. No file when a section is wrong that must be there.
    """
    content = variant.plain()
    try:
        return TeamFile.model_validate(content), set(), []
    except ValidationError as error:
        problems = list(explain.problems(path, variant, error))
        wrong = {str(next(iter(details["loc"]), "")) for details in error.errors(include_url=False)}
    if not wrong <= OPTIONAL:
        return None, wrong, problems
    rest = {section: value for section, value in content.items() if section not in wrong}
    return TeamFile.model_validate(rest), wrong, problems


def _overrides(base: Node) -> dict[str, Node | None]:
    """Each environment's override as written, as far as the file has the shape for it."""
    environments = base.value.get("environments")
    if environments is None or not isinstance(environments.value, dict):
        return {}
    return {
        name: environment.value.get("override") if isinstance(environment.value, dict) else None
        for name, environment in environments.value.items()
    }


def _variant(base: Node, override: Node | None) -> Node:
    """The file as one environment sees it."""
    if override is None or not isinstance(override.value, dict):
        return base
    # What an override cannot change is left out here, and reported by the checks.
    kept = {key: node for key, node in override.value.items() if key not in checks.FIXED_BY_FILE}
    return document.merge(base, replace(override, value=kept))
