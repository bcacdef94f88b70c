"""What IAM refuses whoever asks, in the words of SageMaker's condition keys.

All of it denies, so that no policy can allow it again. A list of allowed types is a denial of
`ForAnyValue:StringNotLike`, which a request that names no type would slip through: hence the `Null: true`
beside it. The two say what `ForAllValues:StringLike` and `Null: false` say where something is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from atelier.spec import instances
from atelier.spec.disks import has_local_disks
from atelier.spec.model import TeamEnvironment
from stacks.constructs.permission import Permission

Theme: TypeAlias = Literal["jobs", "endpoints", "workplaces"]
"""What guardrails are about; those of one theme fill one policy."""
THEMES: tuple[Theme, ...] = get_args(Theme)

TRAINING = (
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
)
JOBS = (*TRAINING, "sagemaker:CreateTransformJob")
CONFIGS = ("sagemaker:CreateEndpointConfig",)
MODELS = ("sagemaker:CreateModel",)
APPS = ("sagemaker:CreateApp",)
STUDIO = (*APPS, "sagemaker:CreateSpace", "sagemaker:UpdateSpace")
DOMAINS = ("sagemaker:CreateDomain", "sagemaker:UpdateDomain")
NOTEBOOKS = ("sagemaker:CreateNotebookInstance",)
NOTEBOOK_CHANGES = (*NOTEBOOKS, "sagemaker:UpdateNotebookInstance")

TYPES = "sagemaker:InstanceTypes"
SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Place:
    """The subnets and security groups that jobs and models run in; the ids may be tokens."""

    subnets: Sequence[str]
    security_groups: Sequence[str]

    @property
    def vpc_config(self) -> dict[str, list[str]]:
        """The `VpcConfig` of a job or model there."""
        return {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}


def guardrails(theme: Theme, spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    """The denials of one theme; `place` is None where the environment has no network."""
    match theme:
        case "jobs":
            return _of_jobs(spec, place)
        case "endpoints":
            return _of_endpoints(spec, place)
        case "workplaces":
            return _of_workplaces(spec)


def keep_tags(spec: TeamEnvironment) -> list[Permission]:
    """Nobody tags a way out of the team, or into it: whose something is stays as it was created."""
    return [
        _deny(
            "KeepTags",
            ["sagemaker:DeleteTags"],
            {"ForAnyValue:StringEquals": {"aws:TagKeys": ["team", "environment"]}},
        ),
        *(
            _deny(
                f"Keep{tag.title()}",
                ["sagemaker:AddTags"],
                {
                    "Null": {f"aws:RequestTag/{tag}": "false"},
                    "StringNotEquals": {f"aws:RequestTag/{tag}": value},
                },
            )
            for tag, value in _own(spec).items()
        ),
    ]


def own_tags(spec: TeamEnvironment, key: str) -> dict[str, str]:
    """The tags that say whose something is, below `key` such as `aws:ResourceTag`."""
    return {f"{key}/{tag}": value for tag, value in _own(spec).items()}


def _of_jobs(spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    limits = spec.guardrails
    permissions = [
        *_only_types("Job", JOBS, limits.training_instances),
        _deny("JobWithoutType", JOBS, _missing(TYPES)),
        _without_key("JobVolumeWithoutKey", JOBS, limits.training_instances, "training"),
        _deny("JobOutputWithoutKey", JOBS, _missing("sagemaker:OutputKmsKey")),
        _deny("JobTrafficInClear", TRAINING, _not("sagemaker:InterContainerTrafficEncryption", "true")),
        *_tagged("Job", JOBS, spec),
    ]
    if limits.max_runtime_minutes is not None:
        runtime = "sagemaker:MaxRuntimeInSeconds"
        most = str(limits.max_runtime_minutes * SECONDS)
        permissions += [
            _deny("JobTooLong", TRAINING, {"NumericGreaterThan": {runtime: most}}),
            _deny("JobWithoutLimit", TRAINING, _missing(runtime)),
        ]
    if limits.network_isolation:
        permissions.append(_deny("JobWithNetwork", TRAINING, _not("sagemaker:NetworkIsolation", "true")))
    if limits.require_vpc:
        permissions += _in_place("Job", TRAINING, place)
    return permissions


def _of_endpoints(spec: TeamEnvironment, place: Place | None) -> list[Permission]:
    limits = spec.guardrails
    permissions = [
        *_only_types("Endpoint", CONFIGS, limits.endpoint_instances),
        # A serverless one has no instance.
        _deny("EndpointWithoutType", CONFIGS, _missing(TYPES, "sagemaker:ServerlessMemorySize")),
        _without_key("EndpointVolumeWithoutKey", CONFIGS, limits.endpoint_instances, "hosting"),
        *_tagged("Endpoint", (*CONFIGS, *MODELS, "sagemaker:CreateEndpoint"), spec),
        *keep_tags(spec),
    ]
    if limits.network_isolation:
        permissions.append(_deny("ModelWithNetwork", MODELS, _not("sagemaker:NetworkIsolation", "true")))
    if limits.require_vpc:
        permissions += _in_place("Model", MODELS, place)
    return permissions


def _of_workplaces(spec: TeamEnvironment) -> list[Permission]:
    limits = spec.guardrails
    permissions = [
        # `system` is where those apps run that need no instance.
        *_only_types("Studio", STUDIO, limits.studio_instances and [*limits.studio_instances, "system"]),
        _deny("AppWithoutType", APPS, _missing(TYPES)),
        *_only_types("Notebook", NOTEBOOK_CHANGES, limits.notebook_instances),
        _deny("NotebookVolumeWithoutKey", NOTEBOOKS, _missing("sagemaker:VolumeKmsKey")),
        _deny("NotebookOnInternet", NOTEBOOKS, _unless("sagemaker:DirectInternetAccess", "Disabled")),
        *_tagged("Notebook", NOTEBOOKS, spec),
    ]
    for sid, key, value in (
        ("NotebookWithRoot", "sagemaker:RootAccess", "Disabled"),
        ("NotebookWithImdsV1", "sagemaker:MinimumInstanceMetadataServiceVersion", "2"),
    ):
        permissions.append(_deny(sid, NOTEBOOKS, _unless(key, value)))
        # A change names what it changes and nothing else.
        changed = {**_unless(key, value), "Null": {key: "false"}}
        permissions.append(_deny(f"{sid}Now", NOTEBOOK_CHANGES[1:], changed))
    if spec.studio is not None and spec.studio.internet == "vpc_only":
        access = "sagemaker:AppNetworkAccessType"
        changed = {**_unless(access, "VpcOnly"), "Null": {access: "false"}}
        permissions += [
            _deny("StudioOnInternet", DOMAINS[:1], _unless(access, "VpcOnly")),
            _deny("StudioOnInternetNow", DOMAINS[1:], changed),
        ]
    return permissions


def _only_types(what: str, actions: Sequence[str], allowed: Sequence[str] | None) -> list[Permission]:
    if allowed is None:
        return []
    return [_deny(f"{what}TypeNotAllowed", actions, {"ForAnyValue:StringNotLike": {TYPES: list(allowed)}})]


def _without_key(
    sid: str, actions: Sequence[str], allowed: Sequence[str] | None, use: instances.Use
) -> Permission:
    """Types with encrypted disks of their own take no key for their volumes, and are left alone."""
    candidates = sorted(instances.families(use)) if allowed is None else allowed
    disks = [one for one in candidates if has_local_disks(one)]
    others = {"ForAnyValue:StringNotLike": {TYPES: disks}} if disks else {}
    return _deny(sid, actions, {**_missing("sagemaker:VolumeKmsKey"), **others})


def _in_place(what: str, actions: Sequence[str], place: Place | None) -> list[Permission]:
    subnets, groups = "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
    permissions = [
        _deny(f"{what}WithoutSubnet", actions, _missing(subnets)),
        _deny(f"{what}WithoutSecurityGroup", actions, _missing(groups)),
    ]
    if place is not None:
        permissions += [
            _deny(f"{what}In{name}NotOwn", actions, {"ForAnyValue:StringNotEquals": {key: list(own)}})
            for name, key, own in (
                ("Subnet", subnets, place.subnets),
                ("SecurityGroup", groups, place.security_groups),
            )
        ]
    return permissions


def _tagged(what: str, actions: Sequence[str], spec: TeamEnvironment) -> list[Permission]:
    """What is created says at once whose it is."""
    return [
        _deny(f"{what}Without{tag.title()}", actions, _unless(f"aws:RequestTag/{tag}", value))
        for tag, value in _own(spec).items()
    ]


def _missing(*keys: str) -> dict[str, Any]:
    """None of the keys is in the request."""
    return {"Null": dict.fromkeys(keys, "true")}


def _unless(key: str, value: str) -> dict[str, Any]:
    """The key is missing or has another value."""
    return {"StringNotEquals": {key: value}}


def _not(key: str, value: str) -> dict[str, Any]:
    """The same for a key that is true or false."""
    opposite = {"true": "false", "false": "true"}[value]
    return {"BoolIfExists": {key: opposite}}


def _own(spec: TeamEnvironment) -> dict[str, str]:
    return {"team": spec.team, "environment": spec.name}


def _deny(sid: str, actions: Sequence[str], conditions: Mapping[str, Any]) -> Permission:
    return Permission(
        sid=sid,
        effect="Deny",
        actions=actions,
        resources=["*"],
        conditions=conditions,
        because="a denial of what the environment's guardrails exclude",
    )
