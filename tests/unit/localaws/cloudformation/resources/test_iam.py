import json

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

ROLE, POLICY, MANAGED = "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"


def document(action):
    """A policy document that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(service):
    """A trust policy."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return {"Version": "2012-10-17", "Statement": [statement]}


# Roles of the bootstrap template name no version in their trust policies.
UNVERSIONED = {"Statement": trust("states.amazonaws.com")["Statement"]}
TRUST = {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}


def role_field(name):
    """A look at one field of a role."""
    return lambda client, role: client("iam").get_role(RoleName=role)["Role"].get(name, "none")


def attached(client, role):
    """The ARNs of a role's managed policies."""
    found = client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return sorted(policy["PolicyArn"] for policy in found)


def inline(client, role):
    """A role's inline policies: name to what the first statement allows."""
    iam = client("iam")
    documents = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    return {name: found["Statement"][0]["Action"] for name, found in documents.items()}


def role_tags(client, role):
    """A role's tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in client("iam").list_role_tags(RoleName=role)["Tags"]}


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (role_field("Description"), [({"Description": "a"}, "a"), ({"Description": "b"}, "b"), ({}, "")]),
        (role_field("MaxSessionDuration"), [({"MaxSessionDuration": "7200"}, 7200), ({}, 3600)]),
        (
            role_field("AssumeRolePolicyDocument"),
            [
                ({}, trust("lambda.amazonaws.com")),
                ({"AssumeRolePolicyDocument": UNVERSIONED}, trust("states.amazonaws.com")),
            ],
        ),
        (
            role_field("PermissionsBoundary"),
            [
                (
                    {"PermissionsBoundary": BOUNDARY},
                    {
                        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
                        "PermissionsBoundaryArn": BOUNDARY,
                    },
                ),
                ({}, "none"),
            ],
        ),
        (
            attached,
            [
                ({"ManagedPolicyArns": [READ_ONLY]}, [READ_ONLY]),
                (
                    {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
                    ["arn:aws:iam::aws:policy/AdministratorAccess"],
                ),
                ({}, []),
            ],
        ),
        (
            inline,
            [
                (
                    {"Policies": [{"PolicyName": "a", "PolicyDocument": document("s3:GetObject")}]},
                    {"a": "s3:GetObject"},
                ),
                (
                    {
                        "Policies": [
                            {"PolicyName": "a", "PolicyDocument": document("s3:PutObject")},
                            {"PolicyName": "b", "PolicyDocument": document("kms:Decrypt")},
                        ]
                    },
                    {"a": "s3:PutObject", "b": "kms:Decrypt"},
                ),
                ({}, {}),
            ],
        ),
        (
            role_tags,
            [
                ({"Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
                ({}, {"team": "vision"}),
            ],
        ),
    ],
)
def test_each_property_of_a_role_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a role is what IAM answers, and its absence restores IAM's default."""
    live(ROLE, look, [({**TRUST, **props}, seen) for props, seen in steps])


def test_a_role_answers_its_name_arn_and_id(types, context):
    """Ref is the name, GetAtt the ARN (with the path) and the id."""
    created = types[ROLE].create(context, {**TRUST, "Path": "/atelier/"})
    role = context.client("iam").get_role(RoleName=created.physical_id)["Role"]
    assert created.attributes == {"Arn": role["Arn"], "RoleId": role["RoleId"]}
    assert "/atelier/Team" in role["Arn"]


def test_policies_that_others_attached_stay_and_hold_the_role(types, context):
    """An update leaves them alone; a deletion is refused as IAM does."""
    iam = context.client("iam")
    name = types[ROLE].create(context, TRUST).physical_id
    iam.put_role_policy(RoleName=name, PolicyName="other", PolicyDocument=json.dumps(document("a:b")))
    types[ROLE].update(context, name, TRUST, {**TRUST, "Description": "x"})
    with pytest.raises(ClientError, match="must delete policies first"):
        types[ROLE].delete(context, name, TRUST)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["other"]


def test_a_role_whose_policy_is_wrong_is_not_left_behind(types, context):
    """A managed policy that does not exist fails the creation and removes the role."""
    props = {**TRUST, "RoleName": context.logical_id, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/NoSuch"]}
    with pytest.raises(ClientError, match="NoSuch does not exist"):
        types[ROLE].create(context, props)
    with pytest.raises(ClientError, match="not found"):
        context.client("iam").get_role(RoleName=context.logical_id)


@pytest.fixture
def roles(types, make_context):
    """The names of two roles."""
    return [types[ROLE].create(make_context(), TRUST).physical_id for _ in "ab"]


def test_an_inline_policy_follows_its_name_and_its_roles(live, roles):
    """Renamed, moved to another role, put on both: nothing stale is left on any."""
    first, second = roles

    def look(client, _):
        found = {name: inline(client, name) for name in roles}
        return found if any(found.values()) else None

    def props(name, action, *names):
        return {"PolicyName": name, "PolicyDocument": document(action), "Roles": [*names]}

    live(
        POLICY,
        look,
        [
            (props("p", "a:b", first), {first: {"p": "a:b"}, second: {}}),
            (props("q", "a:c", first), {first: {"q": "a:c"}, second: {}}),
            (props("q", "a:c", second), {first: {}, second: {"q": "a:c"}}),
            (props("q", "a:d", first, second), {first: {"q": "a:d"}, second: {"q": "a:d"}}),
        ],
    )


def test_an_inline_policy_of_nobody_is_refused(types, context):
    """As CloudFormation does."""
    with pytest.raises(ResourceFailed, match="At least one of"):
        types[POLICY].create(context, {"PolicyName": "p", "PolicyDocument": document("a:b")})


def test_a_managed_policy_lives_through_versions_and_attachments(live, roles):
    """More updates than IAM keeps versions; its role exchanged; the newest document is the default."""
    first, second = roles

    def look(client, arn):
        iam = client("iam")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        current = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return current["Statement"][0]["Action"], [name for name in roles if attached(client, name) == [arn]]

    created = live(
        MANAGED,
        look,
        [
            ({"PolicyDocument": document(f"a:{turn}"), "Roles": [name]}, (f"a:{turn}", [name]))
            for turn, name in enumerate([first, first, second, second, first, first, second])
        ],
    )
    assert created.physical_id == created.attributes["PolicyArn"]


def test_an_instance_profile_holds_a_role(live, roles):
    """The role is exchanged in place."""

    def look(client, name):
        profile = client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        return [role["RoleName"] for role in profile["Roles"]]

    live("AWS::IAM::InstanceProfile", look, [({"Roles": [name]}, [name]) for name in roles])


def test_a_service_linked_role_changes_its_description(live):
    """Its name follows from the service."""
    service = {"AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
    steps = [({**service, "Description": "a"}, "a"), (service, "")]
    live("AWS::IAM::ServiceLinkedRole", role_field("Description"), steps)


@pytest.mark.parametrize(
    ("type_name", "name", "props"),
    [
        (ROLE, "RoleName", TRUST),
        (MANAGED, "ManagedPolicyName", {"PolicyDocument": document("a:b")}),
        ("AWS::IAM::InstanceProfile", "InstanceProfileName", {"Roles": []}),
    ],
)
def test_a_name_that_is_taken_is_refused(types, make_context, type_name, name, props):
    """By IAM itself, and what has the name stays."""
    context = make_context()
    types[type_name].create(context, {**props, name: context.logical_id})
    with pytest.raises(ClientError, match="exists"):
        types[type_name].create(make_context(), {**props, name: context.logical_id})
