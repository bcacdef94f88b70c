"""The doctor where AWS answers what an embedded AWS cannot: refusals, failed domains, old accounts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from atelier.cli.doctor import account, cost, network, quotas, show
from atelier.cli.doctor.finding import Finding, run
from atelier.cli.target import Target
from atelier.spec import TeamEnvironment
from atelier.spec.guardrails import Budget
from atelier.spec.jobs import Job, Objective, Prepare, Range, Spot, Transform, Tuning
from atelier.spec.model import Endpoint, Scaling
from atelier.spec.network import Network
from atelier.spec.sources import JumpStart
from atelier.spec.studio import Notebook, Space, Studio, StudioUser


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody: clients are made, and fakes answer in their place."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody's")


def spec(**parts: Any) -> TeamEnvironment:
    """An environment with these parts."""
    fields: dict[str, Any] = {
        "team": "tiny",
        "name": "dev",
        "owners": ["you@example.com"],
        "cost_centre": None,
        "account": "111122223333",
        "region": "eu-west-1",
        "retain": False,
        "approval": "automatic",
        "notify": [],
        "images": {},
        "jobs": {},
        "endpoints": {},
    }
    return TeamEnvironment.model_construct(**{**fields, **parts})


def target(environment: TeamEnvironment | None = None, **clients: Any) -> Target:
    """An environment whose services answer as these do."""
    named = {name.replace("_", "-"): client for name, client in clients.items()}
    return Target(environment or spec(), _clients=named)


def refuse(code: str, operation: str = "Anything"):
    """A method that AWS answers with this error."""

    def method(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": f"{code} says AWS"}}, operation)

    return method


def paged(**pages: Any) -> SimpleNamespace:
    """A client whose paginators give one page each."""

    def get_paginator(name: str) -> SimpleNamespace:
        answer = pages[name]
        return SimpleNamespace(paginate=lambda **asked: [answer(asked) if callable(answer) else answer])

    return SimpleNamespace(get_paginator=get_paginator)


def quota(name: str, value: float) -> dict[str, Any]:
    """A quota as AWS lists it."""
    return {"QuotaName": name, "Value": value, "QuotaCode": f"L-{name[:6]}"}


@pytest.mark.parametrize(
    ("check", "clients", "state", "says"),
    [
        (
            account.region,
            {"ec2": {"describe_regions": refuse("UnauthorizedOperation")}},
            "cannot tell",
            "no perm",
        ),
        (
            account.region,
            {"ec2": {"describe_regions": lambda **_: {"Regions": [{"OptInStatus": "not-opted-in"}]}}},
            "missing",
            "eu-west-1 is switched off",
        ),
        (
            account.bootstrap,
            {"ssm": {"get_parameter": lambda **_: {"Parameter": {"Value": "5"}}}},
            "missing",
            "version 5; 6 is needed",
        ),
        (
            account.bootstrap,
            {"ssm": {"get_parameter": refuse("AccessDenied")}},
            "cannot tell",
            "no permission",
        ),
        (
            account.bootstrap,
            {"ssm": {"get_parameter": refuse("NotEmulated")}},
            "cannot tell",
            "NotEmulated says",
        ),
        (
            account.permissions,
            {"sts": {"assume_role": refuse("AccessDenied")}},
            "missing",
            "may not assume cdk-",
        ),
        (
            account.key,
            {
                "kms": {
                    "describe_key": lambda **_: {"KeyMetadata": {"KeyState": "PendingDeletion", "KeyId": "k"}}
                }
            },
            "missing",
            "alias/tiny-dev is PendingDeletion",
        ),
        (account.key, {"kms": {"describe_key": refuse("NotFoundException")}}, "ok", "first deployment"),
    ],
)
def test_what_aws_answers_about_the_account(check, clients, state, says):
    """A refusal is no verdict; whatever lacks comes with the way to get it."""
    answering = {name: SimpleNamespace(**methods) for name, methods in clients.items()}
    finding = run(check, target(**answering))[0]
    assert finding.state == state
    assert says in finding.says
    assert finding.ask or state == "ok" or "NotEmulated" in finding.says


def test_what_the_team_file_names_is_counted():
    """The largest job, everything else together; an endpoint twice, since its models change side by side."""
    studio = Studio(
        instances=["ml.t3.medium"],
        users={"ada": StudioUser(instances=["ml.g5.xlarge"])},
        spaces={
            name: Space(owner="ada", instance="ml.t3.medium", app=app)
            for name, app in (("one", "jupyterlab"), ("two", "jupyterlab"), ("three", "code_editor"))
        },
    )
    environment = spec(
        jobs={
            "one": Job(instances=["ml.m5.large"], instance_count=2),
            "two": Job(instances=["ml.g5.xlarge", "ml.m5.large"]),
        },
        endpoints={
            "one": Endpoint(job="one", scaling=Scaling(max_instances=3)),
            "two": Endpoint(job="one", instance_count=2),
        },
        notebooks={"one": Notebook(), "two": Notebook()},
        studio=studio,
    )
    assert {need.quota: need.count for need in quotas.needs(environment)} == {
        "ml.m5.large for training job usage": 2,
        "ml.g5.xlarge for training job usage": 1,
        "ml.m5.large for endpoint usage": 10,
        "ml.t3.medium for notebook instance usage": 2,
        "Studio JupyterLab Apps running on ml.t3.medium instances": 2,
        "Studio CodeEditor Apps running on ml.t3.medium instances": 1,
        "Studio JupyterLab Apps running on ml.g5.xlarge instances": 1,
        "Studio CodeEditor Apps running on ml.g5.xlarge instances": 1,
    }


def test_every_step_of_a_job_has_its_own_quota():
    """Spot, tuning's parallel trainings, preparation, batch; what is not trained needs no training."""
    objective = Objective(metric="loss", goal="minimize")
    searched = {"units": Range(min=1, max=9)}
    pretrained = JumpStart(model="m", version="1.0.0", artifact="s3://models/m.tar.gz")
    environment = spec(
        jobs={
            "spot": Job(instances=["ml.g5.xlarge"], instance_count=2, spot=Spot(), prepare=Prepare()),
            "tuned": Job(
                instances=["ml.m5.large"],
                instance_count=2,
                tuning=Tuning(objective=objective, ranges=searched, parallel=3),
                prepare=Prepare(instance="ml.m5.xlarge"),
            ),
            "batch": Job(transform=Transform(input="b/", instance="ml.c5.xlarge", instance_count=4)),
            "pretrained": Job(jumpstart=pretrained, instances=["ml.p4d.24xlarge"]),
        }
    )
    found = {need.quota: (need.count, need.why) for need in quotas.needs(environment)}
    assert found == {
        "ml.g5.xlarge for spot training job usage": (2, "spot job spot"),
        "ml.m5.large for training job usage": (6, "job tuned, 3 trainings at once"),
        "ml.m5.large for processing job usage": (1, "the preparation of job spot"),
        "ml.m5.xlarge for processing job usage": (1, "the preparation of job tuned"),
        "ml.c5.xlarge for transform job usage": (4, "the transform of job batch"),
    }


