"""From the parameters of a request to a blueprint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from botocore.exceptions import ClientError

from localaws.cloudformation.blueprint import Blueprint, draw_blueprint
from localaws.cloudformation.model import Stack
from localaws.cloudformation.parameters import resolve_parameters
from localaws.cloudformation.scopes import Place
from localaws.cloudformation.template import Template, TemplateError
from localaws.cloudformation.types import Types
from localaws.service import NotEmulated
from localaws.world import World

_INLINE_LIMIT = 51_200
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(\.cn)?")
_NOT_EMULATED = {
    "NotificationARNs": "NotificationARNs: stack events are not sent to topics; the option",
    "ResourceTypes": "ResourceTypes",
    "ResourcesToImport": "ResourcesToImport",
    "StackPolicyBody": "StackPolicyBody",
    "StackPolicyURL": "StackPolicyURL",
    "StackPolicyDuringUpdateBody": "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL": "StackPolicyDuringUpdateURL",
    "TimeoutInMinutes": "TimeoutInMinutes",
}


def refuse_unknown_options(params: Mapping[str, Any]) -> None:
    """Raise NotEmulated for an option that would have an effect on AWS and has none here.

    ImportExistingResources, which the CDK command always sets to bootstrap, is let through: where it would
    import a resource, its creation fails because it exists.
    """
    for name, what in _NOT_EMULATED.items():
        if params.get(name):
            raise NotEmulated(f"CloudFormation's {what}")
    if (params.get("RollbackConfiguration") or {}).get("RollbackTriggers"):
        raise NotEmulated("CloudFormation's RollbackConfiguration with triggers")
    mode = (params.get("DeploymentConfig") or {}).get("Mode", "STANDARD")
    if mode != "STANDARD":
        raise NotEmulated(f"CloudFormation's deployment mode {mode}")
    if params.get("DeploymentMode", "STANDARD") != "STANDARD":
        raise NotEmulated(f"CloudFormation's DeploymentMode {params['DeploymentMode']}")


def read_template(params: Mapping[str, Any], world: World, account: str, region: str) -> Template | None:
    """The template that a request gives as TemplateBody or TemplateURL, or None."""
    if params.get("TemplateURL"):
        return Template.parse(fetch_template(params["TemplateURL"], world, account, region))
    body = params.get("TemplateBody")
    if body is None:
        return None
    if len(body.encode()) > _INLINE_LIMIT:
        raise TemplateError(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must "
            f"have length less than or equal to {_INLINE_LIMIT}: upload it to S3 and give TemplateURL"
        )
    return Template.parse(body)


def fetch_template(url: str, world: World, account: str, region: str) -> str:
    """The text of a template in S3; raises TemplateError when the URL leads nowhere.

    `url` may name the bucket in the path (of S3 or of this embedded AWS) or in the host.
    """
    parts = urlparse(url)
    path = unquote(parts.path).lstrip("/")
    in_host = _VIRTUAL_HOST.fullmatch(parts.netloc)
    bucket, _, key = (in_host["bucket"], "", path) if in_host else path.partition("/")
    if not bucket or not key:
        raise TemplateError("TemplateURL must be a supported URL.")
    try:
        found = world.client("s3", account, region).get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        raise TemplateError(f"S3 error: {error.response['Error']['Message']} ({url})") from error
    return str(found["Body"].read().decode())


def blueprint_of(params: Mapping[str, Any], stack: Stack, place: Place, types: Types) -> Blueprint:
    """The blueprint that a request to create or update `stack` describes; raises AwsError for a wrong one."""
    refuse_unknown_options(params)
    deployed = stack.blueprint
    template = read_template(params, place.world, place.account, place.region)
    if template is None:
        if not params.get("UsePreviousTemplate") or deployed is None:
            raise TemplateError("Either Template URL or Template Body must be specified.")
        template = deployed.template
    given = params.get("Parameters") or []
    previous = deployed.parameters if deployed else {}
    parameters = resolve_parameters(template, given, previous, place.read_ssm)
    if "Tags" in params or deployed is None:
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
    else:
        tags = dict(deployed.tags)
    blueprint = draw_blueprint(template, parameters, tags, params.get("Capabilities") or [], place, types)
    _refuse_other_types(stack, blueprint)
    return blueprint


def _refuse_other_types(stack: Stack, blueprint: Blueprint) -> None:
    other = [
        name
        for name in blueprint.needs
        if name in stack.resources
        and stack.resources[name].exists
        and stack.resources[name].type_name != blueprint.template.resources[name]["Type"]
    ]
    if other:
        raise TemplateError(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(other)}]"
        )
