"""Who may do what: boundaries, wildcards, and two teams that share an account."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from stacks import grants
from stacks.arns import partition
from stacks.constructs import guardrail_conditions
from stacks.constructs.permission import Permission

INLINE_LIMIT = 10240

GUARDED_ACTIONS = {
    "jobs": guardrail_conditions.JOBS,
    "endpoints": (
        *guardrail_conditions.CONFIGS,
        *guardrail_conditions.MODELS,
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        "sagemaker:DeleteTags",
    ),
    "workplaces": (
        *guardrail_conditions.STUDIO,
        *guardrail_conditions.DOMAINS,
        *guardrail_conditions.NOTEBOOK_CHANGES,
    ),
}

# What a neighbour owns, by the names that people and idempotency need; `{}` is the other stage.
NEIGHBOURS_RESOURCES = [
    "arn:aws:s3:::{}-data-111122223333-eu-west-1",
    "arn:aws:s3:::{}-data-111122223333-eu-west-1/pitch/train/a.csv",
    "arn:aws:s3:::{}-artifacts-111122223333-eu-west-1/model.tar.gz",
    "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{}-pitch-errors",
    "arn:aws:ecr:eu-west-1:111122223333:repository/{}/denoise",
    "arn:aws:events:eu-west-1:111122223333:rule/{}-uploads",
    "arn:aws:iam::111122223333:role/{}-access-ExecutionRole-1ABC",
    "arn:aws:lambda:eu-west-1:111122223333:function:{}-start-training",
    "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/{}-start-training:log-stream:1",
    "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/Endpoints/{}-pitch:log-stream:1",
    "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/TrainingJobs:log-stream:{}-pitch-1/algo-1",
    "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/{}-pitch",
    "arn:aws:sagemaker:eu-west-1:111122223333:model-package/{}-pitch/1",
    "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/{}-pitch",
    "arn:aws:sagemaker:eu-west-1:111122223333:training-job/{}-pitch-1",
    "arn:aws:sns:eu-west-1:111122223333:{}-training-Topic-1",
    "arn:aws:sqs:eu-west-1:111122223333:{}-training-DeadLetters-1",
    "arn:aws:ssm:eu-west-1:111122223333:parameter/atelier/audio/dev/pitch",
    "arn:aws:ssm:eu-west-1:111122223333:parameter/atelier/vision/dev/pitch",
    "arn:aws:states:eu-west-1:111122223333:execution:{}-train-pitch:1",
    "arn:aws:states:eu-west-1:111122223333:stateMachine:{}-train-pitch",
]


def test_every_role_carries_the_boundary_of_its_kind_and_environment(assembly):
    """No role can be allowed more than its boundary says, those that CDK makes for itself included."""
    of_service = {"budgets": "budgets", "codebuild": "builds", "sagemaker": "jobs", "states": "workflows"}
    for stage in assembly.environments.stages:
        for role in assembly.environments.roles(stage):
            stack = role.resource.stack.rpartition("-")[2]
            principal = role.resource.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
            service = principal.get("Service", "").partition(".")[0]
            kind = "people" if stack == "people" else of_service.get(service, "functions")
            if role.name.startswith(f"{stage}-registry-Removal"):
                kind = "removal"
            # People run code of their own in Studio and in notebooks.
            if "-Roles" in role.name:
                kind = "workplaces"
            assert role.boundary is not None, role.name
            assert role.boundary.name.startswith(f"Boundary{kind}"), role.name


def test_whoever_may_create_is_held_by_the_guardrails(assembly):
    """A role that may create jobs, endpoints, apps or notebooks has the denials of all that it may create."""
    for stage in assembly.environments.stages:
        for role in assembly.environments.roles(stage):
            attached = {policy.name.removeprefix("Guardrails") for policy in role.policies}
            allowed = {
                action
                for policy in role.policies
                for one in policy.document.get("Statement", [])
                if one["Effect"] == "Allow"
                for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
            }
            for theme, actions in GUARDED_ACTIONS.items():
                if any(fnmatchcase(action, pattern) for pattern in allowed for action in actions):
                    assert any(name.startswith(theme) for name in attached), f"{role.name}: {theme}"


def test_no_role_takes_a_policy_that_aws_manages(assembly):
    """AWS's policies allow too much; CDK's function that empties buckets has the one for its log alone."""
    allowed = "iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for role in assembly.resources("AWS::IAM::Role"):
        for policy in role.properties.get("ManagedPolicyArns", []):
            text = json.dumps(policy)
            assert ":aws:policy/" not in text or allowed in text, role.where


def test_roles_are_assumed_for_their_own_account_alone(assembly):
    """A service that acts for another account cannot be led to use a role of this one."""
    for role in assembly.resources("AWS::IAM::Role"):
        if "CustomS3AutoDeleteObjects" in role.logical_id:
            continue  # CDK's own, whose trust it does not let us narrow
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            if "Service" not in statement["Principal"]:
                continue  # a person: see the tests of people
            condition = statement["Condition"]["StringEquals"]
            assert set(condition) >= {"aws:SourceAccount"}, role.where


@pytest.mark.parametrize("boundaries", [False, True])
def test_a_bare_star_stands_only_for_actions_without_resources(assembly, boundaries):
    """`Resource: *` is allowed for the actions that AWS lets nobody narrow, and for none beside them."""
    for statement in assembly.statements(boundaries=boundaries):
        if "*" in statement.resources:
            assert set(statement.actions) <= set(grants.UNSCOPED_ACTIONS), statement.where


@pytest.mark.parametrize("boundaries", [False, True])
@pytest.mark.parametrize(("team", "other"), [("vision", "audio"), ("audio", "vision")])
def test_no_statement_reaches_the_other_team_of_the_account(assembly, team, other, boundaries):
    """Neither policies nor boundaries of one team match a resource of its neighbour."""
    arns = [arn.format(f"{other}-dev") for arn in NEIGHBOURS_RESOURCES if f"/{team}/" not in arn]
    statements = assembly.statements(stage=f"{team}-dev", boundaries=boundaries)
    assert statements
    for statement in statements:
        if statement.resources == ["*"] or statement.conditions.get("StringNotEquals") == {
            "aws:ResourceAccount": "111122223333"
        }:
            continue  # judged by the test of bare stars, and for other accounts only
        for pattern in statement.resources:
            for arn in arns:
                assert not fnmatchcase(arn, pattern), f"{statement.where}: {pattern} matches {arn}"


def test_keys_of_unknown_arn_are_bound_to_the_alias_of_the_environment(assembly):
    """A wildcard over keys comes with the condition that the key is the environment's, or AWS's for S3."""
    for stage in ("vision-dev", "audio-dev"):
        for statement in assembly.statements(stage=stage, boundaries=True):
            if any(":key/*" in resource for resource in statement.resources):
                assert statement.conditions == {
                    "ForAnyValue:StringEquals": {"kms:ResourceAliases": [f"alias/{stage}", "alias/aws/s3"]}
                }


def test_no_template_names_another_team(assembly):
    """Nothing of one team's stacks, resource policies included, speaks of the other's resources."""
    for stack, template in assembly.templates.items():
        other = "audio" if stack.startswith("vision-") else "vision"
        assert f"{other}-" not in json.dumps(template), stack


def test_policies_stay_within_what_iam_stores(assembly):
    """The inline policies of a role hold 10,240 characters in all."""
    sizes: dict[tuple[str, str], int] = {}
    for policy in assembly.resources("AWS::IAM::Policy"):
        stage = policy.stack.rpartition("-")[0]
        for role in policy.properties["Roles"]:
            # A role of another stack is imported by a name that ends in its logical ID and eight more digits.
            name = role.get("Ref") or role["Fn::ImportValue"].partition("ExportsOutputRef")[2][:-8]
            size = len(json.dumps(policy.properties["PolicyDocument"], separators=(",", ":")))
            sizes[stage, name] = sizes.get((stage, name), 0) + size
    assert max(sizes.values()) <= INLINE_LIMIT


def test_a_wildcard_without_a_reason_is_refused():
    """`*` needs a written reason, where it stands."""
    with pytest.raises(ValueError, match=r"ReadAll: Action::s3:Get\*, Resource::\*: say in `because`"):
        Permission(sid="ReadAll", actions=["s3:Get*"], resources=["*"])


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-west-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
    ],
)
def test_an_arn_begins_with_the_partition_of_its_region(region, expected):
    """China and the government's regions have ARNs of their own."""
    assert partition(region) == expected


@pytest.mark.parametrize("stage", ["vision-dev", "audio-dev"])
def test_the_boundary_lets_through_what_policies_allow(assembly, stage):
    """What a policy allows and the boundary does not would be refused on AWS, at run time and one by one."""
    limits = assembly.statements(stage=stage, boundaries=True)
    asked = {
        (statement.where, action, resource)
        for statement in assembly.statements(stage=stage)
        for action in statement.actions
        for resource in statement.resources
        if resource == "*" or resource.split(":")[2] == action.split(":")[0]
    }
    refused = [
        (where, action, resource)
        for where, action, resource in sorted(asked)
        if not any(
            any(fnmatchcase(action, pattern) for pattern in limit.actions)
            and any(fnmatchcase(resource, pattern) for pattern in limit.resources)
            for limit in limits
        )
    ]
    assert asked
    assert refused == []
