"""The AWS account, as `remove_resources` sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from lambdas.remove_resources.kinds import Description, Kind
from lambdas.remove_resources.patience import Refused
from lambdas.shared.clients import client

GONE_CODES = frozenset(
    {
        "ExecutionDoesNotExist",
        "FileSystemNotFound",
        "InvalidGroup.NotFound",
        "MountTargetNotFound",
        "NotFoundException",
        "ObjectNotFoundException",
        "ParameterNotFound",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)
GONE_WORDS = ("could not find", "does not exist", "recordnotfound")
REFUSAL_CODES = frozenset(
    {
        "ConflictException",
        "DependencyViolation",
        "FileSystemInUse",
        "IncorrectFileSystemLifeCycleState",
        "InvalidPermission.NotFound",
        "ResourceInUse",
        "ResourceLockedException",
        "ThrottlingException",
        # SageMaker's only word for a job that has ended meanwhile, or an endpoint that is being changed.
        "ValidationException",
    }
)


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Let pass that something does not exist; SageMaker has no error code for it, only a message."""
    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        message = said.get("Message", "").lower()
        if not (said["Code"] in GONE_CODES or any(words in message for words in GONE_WORDS)):
            raise


class AwsAccount:
    """The real one; see `kinds.Account`."""

    def find(self, kind: Kind, **where: Any) -> Iterator[Description]:
        """All things of a kind, narrowed by parameters of its `lists`; none where even that is gone."""
        service = client(kind.service)
        with gone_is_fine():
            if service.can_paginate(kind.lists):
                for page in service.get_paginator(kind.lists).paginate(**where):
                    yield from page[kind.under]
            else:
                answer = getattr(service, kind.lists)(**where)
                yield from answer[kind.under] if kind.under else [answer]

    def ask(self, service: str, operation: str, **parameters: Any) -> None:
        """Ask for an operation; that its object is gone is no error.

        Raises:
            Refused: something else is in the way.
        """
        try:
            with gone_is_fine():
                getattr(client(service), operation)(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSAL_CODES:
                raise
            raise Refused(error.response["Error"]["Message"]) from error

    def account_id(self) -> str:
        """The account that the function runs in; Budgets wants to be told."""
        return str(client("sts").get_caller_identity()["Account"])
