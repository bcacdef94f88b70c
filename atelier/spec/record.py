"""What of a deployed environment cannot change any more, on record beside the team file.

`teams/vision.record.json` is written by `atelier record vision` once an environment is deployed, and is
committed. From then on a team file that would have Studio's domain, a user, a space or a notebook instance
replaced, with what people keep there, is refused while it is read: CloudFormation would try, and lose it or
fail half-way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from atelier.spec.document import Steps, dotted
from atelier.spec.model import TeamEnvironment
from atelier.spec.network import Network
from atelier.spec.studio import Studio

Fixed: TypeAlias = "str | bool | list[str] | None"
Record: TypeAlias = dict[str, dict[str, Fixed]]
"""By environment and place in the team file: the value with which it was deployed."""

_NETWORK = "the VPC, and with it Studio's domain and the notebook instances"
_NOTEBOOKS = "the notebook instances, with their volumes"
REPLACED = {
    "mode": _NETWORK,
    "cidr": _NETWORK,
    "vpc": _NETWORK,
    "security_groups": _NOTEBOOKS,
    "subnets": _NOTEBOOKS,
    "sign_in": "the domain, with the home folders of all its users",
    "users": "the user's profile, with the home folder",
    "spaces": "the space, with its volume",
}
"""What goes with a change, by the key of an environment's network or of Studio under which it stands."""


def file_of(team_file: Path) -> Path:
    """Where the record of a team file lies."""
    return team_file.with_suffix(".record.json")


def read(team_file: Path) -> Record:
    """The record of a team file; empty when there is none."""
    path = file_of(team_file)
    recorded: Record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return recorded


def write(team_file: Path, environments: Mapping[str, Mapping[Steps, Fixed]]) -> Path:
    """Record what is fixed in these environments; others stay on record as they are."""
    new = {env: {dotted(at): value for at, value in fixed.items()} for env, fixed in environments.items()}
    path = file_of(team_file)
    path.write_text(json.dumps(read(team_file) | new, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def missing(team_file: Path, environments: Iterable[TeamEnvironment]) -> Iterator[str]:
    """A word on environments that hold what people make and of which nothing is on record yet."""
    recorded = read(team_file)
    for one in environments:
        if (one.studio or one.notebooks) and one.name not in recorded:
            yield (
                f"environments.{one.name}: a change that replaces what people made is refused only once it is"
                f" on record; after the deployment, run  atelier record {one.team} {one.name}"
            )


def fixed(env: str, network: Network, studio: Studio | None, *, notebooks: bool) -> dict[Steps, Fixed]:
    """What can never change in an environment, by its place in the team file."""
    found: dict[Steps, Fixed] = {}
    if studio or notebooks:
        at: Steps = ("environments", env, "network")
        found |= {
            (*at, "mode"): network.mode,
            **({(*at, "cidr"): network.cidr} if network.mode == "created" else {}),
            **({(*at, "vpc"): network.vpc} if network.mode == "existing" else {}),
        }
        if notebooks and network.mode == "existing" and network.subnets:
            # Each lies in the first subnet, and SageMaker moves none to another subnet or security group.
            found[*at, "subnets", 0] = network.subnets[0]
            found[*at, "security_groups"] = network.security_groups
    if studio:
        found["studio", "sign_in"] = studio.sign_in
        for name, user in studio.users.items():
            found["studio", "users", name, "sso_user"] = user.sso_user
        for name, space in studio.spaces.items():
            found["studio", "spaces", name, "owner"] = space.owner
            found["studio", "spaces", name, "shared"] = space.shared
    return found


def changed(recorded: Mapping[str, Fixed], now: Mapping[Steps, Fixed]) -> Iterator[tuple[Steps, Fixed, str]]:
    """The places where `now` differs from the record: what stands there on record, and what would go.

    What is not on record yet, or not in the file any more, is no change.
    """
    for at, value in now.items():
        place = dotted(at)
        if place in recorded and recorded[place] != value:
            part = at[3] if at[0] == "environments" else at[1]
            yield at, recorded[place], REPLACED[str(part)]