@pytest.mark.parametrize(
    ("value", "requested", "state", "ask"),
    [
        (2, 0, "ok", ""),
        (1, 0, "missing", "--desired-value 2"),
        (1, 2, "missing", "wait for AWS's answer"),
        (None, 0, "cannot tell", "choose another"),
    ],
)
def test_a_quota_is_judged_with_what_was_asked_for(value, requested, state, ask):
    """What is asked for already is not asked for again."""
    name = "ml.m5.large for training job usage"
    known = [] if value is None else [quota(name, value)]
    requests = [{"QuotaCode": "L-ml.m5.", "DesiredValue": requested}] if requested else []
    client = paged(
        list_service_quotas={"Quotas": known},
        list_requested_service_quota_change_history={"RequestedQuotas": requests},
    )
    environment = spec(jobs={"one": Job(instance_count=2)})
    [finding] = run(quotas.quotas, target(environment, service_quotas=client))
    assert (finding.what, finding.state) == (name, state)
    assert ask in finding.ask


def test_a_failed_domain_is_found():
    """It takes up the quota, and the console does not show it."""
    domains = [{"DomainId": "d-1", "DomainName": "old", "Status": "Failed"}]
    found = run(
        quotas.quotas,
        target(
            spec(studio=Studio(instances=["ml.t3.medium"])),
            service_quotas=paged(
                list_service_quotas={"Quotas": [quota("Total domains", 1)]},
                list_requested_service_quota_change_history={"RequestedQuotas": []},
            ),
            sagemaker=paged(list_domains={"Domains": domains}),
        ),
    )
    asks = {finding.what: finding.ask for finding in found if finding.state == "missing"}
    assert asks["failed domain"].startswith("aws sagemaker delete-domain --domain-id d-1")
    assert "--desired-value 2" in asks["Total domains"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ([{"TagKey": "team"}, {"TagKey": "environment"}], "ok"),
        ([{"TagKey": "team"}], "missing"),
        (None, "cannot tell"),
    ],
)
def test_tags_that_are_not_activated_count_nothing(answer, state):
    """Only the account that pays knows, and only there can it be changed."""
    tell = (lambda **_: {"CostAllocationTags": answer}) if answer else refuse("AccessDeniedException")
    environment = spec(budget=Budget(monthly_usd=1))
    client = SimpleNamespace(list_cost_allocation_tags=tell)
    [finding] = run(cost.cost_allocation_tags, target(environment, ce=client))
    assert finding.state == state
    assert state == "ok" or "TagKey=team,Status=Active" in finding.ask


def test_commands_can_be_copied_from_the_report(capsys):
    """They stand below the table, each on one line, whatever the width."""
    ask = f"aws service-quotas request-service-quota-increase {'--more ' * 40}"
    show([Finding("ok", "region", "eu-west-1"), Finding("missing", "a quota", "0, 1 needed", ask)])
    lines = capsys.readouterr().out.splitlines()
    assert f"    {ask}" in lines
    assert lines[-1] == "1 missing"
    show([Finding("ok", "region", "eu-west-1")])
    assert capsys.readouterr().out.splitlines()[-1] == "nothing is missing"


@pytest.mark.parametrize(("wanted", "state"), [(2, "ok"), (3, "missing")])
def test_a_region_may_have_fewer_zones_than_are_asked_for(wanted, state):
    """As us-west-1 has for most accounts; a zone that is impaired is none."""
    there = [
        {"ZoneName": f"us-west-1{letter}", "State": said}
        for letter, said in (("a", "available"), ("c", "available"), ("b", "impaired"))
    ]
    ec2 = SimpleNamespace(describe_availability_zones=lambda **_: {"AvailabilityZones": there})
    environment = spec(region="us-west-1", network=Network(mode="created", zones=wanted))
    [found] = run(network.zones, target(environment, ec2=ec2))
    assert (found.state, bool(found.ask)) == (state, state == "missing")
