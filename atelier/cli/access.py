"""`atelier access`: who may do what in an environment, in a table that people can read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import unquote

import typer
from botocore.exceptions import ClientError
from rich.text import Text

from atelier.cli import errors
from atelier.cli.errors import CliError
from atelier.cli.permission_words import Words, words
from atelier.cli.tables import new_table, show
from atelier.cli.target import Target, choose_target
from atelier.policies import Document, Environments
from atelier.spec import names

SYNTHESIZED = Path("cdk.out")
APP = Path("app.py")
EVERYBODY = "whoever creates"
GUARDRAILS = "Guardrails"


@dataclass(frozen=True)
class Row:
    """What a role may do with a service, or may never do."""

    role: str
    service: str
    may: str
    never: str
    on: str
    condition: str


def access(
    team: Annotated[str | None, typer.Argument(help="A team of teams/; the only one, if omitted.")] = None,
    env: Annotated[str | None, typer.Argument(help="One of its environments.")] = None,
    role: Annotated[
        str | None, typer.Option(help="Only roles with this in their name, such as reviewer.")
    ] = None,
    deployed: Annotated[bool, typer.Option("--deployed", help="Ask IAM, not the templates.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show who may do what in an environment: every role, by its policies."""
    target = choose_target(team, env, by_option=False)
    policies = _deployed(target) if deployed else _synthesized(target)
    rows = [row for row in _rows(policies) if role is None or role in row.role or row.role == EVERYBODY]
    if role is not None and all(row.role == EVERYBODY for row in rows):
        known = ", ".join(sorted({known for known, _, _ in policies}))
        raise CliError(f"{target.label} has no role with {role!r} in its name; there are {known}")
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _show(rows)


Named = tuple[str, str, Document]
"""A role's name, the name of one of its policies, and the policy."""


def _synthesized(target: Target) -> list[Named]:
    """The policies of the templates in cdk.out, or of new ones where those are older than the files."""
    if _is_current(SYNTHESIZED, target):
        return _of(Environments(SYNTHESIZED), target.label)
    if not APP.is_file():
        raise CliError("there is no app.py here: run it in the project's folder, or ask IAM with --deployed")
    with tempfile.TemporaryDirectory() as folder:
        context = {"team": target.spec.team, "env": target.spec.name}
        done = subprocess.run(
            [sys.executable, str(APP)],
            env=os.environ | {"CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps(context)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CliError(f"the templates could not be made: {done.stderr[-2000:].strip()}")
        return _of(Environments(Path(folder)), target.label)


def _is_current(folder: Path, target: Target) -> bool:
    """Whether a folder has the environment's templates, made after all that they are made of was changed."""
    manifest = folder / f"assembly-{target.label}/manifest.json"
    if not manifest.is_file():
        return False
    folders = ("stacks", "atelier/spec", "lambdas")
    sources = [one for folder in folders for one in Path(folder).rglob("*.py")]
    sources.append(Path("teams") / f"{target.spec.team}.yaml")
    return manifest.stat().st_mtime > max(one.stat().st_mtime for one in sources)


def _of(environments: Environments, stage: str) -> list[Named]:
    return [
        (role.name, policy.name, policy.document or _only_named(policy.name))
        for role in environments.roles(stage)
        for policy in role.policies
    ]


def _only_named(policy: str) -> Document:
    """A policy of AWS's, which is not in the templates: said by its name."""
    name = policy.rpartition("/")[2]
    return {
        "Statement": [
            {"Effect": "Allow", "Action": f"iam:What {name} allows", "Resource": "within its boundary"}
        ]
    }


def _deployed(target: Target) -> list[Named]:
    """The policies of the roles that the environment's stacks have, as IAM has them now."""
    iam = target.client("iam")
    found = []
    for role in _roles(target):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            found.append((role, name, _document(document)))
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            found.append((role, _logical(attached["PolicyName"], target), _document(document)))
    if not found:
        raise target.not_deployed(f"environment {target.label}")
    return found


def _roles(target: Target) -> Iterator[str]:
    """The names of the roles in the environment's stacks, those stacks left out that it does not have."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources")
    for kind in get_args(names.StackKind):
        try:
            for page in pages.paginate(StackName=names.stack(target.spec.team, target.spec.name, kind)):
                for one in page["StackResourceSummaries"]:
                    if one["ResourceType"] == "AWS::IAM::Role":
                        yield one["PhysicalResourceId"]
        except ClientError as error:
            if "does not exist" not in errors.message(error):
                raise


def _logical(policy: str, target: Target) -> str:
    """`vision-dev-access-Guardrailsjobs…` as the templates call it, `Guardrailsjobs…`."""
    return policy.removeprefix(f"{target.label}-access-")


def _document(document: Any) -> Document:
    decoded: Document = json.loads(unquote(document)) if isinstance(document, str) else document
    return decoded


def _rows(policies: Iterable[Named]) -> list[Row]:
    """A row for each service of each statement; what the guardrails deny stands once, for everybody."""
    rows: dict[Row, None] = {}
    for role, name, document in policies:
        who = EVERYBODY if name.startswith(GUARDRAILS) else role
        statements = document["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            for said in words(statement):
                rows[_row(who, said)] = None
    return sorted(rows, key=lambda row: (row.role == EVERYBODY, row.role, row.service, row.never))


def _row(role: str, said: Words) -> Row:
    return Row(role, said.service, said.may, said.never, said.on, said.condition)


def _show(rows: list[Row]) -> None:
    table = new_table()
    for column in ("role", "service"):
        table.add_column(column, no_wrap=True)
    for column in ("may", "on", "if"):
        table.add_column(column, overflow="fold")
    before = ""
    for row in rows:
        role = Text("" if row.role == before else row.role, "bold")
        action = Text(f"never {row.never}", "red") if row.never else Text(row.may)
        table.add_row(role, row.service, action, Text(row.on), Text(row.condition))
        before = row.role
    show(table)
