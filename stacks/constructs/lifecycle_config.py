"""Lifecycle configurations of Studio's apps and notebook instances, from lifecycle_scripts/."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import lifecycle, names
from atelier.spec.lifecycle import SCRIPTS, digest, encode, render
from atelier.spec.model import TeamEnvironment
from atelier.spec.studio import Notebook, StudioApp
from stacks.constructs.studio_settings import APPS
from stacks.team_stack import tags

PROJECT = SCRIPTS.parent


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
    scripts, given = lifecycle.of_notebook(notebook, settings(spec))
    return cdk.CfnResource(
        scope,
        f"Lifecycle-{name}",
        type="AWS::SageMaker::NotebookInstanceLifecycleConfig",
        properties={
            "NotebookInstanceLifecycleConfigName": names.notebook(spec.team, spec.name, name),
            # No OnCreate: the system's disk is new at every start, so that everything must run then anyway.
            "OnStart": [{"Content": encode(render(scripts, given))}],
        },
    )


def settings(spec: TeamEnvironment) -> dict[str, str]:
    """What the team file gives the scripts, by variable."""
    bucket = names.bucket(spec.team, spec.name, "data", spec.account, spec.region)
    return lifecycle.settings(bucket, spec.studio, PROJECT)
