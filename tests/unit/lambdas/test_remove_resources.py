"""`remove_resources`: nothing is left, nothing foreign is touched, CloudFormation always gets an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.remove_resources import kinds
from lambdas.remove_resources.handler import RESERVE, UNTIL, Invocation, serve
from lambdas.remove_resources.kinds import Kind
from lambdas.remove_resources.logic import REMOVERS
from lambdas.remove_resources.patience import LONGEST_POLL, Clock, Look, OutOfTime, Refused, Thing, until_gone

HOUR, QUARTER = 3600.0, 900.0
NAME = "vision-dev-curve"
ENDPOINT = {
    "Kind": "Endpoint",
    "Name": NAME,
    "Variant": "AllTraffic",
    "Record": "/atelier/vision/dev/endpoints/curve",
    "Machine": "machine",
}
PACKAGES = {"Kind": "ModelPackages", "Name": "group"}
WORK = {"Kind": "Work", "Name": "vision-dev-"}
LIMIT = {"Kind": "Limit", "Name": "vision-dev-100"}
OWN, OTHER = "d-own", "d-own2"
DOMAIN = {"Kind": "Domain", "Name": OWN, "Homes": "Delete"}
ALL_KINDS = {
    kind.word: kind
    for value in vars(kinds).values()
    for kind in (value if isinstance(value, tuple) else [value])
    if isinstance(kind, Kind)
}


class Account:
    """An account in which things are, by the word for their kind; what is asked of it is noted.

    What is deleted is gone. `refuses` says of things, by their names, how often they refuse.
    """

    def __init__(self, **there: list[dict[str, Any]]) -> None:
        self.there = {word.replace("_", " "): list(found) for word, found in there.items()}
        self.refuses: dict[str, int] = {}
        self.asked: list[tuple[str, ...]] = []

    def account_id(self) -> str:
        return "111122223333"

    def find(self, kind: Kind, **where: Any) -> Iterator[Mapping[str, Any]]:
        part = where.get("NameContains", where.get("logGroupNamePrefix", ""))
        status = where.get("StatusEquals")
        for found in self.there.get(kind.word, ()):
            same = all(found.get(key, value) == value for key, value in where.items())
            if same and part in found[kind.names[0]] and status in (None, found.get(kind.status)):
                yield found

    def ask(self, service: str, operation: str, **parameters: Any) -> None:
        given = [str(value) for value in parameters.values() if isinstance(value, str)]
        self.asked.append((operation, *given))
        if self.refuses.get(given[-1], 0):
            self.refuses[given[-1]] -= 1
            raise Refused("not now")
        if operation.startswith("delete_") or operation in ("stop_execution", "execute_budget_action"):
            self._remove(operation, given)
        elif operation.startswith("stop_"):
            self._enter(operation, given, "Stopped")

    def _remove(self, operation: str, given: list[str]) -> None:
        for word, found in self.there.items():
            if operation.endswith(word.replace(" ", "_")):
                found[:] = [one for one in found if not self._is(word, one, given)]

    def _enter(self, operation: str, given: list[str], status: str) -> None:
        for word, found in self.there.items():
            for one in found:
                if operation.endswith(word.replace(" ", "_")) and self._is(word, one, given):
                    one[ALL_KINDS[word].status] = status

    @staticmethod
    def _is(word: str, one: dict[str, Any], given: list[str]) -> bool:
        return {one[name] for name in ALL_KINDS[word].names if name in one} <= set(given)

    def names(self, word: str) -> list[str]:
        """What is there of a kind."""
        names = ALL_KINDS[word].names
        return ["/".join(one[name] for name in names if name in one) for one in self.there[word]]


class World:
    """CloudFormation and Lambda around the function: time passes only while it waits."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.time = 1_000_000.0
        self.started = self.time
        self.answers: list[dict[str, str]] = []
        self.waiting: list[Mapping[str, Any]] = []
        self.hops = 0

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def ask(
        self, request: str, properties: Mapping[str, Any], old: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        """What CloudFormation is answered in the end; the function never runs longer than Lambda lets it."""
        self.waiting.append(
            {
                "RequestType": request,
                "ResponseURL": "http://answer",
                "StackId": "s",
                "RequestId": "r",
                "LogicalResourceId": "l",
                "ResourceProperties": {"ServiceToken": "f", **properties},
                "OldResourceProperties": old or properties,
            }
        )
        while self.waiting:
            ends = self.time + QUARTER
            serve(
                self.waiting.pop(),
                Invocation(
                    self.account,
                    self.sleep,
                    lambda: self.time,
                    ends,
                    self._again,
                    lambda _url, answer: self.answers.append(dict(answer)),
                ),
            )
            assert self.time <= ends - RESERVE / 2
        (answer,) = self.answers
        return answer

    def _again(self, event: Mapping[str, Any]) -> None:
        self.hops += 1
        self.waiting.append(event)


def delete(properties: Mapping[str, str], account: Account) -> dict[str, str]:
    """What CloudFormation is answered when it asks for a deletion."""
    return World(account).ask("Delete", properties)


def work(prefix: str) -> Account:
    """An account in which everything runs that people may start."""
    return Account(
        training_job=[{"TrainingJobName": f"{prefix}try-1", "TrainingJobStatus": "InProgress"}],
        tuning_job=[
            {
                "HyperParameterTuningJobName": f"{prefix}tune",
                "HyperParameterTuningJobStatus": "InProgress",
            }
        ],
        processing_job=[{"ProcessingJobName": f"{prefix}prepare", "ProcessingJobStatus": "InProgress"}],
        transform_job=[{"TransformJobName": f"{prefix}score", "TransformJobStatus": "InProgress"}],
        endpoint=[{"EndpointName": f"{prefix}mine", "EndpointStatus": "InService"}],
        endpoint_config=[{"EndpointConfigName": f"{prefix}mine"}],
        model=[{"ModelName": f"{prefix}mine"}],
        studio_lifecycle_config=[{"StudioLifecycleConfigName": f"{prefix}jupyterlab-0123abcd"}],
        notebook_instance=[{"NotebookInstanceName": f"{prefix}mine", "NotebookInstanceStatus": "InService"}],
        log_group=[{"logGroupName": f"/aws/sagemaker/Endpoints/{prefix}mine"}],
    )


def studio(*domains: str) -> Account:
    """An account with these domains in use."""

    def each(status: str, is_: str, **names: str) -> list[dict[str, Any]]:
        return [
            {**{key: value.format(one) for key, value in names.items()}, status: is_, "Tags": _tags(one)}
            for one in domains
        ]

    def inside(**names: str) -> list[dict[str, Any]]:
        return each("Status", "InService", DomainId="{}", **names)

    def around(**names: str) -> list[dict[str, Any]]:
        return each("LifeCycleState", "available", FileSystemId="fs-{}", **names)

    return Account(
        app=inside(SpaceName="lab", AppType="JupyterLab", AppName="default"),
        space=[space(one, "lab", "ada") for one in domains],
        user_profile=inside(UserProfileName="ada"),
        domain=inside(),
        mount_target=around(MountTargetId="fsmt-{}"),
        file_system=around(),
        security_group=[group(one, way) for one in domains for way in ("inbound", "outbound")],
    )


def space(domain: str, name: str, owner: str, sharing: str = "Private") -> dict[str, Any]:
    """A space of a domain."""
    return {
        "DomainId": domain,
        "SpaceName": name,
        "Status": "InService",
        "OwnershipSettingsSummary": {"OwnerUserProfileName": owner},
        "SpaceSharingSettingsSummary": {"SharingType": sharing},
    }


def group(domain: str, way: str) -> dict[str, Any]:
    """One of the two groups that SageMaker makes for a domain."""
    return {
        "GroupId": f"sg-{way}-{domain}",
        "GroupName": f"security-group-for-{way}-nfs-{domain}",
        "IpPermissions": [{"FromPort": 2049}] if way == "inbound" else [],
        "IpPermissionsEgress": [{"FromPort": 2049}] if way == "outbound" else [],
        "Tags": _tags(domain),
    }


def _tags(domain: str) -> list[dict[str, str]]:
    owner = f"arn:aws:sagemaker:eu-west-1:111122223333:domain/{domain}"
    return [{"Key": "ManagedByAmazonSageMakerResource", "Value": owner}]


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_does_nothing_until_its_stack_goes(request_type):
    """Creation and update succeed at once; another name is another resource, and nothing else is."""
    account = studio(OWN)
    for properties in (DOMAIN, {**DOMAIN, "Homes": "Retain"}):
        answer = World(account).ask(request_type, properties)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", f"Domain/{OWN}")
    assert not account.asked


@pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=lambda kind: kind.word)
def test_every_kind_is_told_in_the_words_of_aws(kind):
    """Operations, parameters and statuses are those of the API that botocore knows."""
    api = boto3.client(
        kind.service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )

    def model(method: str) -> Any:
        return api.meta.service_model.operation_model(api.meta.method_to_api_mapping[method])

    answer = model(kind.lists).output_shape
    described = answer.members[kind.under].member if kind.under else answer
    assert {*kind.names, *filter(None, [kind.status])} <= set(described.members)
    statuses = {*kind.steps, *kind.ended, *kind.asked} - {""}
    known = set(described.members[kind.status].enum) if kind.status else set()
    assert statuses <= known
    if kind.asked:
        assert {"NameContains", "StatusEquals"} <= set(model(kind.lists).input_shape.members)
    for operation in kind.steps.values():
        request = model(operation).input_shape
        assert set(request.required_members) <= set(kind.names) <= set(request.members)


