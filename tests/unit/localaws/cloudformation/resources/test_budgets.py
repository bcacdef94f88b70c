"""Budgets and their actions, as templates make them and as spending moves them."""

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
BUDGET, ACTION = "AWS::Budgets::Budget", "AWS::Budgets::BudgetsAction"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "a:*", "Resource": "*"}]}


def a_budget(name, topic="arn:aws:sns:eu-west-1:111122223333:t", usd=100):
    """The properties of a budget that tells a topic at half its limit."""
    return {
        "Budget": {
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": usd, "Unit": "USD"},
            "CostFilters": {"TagKeyValue": ["user:team$vision"]},
        },
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": 50,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}],
            }
        ],
    }


def an_action(budget, policy, *roles):
    """The properties of an action that attaches a policy at the limit."""
    return {
        "BudgetName": budget,
        "ActionType": "APPLY_IAM_POLICY",
        "ActionThreshold": {"Type": "PERCENTAGE", "Value": 100},
        "NotificationType": "ACTUAL",
        "ApprovalModel": "AUTOMATIC",
        "Definition": {"IamActionDefinition": {"PolicyArn": policy, "Roles": list(roles)}},
        "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/executor",
        "Subscribers": [{"Type": "SNS", "Address": "arn:aws:sns:eu-west-1:111122223333:t"}],
    }


@pytest.fixture
def spend(context):
    """Says how much a budget has spent, as only the embedded AWS lets one say it."""

    def tell(budget, usd):
        budgets = context.client("budgets")
        asked = budgets.describe_budget(AccountId=ACCOUNT, BudgetName=budget)["Budget"]
        asked["CalculatedSpend"]["ActualSpend"]["Amount"] = str(usd)
        budgets.update_budget(AccountId=ACCOUNT, NewBudget=asked)

    return tell


def states(client, budget):
    """The states of a budget's notifications."""
    found = client("budgets").describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName=budget)
    return [one["NotificationState"] for one in found["Notifications"]]


def test_a_budget_is_made_changed_and_deleted(live):
    """Its limit changes in place."""

    def look(client, name):
        found = client("budgets").describe_budget(AccountId=ACCOUNT, BudgetName=name)["Budget"]
        return float(found["BudgetLimit"]["Amount"])

    live(BUDGET, look, [(a_budget("life"), 100), (a_budget("life", usd=250), 250)])


def test_a_budget_carries_the_stacks_tags(live):
    """With the template's over them."""

    def look(client, name):
        arn = f"arn:aws:budgets::{ACCOUNT}:budget/{name}"
        found = client("budgets").list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    tagged = {**a_budget("tagged"), "ResourceTags": [{"Key": "a", "Value": "b"}]}
    live(BUDGET, look, [(tagged, {"team": "vision", "a": "b"}), (a_budget("tagged"), {"team": "vision"})])


def test_other_subscribers_or_another_name_make_another_budget(types):
    """As on AWS; a changed limit does not."""
    kind, old = types[BUDGET], a_budget("one")
    assert kind.replaced_by("Budget", old, a_budget("two"))
    assert not kind.replaced_by("Budget", old, a_budget("one", usd=5))
    assert kind.replaced_by("NotificationsWithSubscribers", old, a_budget("one", topic="other"))


def test_a_name_that_is_taken_is_refused(types, make_context):
    """A budget has no account number in its name."""
    types[BUDGET].create(make_context(), a_budget("taken"))
    with pytest.raises(ClientError, match="already exists"):
        types[BUDGET].create(make_context(), a_budget("taken"))


