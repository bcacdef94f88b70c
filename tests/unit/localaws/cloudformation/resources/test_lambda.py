import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed

FUNCTION, PERMISSION, INVOKE = (
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Lambda::EventInvokeConfig",
)
ANSWER = "def handler(event, context):\n    return {answer!r}\n"
BASE = {
    "Role": "arn:aws:iam::111122223333:role/r",
    "Handler": "index.handler",
    "Runtime": "python3.13",
    "Code": {"ZipFile": ANSWER.format(answer=1)},
}


def setting(name):
    """A look at one setting of a function."""

    def look(client, function):
        return client("lambda").get_function_configuration(FunctionName=function).get(name, "none")

    return look


def answered(client, function):
    """What the function returns when it is invoked."""
    return json.loads(client("lambda").invoke(FunctionName=function)["Payload"].read())


def reserved(client, function):
    """The function's reserved concurrency."""
    return (
        client("lambda")
        .get_function_concurrency(FunctionName=function)
        .get("ReservedConcurrentExecutions", "none")
    )


def tags(client, function):
    """The function's tags."""
    return client("lambda").get_function(FunctionName=function).get("Tags", {})


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (setting("Description"), [({"Description": "a"}, "a"), ({}, "")]),
        (setting("Timeout"), [({"Timeout": "60"}, 60), ({}, 3)]),
        (setting("MemorySize"), [({"MemorySize": 512}, 512), ({}, 128)]),
        (
            setting("Role"),
            [
                ({}, BASE["Role"]),
                ({"Role": "arn:aws:iam::111122223333:role/s"}, "arn:aws:iam::111122223333:role/s"),
            ],
        ),
        (setting("Runtime"), [({}, "python3.13"), ({"Runtime": "python3.12"}, "python3.12")]),
        (setting("Handler"), [({}, "index.handler"), ({"Handler": "index.other"}, "index.other")]),
        (
            lambda client, name: setting("Environment")(client, name).get("Variables", {}),
            [({"Environment": {"Variables": {"COUNT": 1}}}, {"COUNT": "1"}), ({}, {})],
        ),
        (
            setting("EphemeralStorage"),
            [({"EphemeralStorage": {"Size": 1024}}, {"Size": 1024}), ({}, {"Size": 512})],
        ),
        (
            setting("TracingConfig"),
            [({"TracingConfig": {"Mode": "Active"}}, {"Mode": "Active"}), ({}, {"Mode": "PassThrough"})],
        ),
        (
            setting("KMSKeyArn"),
            [
                (
                    {"KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/k"},
                    "arn:aws:kms:eu-west-1:111122223333:key/k",
                ),
                ({}, ""),
            ],
        ),
        (
            lambda client, name: setting("DeadLetterConfig")(client, name)["TargetArn"],
            [
                (
                    {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:111122223333:q"}},
                    "arn:aws:sqs:eu-west-1:111122223333:q",
                ),
                ({"DeadLetterConfig": {"TargetArn": ""}}, ""),
            ],
        ),
        (
            lambda client, name: setting("LoggingConfig")(client, name)["LogFormat"],
            [({"LoggingConfig": {"LogFormat": "JSON"}}, "JSON"), ({}, "Text")],
        ),
        (
            lambda client, name: setting("VpcConfig")(client, name)["SubnetIds"],
            [
                ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, ["subnet-1"]),
                ({"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}}, []),
            ],
        ),
        (setting("Architectures"), [({"Architectures": ["arm64"]}, ["arm64"]), ({}, ["x86_64"])]),
        (
            reserved,
            [
                ({"ReservedConcurrentExecutions": "2"}, 2),
                ({"ReservedConcurrentExecutions": 0}, 0),
                ({}, "none"),
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
def test_each_property_of_a_function_is_set_changed_and_taken_back(live, look, steps):
    """What a template says of a function is what Lambda answers, and its absence restores the default."""
    live(FUNCTION, look, [({**BASE, **props}, seen) for props, seen in steps])


def test_a_function_runs_the_code_it_is_given(types, context):
    """Inline code and code from a bucket; a new object version is new code."""
    s3, bucket = context.client("s3"), f"code-{context.logical_id.lower()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", ANSWER.format(answer="from a bucket"))
    s3.put_object(Bucket=bucket, Key="code.zip", Body=packed.getvalue())
    function = types[FUNCTION]
    name = function.create(context, BASE).physical_id
    assert answered(context.client, name) == 1
    stored = {**BASE, "Code": {"S3Bucket": bucket, "S3Key": "code.zip"}}
    function.update(context, name, BASE, stored)
    assert answered(context.client, name) == "from a bucket"
    function.delete(context, name, stored)


def test_inline_code_finds_the_module_that_answers_custom_resources(types, context):
    """AWS puts `cfnresponse` beside inline Python code; the same code packs to the same checksum."""
    code = "import cfnresponse\n\ndef handler(event, context):\n    return cfnresponse.SUCCESS\n"
    props = {**BASE, "Code": {"ZipFile": code}}
    name = types[FUNCTION].create(context, props).physical_id
    assert answered(context.client, name) == "SUCCESS"
    before = setting("CodeSha256")(context.client, name)
    types[FUNCTION].update(context, name, {**props, "Code": {}}, props)
    assert setting("CodeSha256")(context.client, name) == before
    types[FUNCTION].delete(context, name, props)


def test_inline_code_for_another_runtime_is_refused(types, context):
    """As on AWS."""
    with pytest.raises(ResourceFailed, match=r"inline code is for Python and Node.js, not 'java21'"):
        types[FUNCTION].create(context, {**BASE, "Runtime": "java21"})


def test_a_function_name_that_is_taken_is_refused(types, make_context):
    """By Lambda itself."""
    name = {"FunctionName": types[FUNCTION].create(make_context(), BASE).physical_id}
    with pytest.raises(ClientError, match="already exist"):
        types[FUNCTION].create(make_context(), {**BASE, **name})


@pytest.fixture
def function(types, make_context):
    """The name of a function."""
    return types[FUNCTION].create(make_context(), BASE).physical_id


def test_a_permission_is_one_statement_of_the_policy(types, make_context, function):
    """Two permissions stand side by side; each goes alone, and twice."""
    permission, context = types[PERMISSION], make_context()
    base = {"FunctionName": function, "Action": "lambda:InvokeFunction"}
    first = {
        **base,
        "Principal": "events.amazonaws.com",
        "SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/r",
    }
    second = {**base, "Principal": "s3.amazonaws.com", "SourceAccount": "111122223333"}
    ids = [
        permission.create(each, props).physical_id
        for each, props in ((context, first), (make_context(), second))
    ]

    def statements():
        policy = json.loads(context.client("lambda").get_policy(FunctionName=function)["Policy"])
        return {statement["Sid"]: statement for statement in policy["Statement"]}

    assert set(statements()) == set(ids)
    assert statements()[ids[0]]["Principal"] == {"Service": "events.amazonaws.com"}
    assert first["SourceArn"] in json.dumps(statements()[ids[0]]["Condition"])
    for _ in range(2):
        permission.delete(context, ids[0], first)
        assert set(statements()) == {ids[1]}


def test_an_event_invoke_config_is_put_replaced_and_deleted(live, types, make_context, function):
    """What a template leaves out is AWS's default; a second one for the function is refused."""
    base = {"FunctionName": function, "Qualifier": "$LATEST"}
    queue = {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:111122223333:q"}}

    def look(client, _):
        found = client("lambda").get_function_event_invoke_config(FunctionName=function)
        destination = found.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        return found.get("MaximumRetryAttempts"), found.get("MaximumEventAgeInSeconds"), destination

    live(
        INVOKE,
        look,
        [
            ({**base, "MaximumRetryAttempts": "0"}, (0, None, None)),
            (
                {**base, "MaximumEventAgeInSeconds": 60, "DestinationConfig": queue},
                (None, 60, queue["OnFailure"]["Destination"]),
            ),
        ],
    )
    types[INVOKE].create(make_context(), base)
    with pytest.raises(ResourceFailed, match="already exists"):
        types[INVOKE].create(make_context(), base)
