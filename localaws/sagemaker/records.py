"""What SageMaker's resources have in common: a record each, and tables of records by account and region."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from localaws.service import AwsError, Call, Params


def now() -> datetime:
    """The present moment, with its time zone."""
    return datetime.now(UTC)


def invalid(message: str) -> AwsError:
    """The error that SageMaker answers to most that it refuses."""
    return AwsError("ValidationException", message)


def arn(call: Call, kind: str, name: str) -> str:
    """The ARN of a SageMaker resource, such as `kind` training-job."""
    return f"arn:aws:sagemaker:{call.region}:{call.account}:{kind}/{name}"


@dataclass
class Record:
    """One resource: where it is, what it was created from, its tags."""

    call: Call
    name: str
    arn: str
    request: Params
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    tags: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.tags = {tag["Key"]: tag["Value"] for tag in self.request.get("Tags", [])}

    def tagged(self, key: str) -> None:
        """Called for each tag that is added or changed; some mean something to a resource."""


R = TypeVar("R", bound=Record)


class Table(Generic[R]):
    """The records of one kind, by account, region and name; safe to use from many threads."""

    def __init__(
        self,
        missing: str,
        taken: str,
        taken_code: str = "ValidationException",
        missing_code: str = "ValidationException",
    ) -> None:
        """`missing` and `taken` are AWS's messages, with `{arn}` and `{name}` where those stand."""
        self._missing = missing
        self._taken = taken
        self._taken_code = taken_code
        self._missing_code = missing_code
        self._records: dict[tuple[Call, str], R] = {}
        self._lock = threading.Lock()

    def add(self, record: R) -> None:
        """Add a record; raises AwsError where its name is taken."""
        with self._lock:
            if (record.call, record.name) in self._records:
                message = self._taken.format(arn=record.arn, name=record.name)
                raise AwsError(self._taken_code, message)
            self._records[record.call, record.name] = record

    def get(self, call: Call, name: str, arn: str = "") -> R:
        """The record of that name; raises AwsError where there is none."""
        record = self._records.get((call, name))
        if record is None:
            raise AwsError(self._missing_code, self._missing.format(arn=arn, name=name))
        return record

    def find(self, call: Call, name: str) -> R | None:
        """The record of that name, or None."""
        return self._records.get((call, name))

    def remove(self, record: R) -> None:
        """Forget a record; one that is gone already is no error."""
        with self._lock:
            self._records.pop((record.call, record.name), None)

    def everywhere(self) -> list[R]:
        """Every record of every account and region."""
        with self._lock:
            return list(self._records.values())

    def all(self, call: Call) -> list[R]:
        """The records of one account and region, oldest first."""
        return [record for record in self.everywhere() if record.call == call]


def without_effect(request: Params, ignored: dict[str, str]) -> Iterator[str]:
    """A line for the log for each field (`Field` or `Field.Field`) that is set and has no effect here."""
    for path, reason in ignored.items():
        value: Any = request
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value:
            yield f"localaws: {path} has no effect: {reason}"


_FILTERS: dict[str, Callable[[Record, Any], bool]] = {
    "NameContains": lambda record, text: text.lower() in record.name.lower(),
    "CreationTimeAfter": lambda record, time: record.created >= _aware(time),
    "CreationTimeBefore": lambda record, time: record.created <= _aware(time),
    "LastModifiedTimeAfter": lambda record, time: record.modified >= _aware(time),
    "LastModifiedTimeBefore": lambda record, time: record.modified <= _aware(time),
    "ModifiedTimeAfter": lambda record, time: record.modified >= _aware(time),
    "ModifiedTimeBefore": lambda record, time: record.modified <= _aware(time),
}


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def listing(
    records: Iterable[R],
    params: Params,
    summary: Callable[[R], Params],
    *,
    key: str,
    orders: dict[str, Callable[[R], Any]],
    descending: bool = True,
) -> Params:
    """One page of a List operation: filtered by the common filters, sorted, cut, with a NextToken.

    Args:
        records: what may be listed.
        params: the request.
        summary: what is shown of a record.
        key: the answer's key.
        orders: for each value of SortBy the key to sort by; the first is the default.
        descending: the default order.
    """
    wanted = [(test, params[name]) for name, test in _FILTERS.items() if name in params]
    kept = [record for record in records if all(test(record, value) for test, value in wanted)]
    order = orders[params["SortBy"]] if "SortBy" in params else next(iter(orders.values()))
    # Images alone shout it.
    reverse = params["SortOrder"].title() == "Descending" if "SortOrder" in params else descending
    kept.sort(key=order, reverse=reverse)
    start = _position(params.get("NextToken"), len(kept))
    end = start + params.get("MaxResults", 100)
    more = {"NextToken": str(end)} if end < len(kept) else {}
    return {key: [summary(record) for record in kept[start:end]], **more}


def _position(token: str | None, length: int) -> int:
    if token is None:
        return 0
    if not token.isdigit() or int(token) > length:
        raise invalid("Invalid NextToken.")
    return int(token)


BY_NAME_AND_TIME: dict[str, Callable[[Any], Any]] = {
    "CreationTime": lambda record: record.created,
    "Name": lambda record: record.name,
}