def test_removes_an_endpoint_with_all_that_was_made_for_it():
    """Deployments are stopped first; what belongs to endpoints of similar names stays."""
    own = [f"{NAME}-v1-0123abcd", f"{NAME}-v12-89abcdef"]
    foreign = [f"{NAME}-v2-large-v1-0123abcd", f"{NAME}-2-v1-0123abcd", f"x-{NAME}-v1-0123abcd"]
    account = Account(
        execution=[{"executionArn": "e"}],
        endpoint=[{"EndpointName": one, "EndpointStatus": "InService"} for one in (NAME, f"{NAME}-2")],
        endpoint_config=[{"EndpointConfigName": one} for one in own + foreign],
        model=[{"ModelName": one} for one in own + foreign],
    )
    assert delete(ENDPOINT, account)["Status"] == "SUCCESS"
    assert [operation for operation, *_ in account.asked] == [
        "stop_execution",
        "deregister_scalable_target",
        "delete_endpoint",
        *["delete_endpoint_config"] * len(own),
        *["delete_model"] * len(own),
        "delete_parameter",
        "delete_log_group",
    ]
    assert account.names("endpoint") == [f"{NAME}-2"]
    assert account.names("endpoint config") == account.names("model") == foreign


def test_an_endpoint_is_deleted_once_it_can_be():
    """SageMaker deletes none that is being made or changed, and is asked again when it refuses."""
    account = Account(endpoint=[{"EndpointName": NAME, "EndpointStatus": "Updating"}])
    world = World(account)
    world.sleep = lambda seconds: (
        setattr(world, "time", world.time + seconds),
        account.there["endpoint"] and account.there["endpoint"][0].update(EndpointStatus="InService"),
    )
    account.refuses[NAME] = 2
    assert world.ask("Delete", ENDPOINT)["Status"] == "SUCCESS"
    assert [asked for asked in account.asked if asked[0] == "delete_endpoint"] == 3 * [
        ("delete_endpoint", NAME)
    ]


