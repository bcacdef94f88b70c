"""`smoke_test`: an endpoint passes only with an answer."""

from __future__ import annotations

import pytest

from lambdas.smoke_test.handler import SmokeTestFailed, respond

SAMPLE = {"endpoint": "vision-dev-curve", "contentType": "application/json", "body": "[[1]]"}


class Endpoint:
    """An endpoint that always answers the same."""

    def __init__(self, status: int, answer: str) -> None:
        self.status, self.answer = status, answer
        self.asked: list[tuple[str, str, str, str]] = []

    def invoke(self, name: str, variant: str, content_type: str, body: str) -> tuple[int, str]:
        self.asked.append((name, variant, content_type, body))
        return self.status, self.answer


def test_passes_an_answer():
    """The sample is sent as it is; status and answer come back for the record."""
    endpoint = Endpoint(200, "[[2.0]]")
    assert respond(SAMPLE, endpoint) == {"status": 200, "answer": "[[2.0]]"}
    assert endpoint.asked == [("vision-dev-curve", "", "application/json", "[[1]]")]


def test_asks_every_variant():
    """Each by its name, so that none that cannot answer goes unseen."""
    endpoint = Endpoint(200, "[[2.0]]")
    respond({**SAMPLE, "variants": ["AllTraffic", "deep"]}, endpoint)
    assert [variant for _, variant, *_ in endpoint.asked] == ["AllTraffic", "deep"]
    with pytest.raises(SmokeTestFailed, match="variant AllTraffic of endpoint vision-dev-curve answered 500"):
        respond({**SAMPLE, "variants": ["AllTraffic"]}, Endpoint(500, "Boom"))


@pytest.mark.parametrize(("status", "answer", "says"), [(500, "Boom", "500.*Boom"), (200, " ", "empty")])
def test_fails_an_error_or_an_empty_answer(status, answer, says):
    """The failure carries what the endpoint said."""
    with pytest.raises(SmokeTestFailed, match=says):
        respond(SAMPLE, Endpoint(status, answer))
