"""An example team's environment, deployed by the CDK command to an embedded AWS of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from atelier import embedded
from atelier.demo.cdk import Cdk
from atelier.spec import TeamEnvironment, load_teams

ROOT = embedded.ROOT
CACHE = embedded.STATE / "cache"
ACCOUNT, REGION = "111122223333", "eu-west-1"


@dataclass(frozen=True)
class Deployed:
    """What stands: the environment, who to ask, and the server that answers."""

    spec: TeamEnvironment
    client: Callable[[str], Any]
    """Gives a boto3 client of a service, in the environment's account and region."""
    pid: int
    """The server's process."""


@contextmanager
def deployed(scratch: Path, team: str, teams: Path | None = None) -> Iterator[Deployed]:
    """The `dev` environment of a team of `teams` (the project's, if None), while the block runs."""
    with embedded.serve(scratch / "data", CACHE) as running:
        cdk = Cdk(ROOT, scratch, running.environment(ACCOUNT, REGION), team, "dev", teams)
        cdk.finish("bootstrap", cdk.bootstrap(ACCOUNT, REGION))
        cdk.finish("synth", cdk.synth())
        cdk.deploy()
        [spec] = load_teams(teams or ROOT / "teams", team=team, env="dev", root=ROOT)
        session = boto3.session.Session(ACCOUNT, "embedded", region_name=REGION)
        config = Config(s3={"addressing_style": "path"})

        @cache
        def client(service: str) -> Any:
            return session.client(service, endpoint_url=running.endpoint, config=config)

        yield Deployed(spec, client, running.pid)