@pytest.mark.parametrize(
    "properties", [ENDPOINT, PACKAGES, WORK, LIMIT, DOMAIN, {**DOMAIN, "Kind": "Workplaces"}]
)
def test_removing_what_is_gone_is_no_error(properties):
    """So a removal that came half way goes on from there, and CloudFormation may ask twice."""
    assert delete(properties, Account())["Status"] == "SUCCESS"


def test_removes_the_versions_of_a_group_after_the_jobs_that_make_them():
    """A group can be deleted only when it is empty; jobs of similar names run on."""
    jobs = {
        "group-0123abcd-1": "InProgress",
        "group-2-0123abcd-1": "InProgress",
        "x-group-0123abcd-1": "InProgress",
    }
    account = Account(
        training_job=[{"TrainingJobName": one, "TrainingJobStatus": status} for one, status in jobs.items()],
        model_package=[{"ModelPackageArn": f"group/{version}"} for version in (1, 2)],
    )
    assert delete(PACKAGES, account)["Status"] == "SUCCESS"
    assert account.asked == [
        ("stop_training_job", "group-0123abcd-1"),
        ("delete_model_package", "group/1"),
        ("delete_model_package", "group/2"),
    ]


def test_stops_and_removes_all_that_people_made_under_the_environments_name():
    """Jobs of every sort, endpoints, models and notebook instances; those of other environments stay."""
    account = work("vision-dev-")
    for foreign in ("vision-dev2-", "x-vision-dev-", "vision-prod-"):
        for word, found in work(foreign).there.items():
            account.there[word] += found
    before = {word: len(found) for word, found in account.there.items()}
    assert delete(WORK, account)["Status"] == "SUCCESS"
    for word, found in account.there.items():
        ended = [one for one in found if "Stopped" in one.values()]
        assert len(found) - len(ended) == before[word] - 1, word
        assert all(name.startswith("vision-dev-") for one in ended for name in one.values() if "-" in name)
    assert ("stop_notebook_instance", "vision-dev-mine") in account.asked


