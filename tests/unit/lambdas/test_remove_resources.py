"""`remove_resources`: nothing is left, nothing foreign is touched, CloudFormation always gets an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.remove_resources.handler import respond
from lambdas.remove_resources.logic import Clock

NAME = "vision-dev-curve"
OWN = [f"{NAME}-v1-0123abcd", f"{NAME}-v12-89abcdef"]
FOREIGN = [f"{NAME}-v2-large-v1-0123abcd", f"{NAME}-2-v1-0123abcd", f"x-{NAME}-v1-0123abcd"]
ENDPOINT = {
    "Kind": "Endpoint",
    "Name": NAME,
    "Variant": "AllTraffic",
    "Record": "/atelier/vision/dev/endpoints/curve",
    "Machine": "machine",
}
PACKAGES = {"Kind": "ModelPackages", "Name": "group"}


class Account:
    """Notes what is asked of it; its endpoint goes through `statuses` and is gone."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.calls: list[tuple[str, ...]] = []
        self.jobs: dict[str, str] = {}

    def endpoint_status(self, name: str) -> str | None:
        return self.statuses.pop(0) if self.statuses else None

    def configs(self, part: str) -> Iterator[str]:
        return (name for name in OWN + FOREIGN if part in name)

    models = configs

    def training_jobs(self, part: str) -> Iterator[tuple[str, str]]:
        return ((name, status) for name, status in self.jobs.items() if part in name)

    def stop_training_job(self, name: str) -> None:
        """Stopping once asked, gone at the next look."""
        self.calls.append(("stop_training_job", name))
        del self.jobs[name]

    def packages(self, group: str) -> Iterator[str]:
        return iter([f"{group}/1", f"{group}/2"])

    def budget_actions(self, budget: str) -> dict[str, str]:
        return {"a": self.statuses.pop(0)} if self.statuses else {}

    def __getattr__(self, name: str):
        def note(*arguments: str) -> None:
            self.calls.append((name, *arguments))

        return note


def ask(request: str, properties: dict[str, str], account: Account, seconds: float = 900) -> dict[str, str]:
    """What CloudFormation is answered; waiting takes no time but is counted."""
    left = [seconds]

    def sleep(pause: float) -> None:
        left[0] -= pause

    answers: list[dict[str, str]] = []
    event = {
        "RequestType": request,
        "ResponseURL": "http://answer",
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "l",
        "ResourceProperties": {"ServiceToken": "f", **properties},
    }
    respond(event, account, Clock(sleep, lambda: left[0]), lambda _url, answer: answers.append(dict(answer)))
    (answer,) = answers
    return answer


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_does_nothing_until_its_stack_goes(request_type):
    """Creation and update succeed at once; another name is another resource."""
    account = Account()
    answer = ask(request_type, ENDPOINT, account)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", f"Endpoint/{NAME}")
    assert not account.calls


def test_removes_an_endpoint_with_all_that_was_made_for_it():
    """Deployments are stopped first; what belongs to endpoints of similar names stays."""
    account = Account("InService", "Deleting")
    assert ask("Delete", ENDPOINT, account)["Status"] == "SUCCESS"
    assert account.calls == [
        ("stop_executions", "machine"),
        ("stop_scaling", NAME, "AllTraffic"),
        ("delete_endpoint", NAME),
        *(("delete_config", name) for name in OWN),
        *(("delete_model", name) for name in OWN),
        ("delete_parameter", ENDPOINT["Record"]),
        ("delete_log_group", f"/aws/sagemaker/Endpoints/{NAME}"),
    ]


def test_waits_until_an_endpoint_can_be_deleted():
    """SageMaker deletes no endpoint that is being made or changed: it is asked once that has ended."""
    account = Account("Updating", "Updating", "InService", "Deleting")
    assert ask("Delete", ENDPOINT, account)["Status"] == "SUCCESS"
    assert [call for call in account.calls if call[0] == "delete_endpoint"] == [("delete_endpoint", NAME)]


def test_removing_twice_is_no_error():
    """With nothing there, everything is asked for again and succeeds."""
    assert ask("Delete", ENDPOINT, Account())["Status"] == "SUCCESS"


def test_answers_before_its_own_time_is_up():
    """Lambda kills a function silently: it says in time what it waits for, and that one may go on."""
    answer = ask("Delete", ENDPOINT, Account(*["Creating"] * 1000), seconds=60)
    assert answer["Status"] == "FAILED"
    assert f"endpoint {NAME}, which is Creating" in answer["Reason"]


def test_removes_the_versions_of_a_group():
    """A group can be deleted only when it is empty."""
    account = Account()
    assert ask("Delete", PACKAGES, account)["Status"] == "SUCCESS"
    assert account.calls == [("delete_package", "group/1"), ("delete_package", "group/2")]


def test_stops_the_training_jobs_of_a_group_before_its_versions_go():
    """A stack that goes leaves no job that runs and costs; jobs of similar names run on."""
    account = Account()
    foreign = {"group-2-0123abcd-1": "InProgress", "x-group-0123abcd-1": "InProgress"}
    account.jobs = {"group-0123abcd-1": "InProgress", **foreign}
    assert ask("Delete", PACKAGES, account)["Status"] == "SUCCESS"
    assert account.calls[0] == ("stop_training_job", "group-0123abcd-1")
    assert {call[0] for call in account.calls[1:]} == {"delete_package"}
    assert account.jobs == foreign


def test_waits_for_a_training_job_that_is_stopping():
    """It is not asked again to stop; when the time is up, the answer says what is waited for."""
    account = Account()
    account.jobs = {"group-0123abcd-1": "Stopping"}
    answer = ask("Delete", PACKAGES, account, seconds=60)
    assert (answer["Status"], account.calls) == ("FAILED", [])
    assert "training job group-0123abcd-1, which is Stopping" in answer["Reason"]


def test_answers_whatever_goes_wrong():
    """Without an answer the stack would hang for an hour."""
    answer = ask("Delete", {"Kind": "Castle", "Name": "x"}, Account())
    assert answer["Status"] == "FAILED"
    assert "Castle" in answer["Reason"]


def test_lifts_a_limit_before_its_policy_goes():
    """A policy that is attached cannot be deleted, nor a role that has it; waits until it is detached."""
    account = Account("EXECUTION_IN_PROGRESS", "EXECUTION_SUCCESS", "REVERSE_IN_PROGRESS", "REVERSE_SUCCESS")
    assert ask("Delete", {"Kind": "Limit", "Name": "vision-dev-100"}, account)["Status"] == "SUCCESS"
    assert account.calls == [("reverse_action", "vision-dev-100", "a")]
    answer = ask(
        "Delete", {"Kind": "Limit", "Name": "vision-dev-100"}, Account(*["REVERSE_FAILURE"] * 999), 60
    )
    assert "budget vision-dev-100, whose action is REVERSE_FAILURE" in answer["Reason"]
