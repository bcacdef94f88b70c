import json

import pytest

from localaws.cloudformation.resource import ResourceFailed

MACHINE = "AWS::StepFunctions::StateMachine"


def definition(end):
    """A definition with one state."""
    return {"StartAt": end, "States": {end: {"Type": "Succeed"}}}


BASE = {"RoleArn": "arn:aws:iam::111122223333:role/r", "DefinitionString": json.dumps(definition("A"))}


def field(name):
    """A look at one field of a state machine."""
    return lambda client, arn: (
        client("stepfunctions").describe_state_machine(stateMachineArn=arn).get(name, "none")
    )


def first_state(client, arn):
    """The name of the state that a machine starts at."""
    return json.loads(field("definition")(client, arn))["StartAt"]


def tags(client, arn):
    """A state machine's tags as a mapping."""
    states = client("stepfunctions")
    states.describe_state_machine(stateMachineArn=arn)
    return {tag["key"]: tag["value"] for tag in states.list_tags_for_resource(resourceArn=arn)["tags"]}


def destination(level):
    """A logging configuration to one log group."""
    group = "arn:aws:logs:eu-west-1:111122223333:log-group:g:*"
    return {
        "Level": level,
        "IncludeExecutionData": "true",
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
    }


def logging(client, arn):
    """The level and destinations of a machine's logging."""
    found = field("loggingConfiguration")(client, arn)
    if found == "none":
        return "OFF", 0
    return found["level"], len(found.get("destinations", ()))


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (
            first_state,
            [
                ({}, "A"),
                ({"DefinitionString": None, "Definition": definition("B")}, "B"),
                (
                    {
                        "DefinitionString": json.dumps(definition("${Name}")),
                        "DefinitionSubstitutions": {"Name": "C"},
                    },
                    "C",
                ),
            ],
        ),
        (
            field("roleArn"),
            [
                ({}, BASE["RoleArn"]),
                ({"RoleArn": "arn:aws:iam::111122223333:role/s"}, "arn:aws:iam::111122223333:role/s"),
            ],
        ),
        (
            logging,
            [
                ({"LoggingConfiguration": destination("ALL")}, ("ALL", 1)),
                ({"LoggingConfiguration": destination("ERROR")}, ("ERROR", 1)),
                ({}, ("OFF", 0)),
            ],
        ),
        (
            field("tracingConfiguration"),
            [
                ({"TracingConfiguration": {"Enabled": "true"}}, {"enabled": True}),
                ({"TracingConfiguration": {"Enabled": False}}, {"enabled": False}),
            ],
        ),
        (
            lambda client, arn: field("encryptionConfiguration")(client, arn)["type"],
            [
                (
                    {
                        "EncryptionConfiguration": {
                            "Type": "CUSTOMER_MANAGED_KMS_KEY",
                            "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/k",
                        }
                    },
                    "CUSTOMER_MANAGED_KMS_KEY",
                ),
                ({}, "AWS_OWNED_KEY"),
            ],
        ),
        (
            tags,
            [
                ({"Tags": [{"Key": "a", "Value": "b"}]}, {"team": "vision", "a": "b"}),
                ({}, {"team": "vision"}),
            ],
        ),
    ],
)
def test_each_property_of_a_state_machine_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a state machine is what Step Functions answers."""
    live(MACHINE, look, [({**BASE, **props}, seen) for props, seen in steps])


@pytest.mark.parametrize(
    "text", [json.dumps(definition("${End}")), "StartAt: ${End}\nStates: {Z: {Type: Succeed}}"]
)
def test_a_definition_may_lie_in_a_bucket(types, context, text):
    """As JSON or YAML, with substitutions."""
    s3 = context.client("s3")
    bucket = f"definitions-{context.logical_id.lower()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = "machine.json" if text.startswith("{") else "machine.yaml"
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    props = {
        "RoleArn": BASE["RoleArn"],
        "DefinitionS3Location": {"Bucket": bucket, "Key": key},
        "DefinitionSubstitutions": {"End": "Z"},
    }
    created = types[MACHINE].create(context, props)
    assert first_state(context.client, created.physical_id) == "Z"


def test_a_machine_needs_one_definition(types, context):
    """None, or two, say nothing clear."""
    for props in ({}, {"DefinitionString": "{}", "Definition": definition("A")}):
        with pytest.raises(ResourceFailed, match="Exactly one of"):
            types[MACHINE].create(context, {"RoleArn": "arn:r", **props})


def test_a_machine_name_that_is_taken_is_refused(types, make_context):
    """Step Functions itself takes an identical creation for success."""
    name = types[MACHINE].create(make_context(), BASE).attributes["Name"]
    with pytest.raises(ResourceFailed, match=f"{name} already exists"):
        types[MACHINE].create(make_context(), {**BASE, "StateMachineName": name})
