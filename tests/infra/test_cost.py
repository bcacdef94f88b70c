"""What an environment may cost: its budget, what the limit denies to whom, who hears of idle things."""

from __future__ import annotations

import json
from fnmatch import fnmatch

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from atelier.spec import load_teams
from atelier.spec.guardrails import Unused
from lambdas.stop_idle.settings import StopIdleSettings
from stacks.app import PROJECT, new_app
from stacks.build import build
from stacks.constructs.budget_limit import DENIED_AT_THE_LIMIT, BudgetLimit, BudgetLimitProps
from stacks.constructs.messaging import Topic
from stacks.constructs.removal import Removal

STAGE = "research-dev"


def of_type(assembly, type_, stage=STAGE):
    """The properties of all resources of one type in a stage's cost stack."""
    return [one.properties for one in assembly.resources(type_, stage=stage) if one.stack == f"{stage}-cost"]


@pytest.mark.parametrize(("stage", "usd"), [("research-dev", 1500), ("research-prod", 4000)])
def test_each_environment_has_a_budget_of_its_own(assembly, stage, usd):
    """Of what carries its tags, with an alert at each chosen percentage."""
    [properties] = of_type(assembly, "AWS::Budgets::Budget", stage)
    team, environment = stage.split("-")
    budget = properties["Budget"]
    assert budget["BudgetLimit"] == {"Amount": usd, "Unit": "USD"}
    assert budget["CostFilters"] == {"TagKeyValue": [f"user:team${team}", f"user:environment${environment}"]}
    alerts = [one["Notification"]["Threshold"] for one in properties["NotificationsWithSubscribers"]]
    assert alerts == [50, 80, 100]


def test_where_no_limit_is_wanted_nothing_is_denied(assembly):
    """Neither without a budget nor with one that only tells."""
    for stage in ("vision-dev", "research-prod"):
        assert of_type(assembly, "AWS::Budgets::BudgetsAction", stage) == []
    assert of_type(assembly, "AWS::Budgets::Budget", "vision-dev") == []


def test_the_limit_denies_what_costs_to_every_role_that_may_do_it(assembly):
    """Whoever may create a job, endpoint, app or notebook is named in the action, whatever stack it is in."""
    [action] = of_type(assembly, "AWS::Budgets::BudgetsAction")
    named = {role_name(assembly, f"{STAGE}-cost", one) for one in roles_of(action)}
    assert {role.rpartition("/")[2] for role in spenders(assembly)} <= named
    assert action["ApprovalModel"] == "AUTOMATIC"
    assert action["ActionThreshold"] == {"Type": "PERCENTAGE", "Value": 100}
    [policy] = of_type(assembly, "AWS::IAM::ManagedPolicy")
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert set(statement["Action"]) == set(DENIED_AT_THE_LIMIT)


def roles_of(action):
    """The roles that an action names."""
    return action["Definition"]["IamActionDefinition"]["Roles"]


def role_name(assembly, stack, reference):
    """The name of a role that is named, referred to or imported, as far as it is known beforehand."""
    if isinstance(reference, str):
        return reference
    return assembly.arn(stack, reference).rpartition("/")[2]


def spenders(assembly):
    """The ARNs of the roles whose policies allow something that the limit denies."""
    for one in assembly.resources(stage=STAGE):
        if one.type == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in one.properties.get("Policies", ())]
            references = [{"Fn::GetAtt": [one.logical_id, "Arn"]}]
        elif one.type in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            documents = [one.properties["PolicyDocument"]]
            references = one.properties.get("Roles", ())
        else:
            continue
        if any(map(allows_to_spend, documents)):
            for reference in references:
                yield assembly.arn(one.stack, reference)