def test_a_domain_goes_with_all_that_is_in_it_and_around_it():
    """Apps before spaces before profiles before the domain; then what SageMaker made in the network."""
    account = studio(OWN, OTHER)
    assert delete(DOMAIN, account)["Status"] == "SUCCESS"
    assert [operation for operation, *_ in account.asked] == [
        "delete_app",
        "delete_space",
        "delete_user_profile",
        "delete_domain",
        "delete_mount_target",
        "delete_file_system",
        "revoke_security_group_ingress",
        "delete_security_group",
        "revoke_security_group_egress",
        "delete_security_group",
    ]
    assert account.there == studio(OTHER).there


def test_homes_that_are_to_be_kept_give_up_their_place_in_the_network_only():
    """Mount targets hold no data, but the subnets and the VPC."""
    account = studio(OWN)
    assert delete({**DOMAIN, "Homes": "Retain"}, account)["Status"] == "SUCCESS"
    assert [word for word, found in account.there.items() if found] == ["file system"]


def test_what_an_earlier_removal_left_around_a_domain_is_found_without_it():
    """By its tag and its name, when the domain itself is gone."""
    account = studio(OWN)
    for word in ("app", "space", "user profile", "domain"):
        account.there[word].clear()
    account.there["security group"] = [{**group(OWN, "outbound"), "Tags": []}, group(OWN, "inbound")]
    assert delete(DOMAIN, account)["Status"] == "SUCCESS"
    assert not account.there["file system"]
    assert not account.there["mount target"]
    assert account.names("security group") == [f"sg-outbound-{OWN}"]  # somebody's, who named it so


def test_workplaces_go_and_the_domain_stays():
    """For CloudFormation to delete, and what is in other domains with them."""
    account = studio(OWN, OTHER)
    assert delete({"Kind": "Workplaces", "Name": OWN}, account)["Status"] == "SUCCESS"
    assert account.names("app") == [f"{OTHER}/lab/JupyterLab/default"]
    assert account.names("space") == [f"{OTHER}/lab"]
    assert account.names("domain") == [OWN, OTHER]


def test_what_holds_a_profile_or_space_that_is_dropped_goes_before_it():
    """Private spaces of a user who leaves, apps of a space that is given up; a shared space stays."""
    account = studio(OWN, OTHER)
    account.there["space"] += [
        space(OWN, "own", "grace"),
        space(OWN, "room", "grace", "Shared"),
        space(OWN, "alans", "alan"),
    ]
    for name in ("own", "room", "alans"):
        account.there["app"].append({**account.there["app"][0], "SpaceName": name})
    old = {"Kind": "Workplaces", "Name": OWN, "Users": ["ada", "alan", "grace"], "Spaces": ["lab", "room"]}
    new = {**old, "Users": ["ada", "alan"], "Spaces": ["room"]}
    assert World(account).ask("Update", new, old)["Status"] == "SUCCESS"
    left = [f"{OTHER}/lab", f"{OWN}/room", f"{OWN}/alans"]
    assert account.names("space") == left
    assert account.names("app") == [f"{one}/JupyterLab/default" for one in left]
    assert len(account.names("user profile")) == 2


def test_another_domain_or_another_team_file_drops_nothing():
    """An old domain goes as a whole, by its own name; who is added holds nothing."""
    account = studio(OWN)
    new = {"Kind": "Workplaces", "Name": OWN, "Users": ["grace"], "Spaces": []}
    for old in (
        {**new, "Name": OTHER, "Users": ["ada"]},
        {**new, "Users": []},
        {"Kind": "Workplaces", "Name": OWN},
    ):
        assert World(account).ask("Update", new, old)["Status"] == "SUCCESS"
    assert not account.asked


@pytest.mark.parametrize("name", ["", "d-", "*", "d-a/b", "vision"])
def test_no_domain_is_removed_by_anything_but_its_id(name):
    """An empty filter would find the apps of every domain of the account."""
    account = studio(OWN)
    answer = delete({**DOMAIN, "Name": name}, account)
    assert (answer["Status"], account.asked) == ("FAILED", [])
    assert "is no id of a domain" in answer["Reason"]


def test_what_refuses_to_go_is_asked_again():
    """Interfaces outlive their apps by a while, and hold the groups until then."""
    account = studio(OWN)
    account.refuses = {f"sg-inbound-{OWN}": 3, f"sg-outbound-{OWN}": 9}
    assert delete(DOMAIN, account)["Status"] == "SUCCESS"
    assert not account.there["security group"]


