"""`atelier record`: what a deployed environment can never change again, as CloudFormation has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias

import typer
from botocore.exceptions import ClientError

from atelier.cli import errors
from atelier.cli.errors import CliError
from atelier.cli.target import TEAMS, Target
from atelier.spec import TeamEnvironment, load_team, names, record
from atelier.spec.document import Steps, dotted
from atelier.spec.load import SUFFIX

Template: TypeAlias = Mapping[str, Any]

STACKS: tuple[names.StackKind, ...] = ("network", "studio", "notebooks")
"""The stacks that hold what cannot change."""

DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
"""The statuses in which a stack is as its template says."""

SIGN_IN = {"IAM": "iam", "SSO": "sso"}


def record_team(
    team: Annotated[str, typer.Argument(help="The team.")],
    env: Annotated[str | None, typer.Argument(help="The environment; all of the team's, if omitted.")] = None,
) -> None:
    """Write down what in a deployed environment must not change, so that a change is refused; commit it."""
    path = TEAMS / f"{team}{SUFFIX}"
    environments = load_team(path).environments
    if env is not None and env not in environments:
        raise CliError(f"team {team} has no environment {env}: {', '.join(sorted(environments))}")
    found = {
        name: deployed(name, [_template(Target(one), kind) for kind in STACKS])
        for name, one in environments.items()
        if env in {None, name}
    }
    written = record.write(path, found)
    typer.echo(f"{written}: written; commit it with {path.name}")
    for name in found:
        for line in _differing(path.name, environments[name], record.read(path)[name]):
            typer.echo(line)


def deployed(env: str, templates: list[Template]) -> dict[Steps, record.Fixed]:
    """What can never change in an environment, as the deployed templates of `STACKS` have it.

    The same as `atelier.spec.record.fixed` says of the team file that was deployed.
    """
    domains = list(_properties(templates, "AWS::SageMaker::Domain"))
    found: dict[Steps, record.Fixed] = {}
    if domains or any(_properties(templates, "AWS::SageMaker::NotebookInstance")):
        found |= _network(("environments", env, "network"), templates)
    for domain in domains:
        found["studio", "sign_in"] = SIGN_IN[domain["AuthMode"]]
    for user in _properties(templates, "AWS::SageMaker::UserProfile"):
        found["studio", "users", user["UserProfileName"], "sso_user"] = user.get("SingleSignOnUserValue")
    for space in _properties(templates, "AWS::SageMaker::Space"):
        at: Steps = ("studio", "spaces", space["SpaceName"])
        found[*at, "owner"] = space["OwnershipSettings"]["OwnerUserProfileName"]
        found[*at, "shared"] = space["SpaceSharingSettings"]["SharingType"] == "Shared"
    return found


def _network(at: Steps, templates: list[Template]) -> dict[Steps, record.Fixed]:
    for vpc in _properties(templates, "AWS::EC2::VPC"):
        return {(*at, "mode"): "created", (*at, "cidr"): vpc["CidrBlock"]}
    # One's own VPC is not ours to make: whatever lies in it names it, a reference to another stack apart.
    kinds = ("AWS::EC2::SecurityGroup", "AWS::SageMaker::Domain")
    named = (one.get("VpcId") for kind in kinds for one in _properties(templates, kind))
    vpcs = {(*at, "vpc"): vpc for vpc in named if isinstance(vpc, str)}
    return {(*at, "mode"): "existing", **vpcs, **_place_of_notebooks(at, templates)}


def _place_of_notebooks(at: Steps, templates: list[Template]) -> dict[Steps, record.Fixed]:
    """Where all notebook instances lie in one's own VPC; a group that was made here is a reference."""
    for notebook in _properties(templates, "AWS::SageMaker::NotebookInstance"):
        groups = [one for one in notebook["SecurityGroupIds"] if isinstance(one, str)]
        return {(*at, "subnets", 0): notebook["SubnetId"], (*at, "security_groups"): groups}
    return {}


def _properties(templates: list[Template], type_: str) -> Iterator[dict[str, Any]]:
    """The properties of all resources of a type."""
    for template in templates:
        for resource in template["Resources"].values():
            if resource["Type"] == type_:
                yield resource.get("Properties", {})


def _template(target: Target, kind: names.StackKind) -> Template:
    """The template with which a stack is deployed.

    Raises:
        CliError: it is not deployed, or not as its template says.
    """
    cloudformation = target.client("cloudformation")
    name = names.stack(target.spec.team, target.spec.name, kind)
    try:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in errors.message(error):
            raise target.not_deployed(f"stack {name}") from error
        raise
    if wrong := target.wrong_account():
        raise wrong
    if status not in DEPLOYED:
        raise CliError(f"stack {name} is in {status}: deploy it first, then record it")
    body = cloudformation.get_template(StackName=name)["TemplateBody"]
    template: Template = json.loads(body) if isinstance(body, str) else body
    return template


def _differing(file: str, spec: TeamEnvironment, recorded: Mapping[str, record.Fixed]) -> Iterator[str]:
    """A line for each place where the team file is not what is deployed."""
    now = record.fixed(spec.name, spec.network, spec.studio, notebooks=bool(spec.notebooks))
    for at, value, gone in record.changed(recorded, now):
        yield (
            f"{file} differs from what is deployed: {dotted(at)} is {value} there and {now[at]} in the"
            f" file; {gone} would be replaced, so the file is refused until it says {value}"
        )
