"""Which of AWS's services an environment reaches from its network, and how their endpoints are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atelier.spec.model import TeamEnvironment

RUNNING = ("ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sts")
"""What every container uses: images, keys, logs, metrics, its own description, its credentials."""
WORKING = (*RUNNING, "lambda", "sagemaker.runtime", "ssm", "states")
"""What people use besides: to ask endpoints, to start runs and to follow them."""

SERVICES: Mapping[str, Sequence[str]] = {
    "jobs": RUNNING,
    "endpoints": RUNNING,
    "studio": (*WORKING, "events", "studio"),  # events: notebooks that run on a schedule
    "notebooks": (*WORKING, "notebook"),
    "repositories": ("secretsmanager",),  # where Git's credentials are
    "codecommit": ("codecommit", "git-codecommit"),
    "project templates": ("servicecatalog",),
}
"""The services that each feature calls from inside of the network.

An interface endpoint is paid for each hour, zone and gigabyte; S3's gateway endpoint costs nothing.
"""
GATEWAY = "s3"
WEB = ("notebook", "studio")
"""Endpoints of SageMaker's web interfaces, named otherwise than all others."""

_IMAGES = frozenset({"ecr.api", "ecr.dkr"})
_SAGEMAKER = frozenset({"sagemaker.api", "sagemaker.runtime"})
_CHINA = _IMAGES | _SAGEMAKER | {"lambda", "monitoring", "servicecatalog", "states", "sts"}
_ELSEWHERE: Mapping[str, tuple[str, frozenset[str]]] = {
    "cn-north-1": ("cn.com.amazonaws", _CHINA),
    "cn-northwest-1": ("cn.com.amazonaws", _CHINA),
    "eu-isoe-west-1": ("uk.adc-e.cloud", _IMAGES),
    "eusc-de-east-1": ("eu.amazonaws", _IMAGES),
    "us-iso-east-1": ("gov.ic.c2s", _IMAGES | _SAGEMAKER),
    "us-isob-east-1": ("gov.sgov.sc2s", _IMAGES | _SAGEMAKER),
    "us-isof-east-1": ("gov.ic.hci.csp", _IMAGES),
    "us-isof-south-1": ("gov.ic.hci.csp", _IMAGES),
}
"""The regions in which some services are named otherwise, with these services and how their names begin."""


def services_of(spec: TeamEnvironment) -> list[str]:
    """The services that the environment's features call, S3 aside, sorted; see SERVICES."""
    repositories = [
        *(spec.studio.repositories if spec.studio else ()),
        *(notebook.repository for notebook in spec.notebooks.values() if notebook.repository),
    ]
    used = {
        "jobs": bool(spec.jobs),
        "endpoints": bool(spec.endpoints),
        "studio": spec.studio is not None,
        "notebooks": bool(spec.notebooks),
        "repositories": bool(repositories),
        "codecommit": any("git-codecommit." in url for url in repositories),
        "project templates": spec.studio is not None and spec.studio.project_templates,
    }
    return sorted(
        {service for feature, services in SERVICES.items() if used[feature] for service in services}
    )


def service_name(service: str, region: str) -> str:
    """What EC2 calls a service in a region: `com.amazonaws.eu-west-1.sts`."""
    if service in WEB:
        return f"aws.sagemaker.{region}.{service}"
    prefix, services = _ELSEWHERE.get(region, ("", frozenset()))
    return f"{prefix if service in services else 'com.amazonaws'}.{region}.{service}"