def allows_to_spend(document):
    """Whether a policy allows something that the limit denies."""
    for statement in document["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            if statement["Effect"] == "Allow" and any(fnmatch(one, action) for one in DENIED_AT_THE_LIMIT):
                return True
    return False


def test_budgets_may_attach_that_policy_alone(assembly):
    """To roles of this environment."""
    [statement] = [one for one in assembly.statements(stage=STAGE) if "iam:AttachRolePolicy" in one.actions]
    assert statement.resources == ["arn:aws:iam::111122223333:role/research-dev-*"]
    assert set(statement.conditions) == {"ArnEquals"}


def test_the_limit_is_lifted_before_its_action_goes(assembly):
    """Its policy stays attached otherwise, and neither it nor any of the roles could be deleted."""
    [lift] = [
        one
        for one in assembly.resources("Custom::AtelierRemoval", stage=STAGE)
        if one.properties["Kind"] == "Limit"
    ]
    [action] = of_type(assembly, "AWS::Budgets::BudgetsAction")
    assert lift.properties["Name"] == action["BudgetName"]
    template = assembly.templates[f"{STAGE}-cost"]["Resources"]
    assert {template[name]["Type"] for name in lift.definition["DependsOn"]} == {
        "AWS::Budgets::BudgetsAction"
    }


def test_an_action_names_a_hundred_roles_at_most(teams):
    """AWS's limit: more roles are more actions."""
    [spec] = load_teams(teams, "research", "dev", root=PROJECT)
    stack = cdk.Stack(cdk.App(), "any")
    key = kms.Key(stack, "Key")
    topic = Topic(stack, "Topic", key=key, subscribers=[], services=("budgets",))
    roles = [f"role{number}" for number in range(250)]
    removal = Removal(stack, "Removal", spec=spec, key=key)
    BudgetLimit(
        stack,
        "Limit",
        BudgetLimitProps(spec=spec, budget=spec.budget, topic=topic, removal=removal, roles=roles),
    )
    found = Template.from_stack(stack).find_resources("AWS::Budgets::BudgetsAction").values()
    named = [roles_of(one["Properties"]) for one in found]
    assert sorted(map(len, named)) == [50, 100, 100]
    assert sorted(role for some in named for role in some) == sorted(roles)


def test_each_endpoint_and_notebook_has_an_alarm_that_people_hear(assembly):
    """On the measure that the function writes; what does not run raises none."""
    alarms = {one["AlarmName"]: one for one in of_type(assembly, "AWS::CloudWatch::Alarm")}
    assert set(alarms) == {"research-dev-idle-endpoint-curve", "research-dev-idle-notebook-containers"}
    for alarm in alarms.values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"]
    [function] = of_type(assembly, "AWS::Lambda::Function")
    settings = StopIdleSettings.from_environment(function["Environment"]["Variables"])
    watched = {f"endpoint/{name}" for name in settings.endpoints}
    watched |= {f"notebook/{name}" for name in settings.notebooks}
    measured = {one["Value"] for alarm in alarms.values() for one in alarm["Dimensions"]}
    assert measured == watched | {settings.environment}


def test_only_where_it_is_to_stop_may_the_watch_stop(assembly):
    """By default it measures and tells."""
    stops = {"sagemaker:DeleteEndpoint", "sagemaker:StopNotebookInstance"}
    for stage, allowed in ((STAGE, stops), ("research-prod", set())):
        actions = {
            action
            for one in assembly.statements(stage=stage)
            if one.where.startswith(f"{stage}-cost: Idle")
            for action in one.actions
        }
        assert "sagemaker:DescribeEndpoint" in actions
        assert stops & actions == allowed


def test_where_it_is_to_stop_it_may_and_says_so(teams):
    """What is stopped is told of, so the watch may then publish."""
    [spec] = load_teams(teams, "vision", "dev", root=PROJECT)
    unused = Unused(report_after_hours=12, stop=True)
    [stage] = build(new_app(), [spec.model_copy(update={"unused": unused})])
    template = Template.from_stack(stage.node.find_child("cost"))
    [function] = template.find_resources("AWS::Lambda::Function").values()
    settings = StopIdleSettings.from_environment(function["Properties"]["Environment"]["Variables"])
    assert settings.stop_after_hours == unused.report_after_hours
    [alarm] = template.find_resources("AWS::CloudWatch::Alarm").values()
    assert alarm["Properties"]["Threshold"] == unused.report_after_hours
    allowed = json.dumps(template.find_resources("AWS::IAM::Role"))
    assert '"sagemaker:DeleteEndpoint"' in allowed
    assert '"sns:Publish"' in allowed


def test_budgets_and_alarms_can_tell_the_teams_topic(assembly):
    """Its policy and its key let them, for this account alone."""
    [topic] = [
        one.properties["PolicyDocument"]["Statement"]
        for one in assembly.resources("AWS::SNS::TopicPolicy", stage=STAGE)
    ]
    [key] = [
        one.properties["KeyPolicy"]["Statement"] for one in assembly.resources("AWS::KMS::Key", stage=STAGE)
    ]
    services = {"budgets.amazonaws.com", "cloudwatch.amazonaws.com"}
    for statements in (topic, key):
        assert any(
            services <= set(_services(one))
            and one["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
            for one in statements
        )


def _services(statement):
    principal = statement["Principal"]
    found = principal.get("Service", []) if isinstance(principal, dict) else []
    return [found] if isinstance(found, str) else found
