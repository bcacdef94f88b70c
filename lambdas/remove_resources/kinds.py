"""What is removed: how AWS lists things of a kind, and which operation brings each nearer to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

from lambdas.remove_resources.patience import Thing

DELETABLE = ("InService", "Failed", "Update_Failed", "Delete_Failed")
"""The statuses in which a domain, and what is in it, may be deleted."""
Description: TypeAlias = Mapping[str, Any]
"""One thing, as AWS lists it."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Things of one kind."""

    word: str
    service: str = "sagemaker"
    lists: str
    """The operation that lists them, or describes the one that there is."""
    under: str = ""
    """Where they stand in its answer; empty where the answer is the thing."""
    names: tuple[str, ...]
    """What of a description names the thing to `steps`."""
    status: str = ""
    """Where a description holds the status; empty for what is there or not."""
    steps: Mapping[str, str]
    """The operation for each status; in any other, there is nothing to do but to wait."""
    asked: tuple[str, ...] = ()
    """The statuses to ask for, where most things of the kind have come to their end and stay listed."""
    ended: frozenset[str] = field(default=frozenset())
    """The statuses of things that are listed and yet gone."""


class Account(Protocol):
    """What the removal needs of AWS."""

    def find(self, kind: Kind, **where: Any) -> Iterator[Description]:
        """All things of a kind, narrowed by parameters of its `lists`; none where even that is gone."""
        ...

    def ask(self, service: str, operation: str, **parameters: Any) -> None:
        """Ask for an operation; that its object is gone is no error.

        Raises:
            Refused: something else is in the way.
        """
        ...

    def account_id(self) -> str:
        """The account that all this is in."""
        ...


def things(
    account: Account, kind: Kind, own: Callable[[Description], bool], /, **where: Any
) -> Iterator[Thing]:
    """What of a kind is there and `own`."""
    for status in kind.asked or ("",):
        narrowed = {**where, "StatusEquals": status} if status else where
        for description in account.find(kind, **narrowed):
            if description.get(kind.status) not in kind.ended and own(description):
                yield _thing(account, kind, description)


def _thing(account: Account, kind: Kind, description: Description) -> Thing:
    named = {name: description[name] for name in kind.names if name in description}
    status = str(description[kind.status]) if kind.status else ""
    operation = kind.steps.get(status)
    step = partial(account.ask, kind.service, operation, **named) if operation else None
    return Thing(f"{kind.word} {'/'.join(named.values())}", status, step)


def _job(word: str, name: str) -> Kind:
    """A kind of job: it ends when it is stopped, and stays listed."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return Kind(
        word=word,
        lists=f"list{snake}s",
        under=f"{name}Summaries",
        names=(f"{name}Name",),
        status=f"{name}Status",
        steps={"InProgress": f"stop{snake}"},
        asked=("InProgress", "Stopping"),
    )


def _in_studio(
    word: str,
    name: str,
    *names: str,
    deletable: Sequence[str] = DELETABLE,
    ended: frozenset[str] = frozenset(),
) -> Kind:
    """A kind of thing in a domain."""
    return Kind(
        word=word,
        lists=f"list_{name}s",
        under="".join(part.title() for part in name.split("_")) + "s",
        names=("DomainId", *names),
        status="Status",
        steps=dict.fromkeys(deletable, f"delete_{name}"),
        ended=ended,
    )


TRAINING_JOBS = _job("training job", "TrainingJob")
JOBS = (
    _job("tuning job", "HyperParameterTuningJob"),
    TRAINING_JOBS,
    _job("processing job", "ProcessingJob"),
    _job("transform job", "TransformJob"),
)
ENDPOINTS = Kind(
    word="endpoint",
    lists="list_endpoints",
    under="Endpoints",
    names=("EndpointName",),
    status="EndpointStatus",
    steps=dict.fromkeys(("InService", "OutOfService", "Failed", "UpdateRollbackFailed"), "delete_endpoint"),
)
CONFIGS = Kind(
    word="endpoint config",
    lists="list_endpoint_configs",
    under="EndpointConfigs",
    names=("EndpointConfigName",),
    steps={"": "delete_endpoint_config"},
)
MODELS = Kind(
    word="model", lists="list_models", under="Models", names=("ModelName",), steps={"": "delete_model"}
)
NOTEBOOKS = Kind(
    word="notebook instance",
    lists="list_notebook_instances",
    under="NotebookInstances",
    names=("NotebookInstanceName",),
    status="NotebookInstanceStatus",
    steps={
        "InService": "stop_notebook_instance",
        "Stopped": "delete_notebook_instance",
        "Failed": "delete_notebook_instance",
    },
)
SCRIPTS = Kind(
    word="studio lifecycle config",
    lists="list_studio_lifecycle_configs",
    under="StudioLifecycleConfigs",
    names=("StudioLifecycleConfigName",),
    steps={"": "delete_studio_lifecycle_config"},
)
PACKAGES = Kind(
    word="model package",
    lists="list_model_packages",
    under="ModelPackageSummaryList",
    names=("ModelPackageArn",),
    steps={},
)
LOG_GROUPS = Kind(
    word="log group",
    service="logs",
    lists="describe_log_groups",
    under="logGroups",
    names=("logGroupName",),
    steps={"": "delete_log_group"},
)
EXECUTIONS = Kind(
    word="execution",
    service="stepfunctions",
    lists="list_executions",
    under="executions",
    names=("executionArn",),
    steps={},
)
BUDGET_ACTIONS = Kind(
    word="action",
    service="budgets",
    lists="describe_budget_actions_for_budget",
    under="Actions",
    names=("ActionId",),
    status="Status",
    steps={},
)
APPS = _in_studio(
    "app",
    "app",
    "SpaceName",
    "UserProfileName",
    "AppType",
    "AppName",
    deletable=("Pending", "InService", "Failed"),
    ended=frozenset({"Deleted"}),
)
SPACES = _in_studio("space", "space", "SpaceName")
PROFILES = _in_studio("user profile", "user_profile", "UserProfileName")
DOMAINS = Kind(word="domain", lists="describe_domain", names=("DomainId",), status="Status", steps={})
FILE_SYSTEMS = Kind(
    word="file system",
    service="efs",
    lists="describe_file_systems",
    under="FileSystems",
    names=("FileSystemId",),
    status="LifeCycleState",
    steps={"available": "delete_file_system", "error": "delete_file_system"},
    ended=frozenset({"deleted"}),
)
MOUNT_TARGETS = Kind(
    word="mount target",
    service="efs",
    lists="describe_mount_targets",
    under="MountTargets",
    names=("MountTargetId",),
    status="LifeCycleState",
    steps={"available": "delete_mount_target", "error": "delete_mount_target"},
    ended=frozenset({"deleted"}),
)
GROUPS = Kind(
    word="security group",
    service="ec2",
    lists="describe_security_groups",
    under="SecurityGroups",
    names=("GroupId",),
    steps={},
)