def test_people_are_told_once_when_a_threshold_is_crossed(types, context, spend, server):
    """Above the threshold, not at it, and again only after the spending was below."""
    sns = context.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="budget@example.com")
    types[BUDGET].create(context, a_budget("alerts", topic))
    seen = []
    for usd in (0, 50, 51, 60, 40, 70):
        spend("alerts", usd)
        seen += states(context.client, "alerts")
    assert seen == ["OK", "OK", "ALARM", "ALARM", "OK", "ALARM"]
    mail = _mail(server, "budget@example.com", 2)
    assert [one["subject"] for one in mail] == ["AWS Budgets: alerts has exceeded your alert threshold"] * 2
    # Messages may overtake each other.
    assert {one["message"].splitlines()[-1] for one in mail} == {
        "ACTUAL Amount: 51.00 USD",
        "ACTUAL Amount: 70.00 USD",
    }


def _mail(server, address, count):
    path = server.world.data / "mail" / f"{address}.jsonl"
    for _ in range(200):
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            break
        server.world.stopping.wait(0.05)
    return [json.loads(line) for line in lines]


def test_the_limit_attaches_the_policy_until_a_person_reverses_it(types, context, spend):
    """An action is executed once; reversed it stays so, and reset it waits for the next time."""
    iam, budgets = context.client("iam"), context.client("budgets")
    iam.create_role(RoleName="spender", AssumeRolePolicyDocument=json.dumps(TRUST))
    policy = iam.create_policy(PolicyName="deny", PolicyDocument=json.dumps(DENY))["Policy"]["Arn"]
    types[BUDGET].create(context, a_budget("limit"))
    made = types[ACTION].create(context, an_action("limit", policy, "spender"))
    where = {"AccountId": ACCOUNT, "BudgetName": "limit", "ActionId": made.attributes["ActionId"]}

    def look():
        attached = iam.list_attached_role_policies(RoleName="spender")["AttachedPolicies"]
        return budgets.describe_budget_action(**where)["Action"]["Status"], len(attached)

    def execute(kind):
        budgets.execute_budget_action(**where, ExecutionType=f"{kind}_BUDGET_ACTION")

    spend("limit", 100)
    assert look() == ("STANDBY", 0)
    spend("limit", 101)
    assert look() == ("EXECUTION_SUCCESS", 1)
    execute("REVERSE")
    spend("limit", 150)
    assert look() == ("REVERSE_SUCCESS", 0)
    with pytest.raises(ClientError, match="in status REVERSE_SUCCESS"):
        execute("REVERSE")
    execute("RESET")
    assert look() == ("STANDBY", 0)
    history = budgets.describe_budget_action_histories(**where)["ActionHistories"]
    assert [one["Status"] for one in history] == [
        "STANDBY",
        "REVERSE_SUCCESS",
        "EXECUTION_SUCCESS",
        "STANDBY",
    ]


def test_an_action_changes_in_place_and_fails_by_name(types, context, spend):
    """A role that does not exist is a failure that can be retried, not an error of whoever spends."""
    types[BUDGET].create(context, a_budget("change"))
    kind, policy = types[ACTION], "arn:aws:iam::aws:policy/none"
    old, new = an_action("change", policy, "nobody"), an_action("change", policy, "somebody")
    made = kind.create(context, old)
    assert kind.update(context, made.physical_id, old, new).physical_id == made.physical_id
    spend("change", 1000)
    [action] = context.client("budgets").describe_budget_actions_for_budget(
        AccountId=ACCOUNT, BudgetName="change"
    )["Actions"]
    assert action["Status"] == "EXECUTION_FAILURE"
    assert action["Definition"]["IamActionDefinition"]["Roles"] == ["somebody"]
    for _ in range(2):
        kind.delete(context, made.physical_id, new)


def test_what_is_not_emulated_is_refused_by_name(context):
    """Nothing of budgets is left to others, who would know none of these."""
    with pytest.raises(ClientError, match="budgets: DescribeBudgetPerformanceHistory is not emulated"):
        context.client("budgets").describe_budget_performance_history(AccountId=ACCOUNT, BudgetName="any")
    with pytest.raises(ClientError, match="AccessDenied"):
        context.client("budgets").describe_budgets(AccountId="444455556666")
