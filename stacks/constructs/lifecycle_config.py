"""Lifecycle configurations of Studio's apps and notebook instances, from lifecycle_scripts/."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from atelier.spec.studio import Notebook, StudioApp
from stacks.constructs.lifecycle_script import SCRIPTS, digest, encode, render
from stacks.constructs.studio_settings import APPS
from stacks.team_stack import tags

PROJECT = SCRIPTS.parent
TEAM_PREFIX = "team/"
"""The folder of the data bucket that mount_team_prefix copies."""
AUTO_STOP = "auto_stop"


def studio_config(
    scope: Construct, spec: TeamEnvironment, app: StudioApp, scripts: Sequence[str]
) -> cdk.CfnResource:
    """What runs when an app starts; its ARN is the attribute `StudioLifecycleConfigArn`.

    SageMaker changes neither the content of a configuration nor its tags. The name ends in a digest of both,
    so that CloudFormation makes a new one beside the old, points the domain at it and then removes the old.
    """
    script = render(scripts, settings(spec))
    version = digest(script, json.dumps(tags(spec), sort_keys=True))
    return cdk.CfnResource(
        scope,
        f"Lifecycle-{app}",
        type="AWS::SageMaker::StudioLifecycleConfig",
        properties={
            "StudioLifecycleConfigName": names.lifecycle_config(spec.team, spec.name, app, version),
            "StudioLifecycleConfigAppType": APPS[app],
            "StudioLifecycleConfigContent": encode(script),
        },
    )


def notebook_config(
    scope: Construct, spec: TeamEnvironment, name: str, notebook: Notebook
) -> cdk.CfnResource:
    """What runs whenever a notebook instance starts, its creation included; `auto_stop` always does.

    It keeps its name: SageMaker changes its content in place and runs it at the next start, while another
    name would stop the instance under the hands of whoever works on it.
    """
    scripts = [*(one for one in notebook.lifecycle if one != AUTO_STOP), AUTO_STOP]
    own = {"ATELIER_IDLE_MINUTES": str(notebook.idle_minutes), "ATELIER_OWNER": notebook.owner or ""}
    return cdk.CfnResource(
        scope,
        f"Lifecycle-{name}",
        type="AWS::SageMaker::NotebookInstanceLifecycleConfig",
        properties={
            "NotebookInstanceLifecycleConfigName": names.notebook(spec.team, spec.name, name),
            # No OnCreate: the system's disk is new at every start, so that everything must run then anyway.
            "OnStart": [{"Content": encode(render(scripts, settings(spec) | own))}],
        },
    )


def settings(spec: TeamEnvironment) -> dict[str, str]:
    """What the team file gives the scripts, by variable; what it leaves out is not there."""
    bucket = names.bucket(spec.team, spec.name, "data", spec.account, spec.region)
    found = {"ATELIER_TEAM_PREFIX": f"s3://{bucket}/{TEAM_PREFIX}"}
    if spec.studio is not None:
        studio = spec.studio
        people = [
            f"{name}|{user.git_email or ''}|{user.git_name or ''}"
            for name, user in studio.users.items()
            if user.git_email or user.git_name
        ]
        packages = PROJECT / studio.packages if studio.packages else None
        found |= {
            "ATELIER_IDENTITIES": "\n".join(people),
            "ATELIER_PACKAGES": packages.read_text(encoding="utf-8").strip() if packages else "",
            "ATELIER_REPOSITORIES": "\n".join(studio.repositories),
        }
    return {variable: value for variable, value in found.items() if value}
