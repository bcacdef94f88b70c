"""Which environment a command is about, and the AWS clients that reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from atelier.cli.errors import CliError, point_at_embedded
from atelier.spec import TeamEnvironment, load_teams, names, team_files
from atelier.spec.problems import choose

TEAMS = Path("teams")

TeamOption = Annotated[str | None, typer.Option("--team", help="A team of teams/; the only one, if omitted.")]
EnvOption = Annotated[
    str | None, typer.Option("--env", help="One of its environments; the only one, if omitted.")
]

# The longest call is a start of a run, which lists the data first; a repeated start is the same run.
CONFIG = Config(read_timeout=330, connect_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})


@dataclass(frozen=True)
class Target:
    """An environment and the way to it."""

    spec: TeamEnvironment
    options: str = ""
    """The options that chose it, to be repeated in a command that a message proposes: ` --team vision`."""
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def label(self) -> str:
        """How people call it: `vision-dev`."""
        return names.stage(self.spec.team, self.spec.name)

    def client(self, service: str) -> Any:
        """A boto3 client of a service in the environment's region, with the shell's credentials."""
        with self._lock:
            if service not in self._clients:
                session = boto3.session.Session(region_name=self.spec.region)
                try:
                    self._clients[service] = session.client(service, config=CONFIG)
                except ValueError as error:
                    # boto3 has no error of its own for an AWS_ENDPOINT_URL that is no URL.
                    raise CliError(
                        f"{error}: set AWS_ENDPOINT_URL to a URL such as http://127.0.0.1:4566, or unset it"
                    ) from error
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of one of the environment's resources, such as `stateMachine:vision-dev-train-curve`."""
        partition = boto3.session.Session().get_partition_for_region(self.spec.region)
        return f"arn:{partition}:{service}:{self.spec.region}:{self.spec.account}:{resource}"

    def check_job(self, job: str) -> None:
        """Raise a CliError that names the jobs there are unless `job` is one."""
        self._check("job", job, list(self.spec.jobs))

    def check_endpoint(self, endpoint: str) -> None:
        """Raise a CliError that names the endpoints there are unless `endpoint` is one."""
        self._check("endpoint", endpoint, list(self.spec.endpoints))

    def _check(self, kind: str, name: str, known: list[str]) -> None:
        if name not in known:
            remedy = choose(name, known, nothing=f"declare it in teams/{self.spec.team}.yaml")
            raise CliError(f"{self.label} has no {kind} {name!r}: {remedy}")

    def proposal(self, command: str) -> str:
        """A command of ours to type, such as `atelier approve curve/3 --team vision`."""
        return f"`atelier {command}{self.options}`"

    def wrong_account(self) -> CliError | None:
        """The error for credentials of an account that the environment does not live in, if they are."""
        try:
            account = self.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError):
            return None
        if account == self.spec.account:
            return None
        return CliError(
            f"the credentials are of account {account}, but {self.label} lives in {self.spec.account}: "
            f"switch to credentials of that account{point_at_embedded()}"
        )

    def not_deployed(self, what: str) -> CliError:
        """The error for something that should be there and is not: undeployed, or another account's."""
        deploy = f"npx cdk deploy '{self.label}/*' -c team={self.spec.team} -c env={self.spec.name}"
        return self.wrong_account() or CliError(
            f"{what} is not in account {self.spec.account}, {self.spec.region}: deploy it with  {deploy}"
            f"{point_at_embedded()}"
        )


def choose_target(team: str | None, env: str | None, *, by_option: bool = True) -> Target:
    """The environment of these names; a name may be omitted where there is only one.

    `by_option` says that the command takes them as `--team` and `--env`, not as its two arguments.

    Raises:
        CliError: a name is omitted and there are several.
        SpecError: there is no such team or environment, or its file is wrong.
    """
    given = {"--team": team, "--env": env}
    options = "".join(f" {option} {name}" for option, name in given.items() if name)
    if team is None:
        known = [path.stem for path in team_files(TEAMS)]
        if len(known) > 1:
            raise CliError(f"which team? {'--team ' if by_option else ''}{' or '.join(known)}")
        team = known[0] if known else None
    environments = load_teams(TEAMS, team, env)
    if len(environments) > 1:
        known = [one.name for one in environments]
        raise CliError(f"which environment of {team}? {'--env ' if by_option else ''}{' or '.join(known)}")
    return Target(environments[0], options)
