"""The file of a team with very many of everything."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

from stacks.app import PROJECT


def large(*, jobs: int, endpoints: int, notebooks: int, users: int) -> dict[str, Any]:
    """The example with everything switched on, with so many of each, whose names are as long as allowed."""
    file: dict[str, Any] = YAML(typ="safe").load(PROJECT / "teams/research.yaml")
    job, endpoint = file["jobs"]["curve"], file["endpoints"]["curve"]
    people = [f"somebody-with-a-name-{number:03}" for number in range(users)]
    file["environments"] = {"dev": file["environments"]["dev"]}
    file["jobs"] = {f"job-with-a-name-{number:04}": job for number in range(jobs)}
    file["endpoints"] = {
        f"answers-a-lot-{number:06}": endpoint
        | {"job": f"job-with-a-name-{number:04}", "scaling": {"max_instances": 4}}
        for number in range(endpoints)
    }
    personas = ["data_scientist", "data_scientist", "reviewer", "admin"]
    file["studio"] |= {
        "users": {user: {"persona": personas[at % len(personas)]} for at, user in enumerate(people)},
        "spaces": {f"room-of-{user}": {"owner": user} for user in people},
        "lifecycle": {"jupyterlab": ["install_packages"]},
    }
    notebook = file["notebooks"]["containers"] | {"owner": people[0]}
    file["notebooks"] = {f"works-alone-{number:08}": notebook for number in range(notebooks)}
    return file
