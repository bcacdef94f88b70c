"""A team with a hundred users and forty jobs: it deploys, and goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from atelier.demo.cdk import Cdk
from tests.large_team import large
from tests.local.environment import TeamEnvironment
from tests.local.inventory import inventory, more
from tests.local.whole import ACCOUNT

USERS, JOBS, ENDPOINTS = 100, 40, 20


def test_a_large_team_is_deployed_and_removed(cdk: Cdk, client: Callable[[str], Any], tmp_path: Path) -> None:
    """Each user has a profile and a space, each job and endpoint a state machine; nothing is left of them."""
    before = inventory(client, ACCOUNT)
    content = large(jobs=JOBS, endpoints=ENDPOINTS, notebooks=1, users=USERS)
    del content["studio"]["images"]  # which would have to be pushed in between
    file = tmp_path / "research.yaml"
    YAML().dump(content, file)
    team = TeamEnvironment.of(replace(cdk, logs=tmp_path, team="research"), file)
    assert team.synth().returncode == 0
    team.deploy()
    made = {kind: len(items) for kind, items in more(inventory(client, ACCOUNT), before).items()}
    assert made["sagemaker list_user_profiles"] == made["sagemaker list_spaces"] == USERS
    assert made["stepfunctions list_state_machines"] == JOBS + ENDPOINTS
    done = team.destroy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert more(inventory(client, ACCOUNT), before) == {}
