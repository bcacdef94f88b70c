"""What a platform engineer changes in a team's file, what `cdk diff` says of it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.local import effects
from tests.local.whole import Whole


@dataclass(frozen=True)
class Change:
    """One change of the file."""

    name: str
    patch: Mapping[str, Any]
    """Merged over the file: mappings key by key, everything else replaced, None removes."""
    says: frozenset[str]
    """All that `cdk diff` says: signs and constructs, as patterns."""
    effect: Callable[[Whole], None]
    """Asserts what services answer now."""
    before: Callable[[Whole], None] = lambda whole: None
    """What must be there first."""
    everywhere: bool = False
    """It is also about stacks in which the templates do not change."""


def _dev(**parts: Any) -> dict[str, Any]:
    return {"environments": {"dev": parts}}


POLICIES = "~ */Roles/Policy-*"
"""What people may do: policies that name what there is."""
LIMIT = "~ cost/Limit/Actions/Action0"
"""Whose jobs are stopped at the budget's limit."""

CHANGES = [
    Change(
        name="a third zone",
        patch=_dev(network={"zones": 3}),
        says=frozenset(
            {
                "+ network/Private3",
                "+ network/Private3Routes",
                "~ network/Endpoints/*",
                "~ access/Guardrails-*",
                "~ training/Train-curve/Machine",
                "~ serving/Deploy-curve/Machine",
                "~ studio/Domain",
            }
        ),
        effect=effects.a_third_zone,
    ),
    Change(
        name="one more name that may be reached",
        patch=_dev(network={"allow": ["pypi.org", "files.pythonhosted.org", "github.com", "huggingface.co"]}),
        says=frozenset({"~ network/Egress/Allowed"}),
        effect=effects.one_more_name,
    ),
    Change(
        name="no flow logs",
        patch=_dev(network={"flow_logs": False}),
        says=frozenset({"- data/Network/FlowLog", "- data/Network/FlowLogs", "- data/Network/Role"}),
        effect=effects.no_flow_logs,
    ),
    Change(
        name="another budget",
        patch=_dev(budget={"monthly_usd": 2500, "alerts": [60, 90]}),
        # CloudFormation makes a new budget when its alerts change; nothing of worth is in one.
        says=frozenset({"± cost/Limit/Budget", "± cost/Limit/Actions/Action0", "~ cost/Limit/Lift"}),
        effect=effects.another_budget,
    ),
    Change(
        name="a user more, and one less",
        before=effects.somebody_works,
        patch={"studio": {"users": {"alan": None, "tim": {"instances": ["ml.t3.medium"]}}}},
        says=frozenset(
            {
                "+ studio/User-tim",
                "+ studio/Roles/User-tim",
                "- studio/User-alan",
                "- studio/Roles/User-alan",
                "- studio/Roles/Policy-reviewer-*",
                "- people/Reviewer*",
                POLICIES,
                "~ studio/InDomain*",
                "~ studio/Domain",
                "~ studio/Workplaces",
                "~ people/DataScientistRole",
                LIMIT,
            }
        ),
        effect=effects.one_comes_one_goes,
    ),
    Change(
        name="idle minutes and volumes",
        patch={
            "studio": {
                "idle_minutes": {"default": 90, "min": 60, "max": 300},
                "storage_gb": {"default": 10, "max": 200},
                "users": {"grace": {"idle_minutes": {"max": 600}}},
            }
        },
        says=frozenset({"~ studio/Domain", "~ studio/User-grace", "~ studio/User-tim"}),
        effect=effects.other_limits,
    ),
    Change(
        name="lifecycle scripts",
        patch={
            "studio": {"lifecycle": {"jupyterlab": ["install_packages", "git_identity", "mount_team_prefix"]}}
        },
        # Nothing of a configuration changes in place: a new one takes over.
        says=frozenset(
            {
                "± studio/Lifecycle-jupyterlab",
                "~ studio/Domain",
                "~ studio/User-*",
                "~ studio/Space-grace-lab",
            }
        ),
        effect=effects.other_scripts,
    ),
    Change(
        name="sizes",
        patch={
            "studio": {"instances": ["ml.t3.large", "ml.t3.medium", "ml.m5.large", "ml.m5.xlarge"]},
            "guardrails": {"studio_instances": ["ml.t3.*", "ml.m5.*"]},
        },
        says=frozenset(
            {
                "~ access/Guardrails-workplaces",
                POLICIES,
                "~ studio/Domain",
                "~ studio/User-grace",
                "~ studio/Space-team-room",
            }
        ),
        effect=effects.other_sizes,
    ),
    Change(
        name="Studio's switches",
        patch={
            "studio": {
                "docker": False,
                "sharing": False,
                "jumpstart": False,
                "repositories": ["https://github.com/example/notebooks.git"],
            }
        },
        says=frozenset({"~ studio/Domain", "~ studio/User-*"}),
        effect=effects.switches_off,
    ),
    Change(
        name="scaling",
        patch={"endpoints": {"curve": {"scaling": {"min_instances": 1, "max_instances": 3}}}},
        says=frozenset({"~ serving/Deploy-curve/*"}),
        effect=effects.scaling,
    ),
    Change(
        name="one more job",
        patch={
            "jobs": {
                "slope": {
                    "script": "curve_sklearn",
                    "framework": "sklearn",
                    "hyperparameters": {"hidden_layers": 1},
                    "triggers": [{"upload": ["train"]}],
                }
            }
        },
        says=frozenset(
            {
                "+ registry/Models-slope",
                "+ registry/Removal-slope",
                "~ registry/Work",
                "+ training/Train-slope/*",
                "~ training/StartTraining/Function",
                POLICIES,
                "~ people/*",
                LIMIT,
            }
        ),
        effect=effects.one_more_job,
    ),
    Change(
        name="a notebook's volume and hours",
        patch={
            "notebooks": {
                "containers": {"volume_gb": 300, "stop_at": "cron(30 18 * * ? *)", "idle_minutes": 90}
            }
        },
        says=frozenset(
            {
                "~ notebooks/Notebook-containers",
                "~ notebooks/Lifecycle-containers",
                "~ notebooks/Stop-containers",
            }
        ),
        effect=effects.a_bigger_notebook,
    ),
    Change(
        name="a guardrail",
        patch={"guardrails": {"max_runtime_minutes": 120}},
        says=frozenset({"~ access/Guardrails-jobs", "~ training/Train-slope/Machine"}),
        effect=effects.shorter_jobs,
    ),
    Change(
        name="an image's next version",
        before=lambda whole: whole.push("1.1.0"),
        patch={
            "images": {"workbench": {"keep": 5}},
            "studio": {"images": {"workbench": {"tag": "1.1.0"}}},
        },
        # A version is what it is; the next one is another.
        says=frozenset({"~ registry/Image-workbench", "± studio/Image-workbench/ImageVersion"}),
        effect=effects.another_image,
    ),
    Change(
        name="data are to stay",
        patch=_dev(retain=True),
        says=frozenset(
            {
                "~ data/*",
                "- data/*/AutoDeleteObjectsCustomResource",
                "- data/Custom::S3AutoDeleteObjectsCustomResourceProvider/*",
                "- data/EmptierLogs",
                "~ registry/*",
                "~ studio/Removal",
            }
        ),
        effect=effects.retention,
        everywhere=True,
    ),
    Change(
        name="data may go",
        patch=_dev(retain=False),
        says=frozenset(
            {
                "~ data/*",
                "+ data/*/AutoDeleteObjectsCustomResource",
                "+ data/Custom::S3AutoDeleteObjectsCustomResourceProvider/*",
                "+ data/EmptierLogs",
                "~ registry/*",
                "~ studio/Removal",
            }
        ),
        effect=effects.no_retention,
        everywhere=True,
    ),
    Change(
        name="neither endpoint nor budget",
        patch={
            "endpoints": None,
            "environments": {"dev": {"budget": None}, "prod": {"override": {"endpoints": None}}},
        },
        says=frozenset({"- serving/*", "- cost/*", "~ cost/*"}),
        effect=effects.less,
    ),
]
