from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ProfileNotFound, TokenRetrievalError

from atelier.cli.errors import explained


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ThrottlingException", "AWS is throttling StartExecution: try again in a minute"),
        ("TooManyRequestsException", "AWS is throttling StartExecution: try again in a minute"),
        ("ExpiredTokenException", "AWS does not accept the credentials (because): sign in again"),
        ("AccessDeniedException", "these credentials may not call StartExecution: because"),
        ("KmsThing", "AWS refused StartExecution: KmsThing: because"),
    ],
)
def test_errors_of_aws_are_one_line(code, says):
    """Each kind of refusal has its own remedy; an unknown one is passed on with code and message."""
    error = ClientError({"Error": {"Code": code, "Message": "because"}}, "StartExecution")
    assert explained(error) == says


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ProfileNotFound(profile="nobody"), "set AWS_PROFILE to one of ~/.aws/config"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "expired"),
    ],
)
def test_errors_of_botocore_are_one_line(error, says):
    """What fails before a request is sent is told in a line too."""
    message = explained(error)
    assert message is not None
    assert says in message
    assert "\n" not in message


def test_a_bug_of_ours_stays_a_traceback():
    """An error that nobody foresaw is not hidden behind a friendly line."""
    assert explained(KeyError("oops")) is None