def test_goes_on_in_other_invocations_and_answers_once():
    """Apps may take longer than a function may run: it calls itself, as often as an hour takes."""
    account = studio(OWN)
    account.there["app"][0]["Status"] = "Deleting"
    world = World(account)

    def sleep(seconds: float) -> None:
        world.time += seconds
        if world.time > world.started + 2000:
            account.there["app"].clear()

    world.sleep = sleep
    assert world.ask("Delete", DOMAIN)["Status"] == "SUCCESS"
    assert world.hops == 2
    assert not any(account.there.values())


def test_gives_up_before_cloudformation_does_and_says_what_it_waited_for():
    """The answer comes within the hour, after so few calls that Lambda does not take them for a loop."""
    account = studio(OWN)
    account.there["app"][0]["Status"] = "Deleting"
    world = World(account)
    answer = world.ask("Delete", DOMAIN)
    assert answer["Status"] == "FAILED"
    assert f"app {OWN}/lab/JupyterLab/default, which is Deleting" in answer["Reason"]
    assert "destroy again, which goes on from here" in answer["Reason"]
    assert HOUR - 60 < world.time - world.started < HOUR
    assert world.hops < 16 / 2


def test_the_time_that_the_resource_is_given_is_kept():
    """ServiceTimeout is when CloudFormation gives up: shorter than an hour, if somebody says so."""
    world = World(Account(endpoint=[{"EndpointName": NAME, "EndpointStatus": "Creating"}]))
    assert world.ask("Delete", {**ENDPOINT, "ServiceTimeout": "120"})["Status"] == "FAILED"
    assert world.time - world.started < 120
    assert not world.hops


def test_a_call_to_itself_that_fails_is_answered():
    """Otherwise CloudFormation would wait for an invocation that never begins."""
    world = World(Account(endpoint=[{"EndpointName": NAME, "EndpointStatus": "Creating"}]))

    def again(event: Mapping[str, Any]) -> None:
        assert UNTIL in event
        raise PermissionError("lambda:InvokeFunction")

    world._again = again
    answer = world.ask("Delete", ENDPOINT)
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "PermissionError: lambda:InvokeFunction")


def test_answers_whatever_goes_wrong():
    """Without an answer the stack would hang for an hour."""
    answer = delete({"Kind": "Castle", "Name": "x"}, Account())
    assert answer["Status"] == "FAILED"
    assert "Castle" in answer["Reason"]
    assert all(kind in answer["Reason"] for kind in REMOVERS)


def test_lifts_a_limit_before_its_policy_goes():
    """A policy that is attached cannot be deleted, nor a role that has it; waits until it is detached."""
    account = Account(action=[{"ActionId": one, "Status": one} for one in ("EXECUTION_SUCCESS", "STANDBY")])
    assert delete(LIMIT, account)["Status"] == "SUCCESS"
    [(operation, *parameters)] = account.asked
    assert operation == "execute_budget_action"
    assert {"EXECUTION_SUCCESS", "REVERSE_BUDGET_ACTION", LIMIT["Name"]} <= set(parameters)
    account = Account(action=[{"ActionId": "a", "Status": "REVERSE_IN_PROGRESS"}])
    answer = delete(LIMIT, account)
    assert "action a of budget vision-dev-100, which is REVERSE_IN_PROGRESS" in answer["Reason"]
    assert not account.asked


def _runs_out(clock: Clock, look: Look) -> bool:
    try:
        until_gone(clock, look)
    except OutOfTime:
        return True
    return False


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.floats(1, 2000))
def test_waits_no_longer_than_it_may_and_says_each_change_once(steps, seconds):
    """Things go one after the other, each after some looks; what is waited for is told when it changes."""
    left = list(steps)
    said: list[str] = []
    time = [0.0]

    def look() -> Iterator[Thing]:
        if left:
            left[0] -= 1
            if not left[0]:
                left.pop(0)
        return iter([Thing(f"thing {len(left)}", "Deleting", None)] if left else [])

    def sleep(pause: float) -> None:
        time[0] += pause

    clock = Clock(sleep, lambda: time[0], seconds, said.append)
    if time_is_enough := not _runs_out(clock, look):
        assert not left
    assert time_is_enough or time[0] + LONGEST_POLL > seconds
    assert time[0] <= seconds
    assert len(said) == len(set(said)) <= len(steps)
