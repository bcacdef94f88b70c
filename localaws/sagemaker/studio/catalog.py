"""What Studio and notebook instances hold: a table a kind, since each kind asks others before it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from localaws.sagemaker.records import Record, Table, arn, now
from localaws.sagemaker.studio.durations import Durations
from localaws.service import AwsError, Call, Params
from localaws.timer import Timer
from localaws.world import World

PENDING, IN_SERVICE, UPDATING, DELETING = "Pending", "InService", "Updating", "Deleting"
FAILED, DELETED = "Failed", "Deleted"
_REASON_CHARS = 1_024


@dataclass
class Staged(Record):
    """A record with a status. `name` is the key that it is found by; `label` is what the user called it."""

    label: str = ""
    status: str = PENDING
    failure: str | None = None

    def enter(self, status: str, failure: str | None = None) -> None:
        """Be in `status` from now on."""
        self.status = status
        self.failure = failure[:_REASON_CHARS] if failure else None
        self.modified = now()

    def times(self) -> Params:
        """What every description tells of status and times."""
        told = {"Status": self.status, "CreationTime": self.created, "LastModifiedTime": self.modified}
        return {**told, "FailureReason": self.failure} if self.failure else told


S = TypeVar("S", bound=Staged)
Dependents: TypeAlias = "Iterable[tuple[str, Iterable[Record]]]"
"""What depends on a record, by kind."""


def _table(kind: str, code: str = "ResourceNotFound", taken_code: str = "ResourceInUse") -> Table[Any]:
    return Table(
        missing=f"{kind} [{{arn}}] does not exist.",
        taken=f"{kind} [{{arn}}] already exists.",
        missing_code=code,
        taken_code=taken_code,
    )


class Catalog:
    """The tables, one lock over all of them, and the clock that moves statuses on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.takes = Durations.from_environment()
        self.lock = threading.RLock()
        self._timer = Timer("studio", world.background)
        self.domains = _table("Domain")
        self.profiles = _table("UserProfile")
        self.spaces = _table("Space")
        self.apps = _table("App")
        self.lifecycle_configs = _table("StudioLifecycleConfig")
        self.images = _table("Image")
        self.image_versions = _table("ImageVersion")
        self.app_image_configs = _table("AppImageConfig")
        self.code_repositories: Table[Any] = Table(
            missing="Cannot find CodeRepository: {arn}",
            taken="Cannot create already existing CodeRepository: {arn}",
        )
        self.notebooks: Table[Any] = Table(
            missing="RecordNotFound", taken="Cannot create a duplicate Notebook Instance ({arn})"
        )
        what = "Notebook Instance Lifecycle Config"
        self.notebook_configs: Table[Any] = Table(
            missing=f"Unable to describe {what} '{{arn}}'. (Details: {what} does not exist.)",
            taken=f"Unable to create {what} {{arn}}. (Details: {what} already exists.)",
        )

    def domain(self, call: Call, domain_id: str) -> Any:
        """The domain; raises AwsError where there is none."""
        return self.domains.get(call, domain_id, arn(call, "domain", domain_id))

    def profile(self, call: Call, domain_id: str, name: str) -> Any:
        """The user profile; raises AwsError where there is none. Names are found in any case."""
        key = f"{domain_id}/{name.lower()}"
        return self.profiles.get(call, key, arn(call, "user-profile", key))

    def space(self, call: Call, domain_id: str, name: str) -> Any:
        """The space; raises AwsError where there is none."""
        key = f"{domain_id}/{name.lower()}"
        return self.spaces.get(call, key, arn(call, "space", key))

    def tables(self) -> tuple[Table[Any], ...]:
        """Every table whose records have tags."""
        return (
            self.domains,
            self.profiles,
            self.spaces,
            self.apps,
            self.lifecycle_configs,
            self.images,
            self.app_image_configs,
            self.code_repositories,
            self.notebooks,
            self.notebook_configs,
        )

    def later(self, seconds: float, work: Callable[[S], object], record: S) -> None:
        """Do `work(record)` after `seconds`, unless its status has changed by then."""
        status = record.status

        def due() -> None:
            if record.status == status:
                work(record)

        self._timer.after(seconds, due)

    def settle(self, record: Staged, seconds: float, status: str = IN_SERVICE) -> None:
        """Let `record` be in `status` after `seconds`, unless its status has changed by then."""
        was = record.status

        def due() -> None:
            with self.lock:
                if record.status == was:
                    record.enter(status)

        self._timer.after(seconds, due)

    def change(self, kind: str, record: Staged, request: Params, seconds: float) -> None:
        """Let `record` be what `request` says after `seconds`; refused unless it may be changed now."""
        with self.lock:
            refuse_busy(kind, record, IN_SERVICE, "Update_Failed")
            record.request = request
            record.enter(UPDATING)
        self.settle(record, seconds)

    def leave(self, kind: str, record: Staged, dependents: Dependents) -> None:
        """Let `record` begin to go; refused unless it may, and while something depends on it.

        The caller holds the lock, under which it has found both.
        """
        refuse_busy(kind, record, IN_SERVICE, FAILED, "Update_Failed", "Delete_Failed")
        refuse_dependents("delete", f"{kind} [{record.arn}]", dependents)
        record.enter(DELETING)

    def stop(self) -> None:
        """Forget all that was to come."""
        self._timer.stop()


def in_use(message: str) -> AwsError:
    """What Studio answers when something else still needs what should go, or has its name."""
    return AwsError("ResourceInUse", message)


def refuse_dependents(verb: str, what: str, dependents: Dependents) -> None:
    """Raise AwsError, worded as AWS words it, for the first kind of thing that still depends on `what`."""
    for kind, found in dependents:
        if any(True for _ in found):
            raise in_use(f"Unable to {verb} {what} because {kind}(s) are associated with it.")


def refuse_busy(kind: str, record: Staged, *allowed: str) -> None:
    """Raise AwsError unless the record is in one of the statuses in which it may be changed."""
    if record.status not in allowed:
        raise in_use(
            f"Unable to perform the operation because {kind} [{record.arn}] is in status {record.status}."
        )


def merged(request: Params, params: Params, *names: str) -> Params:
    """`request` with an update's settings: in each named member, what is given replaces, the rest stays."""
    changes = {name: {**request.get(name, {}), **params[name]} for name in names if params.get(name)}
    return {**request, **changes}
