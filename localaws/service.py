"""What a service of the embedded AWS is: a class whose methods answer operations of the AWS API.

A service names the botocore service it speaks for and marks each method that answers an operation:

    class StepFunctions(Service):
        name = "stepfunctions"

        @operation("StartExecution")
        def start_execution(self, call: Call, params: Params) -> Result:
            ...

`params` is the request as botocore's model describes it (the keys that boto3 takes), already checked
against that model; the result holds the keys that boto3 returns. An operation that no service marks
goes to moto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from localaws.world import World

Params: TypeAlias = dict[str, Any]
Result: TypeAlias = "dict[str, Any] | None"
Handler: TypeAlias = "Callable[[Call, Params], Result]"


@dataclass(frozen=True)
class Call:
    """Who calls, and where: the account (12 digits) and region that the request's credentials name."""

    account: str
    region: str


class AwsError(Exception):
    """An error as AWS answers it: a code that clients match on, a message for people, an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status_code = status


class NotEmulated(AwsError):
    """Something that AWS has and the embedded AWS has not; said by name rather than pretended."""

    def __init__(self, what: str) -> None:
        super().__init__("NotEmulated", f"{what} is not emulated by the embedded AWS", 501)


@dataclass(frozen=True)
class Refusal:
    """The handler of an operation that is not emulated and must not reach moto: it says so by name."""

    what: str

    def __call__(self, _call: Call, _params: Params) -> Result:
        """Refuse, whatever is asked."""
        raise NotEmulated(self.what)


def operation(name: str) -> Callable[[Callable[[Any, Call, Params], Result]], Any]:
    """Mark a method of a `Service` as the answer to the AWS operation `name` (as in botocore's model)."""

    def mark(method: Callable[[Any, Call, Params], Result]) -> Any:
        method.aws_operation = name  # type: ignore[attr-defined]
        return method

    return mark


class Service:
    """The base of every service; `World` holds one instance of each."""

    name: ClassVar[str]
    differences: ClassVar[Sequence[str]] = ()
    """Where it differs from AWS, a sentence each, for COVERAGE.md."""

    def __init__(self, world: World) -> None:
        self.world = world

    def start(self) -> None:
        """Called once the server answers; timers and pollers begin here."""

    def stop(self) -> None:
        """Called when the server stops: end every process and timer that this service started."""

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """Each operation this service answers, with the bound method that answers it."""
        for attribute in dir(type(self)):
            name = getattr(getattr(type(self), attribute), "aws_operation", None)
            if name is not None:
                yield name, getattr(self, attribute)
