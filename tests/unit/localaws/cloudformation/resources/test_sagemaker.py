import json
from threading import Event
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.resource import ResourceFailed
from localaws.cloudformation.resources import sagemaker as resources

MODEL, CONFIG = "AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig"
ENDPOINT, GROUP = "AWS::SageMaker::Endpoint", "AWS::SageMaker::ModelPackageGroup"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-test"
CONTAINER = {
    "Image": "683313688378.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
    "ModelDataUrl": "s3://models/model.tar.gz",
    "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
}
MODEL_PROPS = {"ExecutionRoleArn": ROLE, "PrimaryContainer": CONTAINER}


def name(arn):
    """The name in an ARN."""
    return arn.rpartition("/")[2]


def with_tags(describe, parameter):
    """A look at a resource's tags, once it is described."""

    def look(client, arn):
        sagemaker = client("sagemaker")
        getattr(sagemaker, describe)(**{parameter: name(arn)})
        return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}

    return look


@pytest.fixture(scope="module", autouse=True)
def ground(server):
    """What SageMaker asks for before it makes a model: a role that trusts it, and the model's archive."""
    iam, s3 = (server.world.client(service, "111122223333", "eu-west-1") for service in ("iam", "s3"))
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=name(ROLE), AssumeRolePolicyDocument=document)
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=b"")


@pytest.fixture
def model(types, make_context):
    """The name of a model."""
    return types[MODEL].create(make_context(), MODEL_PROPS).attributes["ModelName"]


def variants(model, instances):
    """The properties of an endpoint configuration with one variant."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": instances,
        "InitialVariantWeight": 1,
    }
    return {"ProductionVariants": [variant]}


TAGS = {"Tags": [{"Key": "a", "Value": "b"}]}
TAGGED, PLAIN = {"team": "vision", "a": "b"}, {"team": "vision"}


def test_a_model_is_made_tagged_and_deleted(live, types, context):
    """Only its tags change in place; the containers are those of the template."""
    look = with_tags("describe_model", "ModelName")
    live(MODEL, look, [({**MODEL_PROPS, **TAGS}, TAGGED), (MODEL_PROPS, PLAIN)])
    created = types[MODEL].create(context, MODEL_PROPS)
    found = context.client("sagemaker").describe_model(ModelName=created.attributes["ModelName"])
    assert found["ModelArn"] == created.physical_id
    assert CONTAINER.items() <= found["PrimaryContainer"].items()


def test_an_endpoint_config_is_made_tagged_and_deleted(live, types, context, model):
    """Only its tags change in place; the variants are those of the template."""
    props = variants(model, "2")
    look = with_tags("describe_endpoint_config", "EndpointConfigName")
    live(CONFIG, look, [({**props, **TAGS}, TAGGED), (props, PLAIN)])
    created = types[CONFIG].create(context, props)
    found = context.client("sagemaker").describe_endpoint_config(EndpointConfigName=name(created.physical_id))
    assert found["ProductionVariants"][0]["InitialInstanceCount"] == 2


def test_a_model_package_group_is_made_tagged_and_deleted(live):
    """Only its tags change in place."""
    look = with_tags("describe_model_package_group", "ModelPackageGroupName")
    props = {"ModelPackageGroupName": "curve", "ModelPackageGroupDescription": "x"}
    live(GROUP, look, [({**props, **TAGS}, TAGGED), (props, PLAIN)])


@pytest.mark.parametrize(
    ("type_name", "props"),
    [(MODEL, {"ModelName": "taken", **MODEL_PROPS}), (GROUP, {"ModelPackageGroupName": "taken"})],
)
def test_a_name_that_is_taken_is_refused(types, make_context, type_name, props):
    """By SageMaker itself."""
    types[type_name].create(make_context(), props)
    with pytest.raises(ClientError, match=r"(?i)already exist"):
        types[type_name].create(make_context(), props)


class Scripted:
    """SageMaker's API with one endpoint that passes through scripted states, one at each look."""

    def __init__(self) -> None:
        client = boto3.session.Session("1", "2", region_name="eu-west-1").client("sagemaker")
        self.meta = client.meta
        self.script = []
        self.calls = []

    def create_endpoint(self, **params):
        """Note the call."""
        self.calls.append(("create", params["EndpointConfigName"]))
        return {"EndpointArn": f"arn:aws:sagemaker:eu-west-1:1:endpoint/{params['EndpointName']}"}

    def update_endpoint(self, **params):
        """Note the call."""
        self.calls.append(("update", params))
        return {}

    def delete_endpoint(self, **params):
        """Note the call."""
        self.calls.append(("delete", params["EndpointName"]))
        return {}

    def list_tags(self, **params):
        """The tags that the stack wants."""
        return {"Tags": [{"Key": "team", "Value": "vision"}]}

    def describe_endpoint(self, **params):
        """The next state of the script; one that is gone at its end."""
        if not self.script:
            error = {"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}
            raise ClientError(error, "DescribeEndpoint")
        status, config = self.script.pop(0)
        return {"EndpointStatus": status, "EndpointConfigName": config, "FailureReason": "no luck"}


@pytest.fixture
def scripted(monkeypatch):
    """The scripted API; looks follow each other at once."""
    monkeypatch.setattr(resources, "_POLL_SECONDS", 0)
    return Scripted()


@pytest.fixture
def scripted_context(make_context, scripted):
    """A context whose world has nothing but the scripted API."""
    return make_context(world=SimpleNamespace(client=lambda *_: scripted, stopping=Event()))


def test_an_endpoint_is_made_updated_and_gone_when_sagemaker_says_so(types, scripted, scripted_context):
    """Creation and update wait until the configuration serves, deletion until nothing is left."""
    endpoint = types[ENDPOINT]
    old = {"EndpointConfigName": "a", "EndpointName": "curve"}
    scripted.script = [("Creating", "a"), ("Creating", "a"), ("InService", "a")]
    created = endpoint.create(scripted_context, old)
    assert created.attributes == {"EndpointArn": created.physical_id, "EndpointName": "curve"}
    new = {**old, "EndpointConfigName": "b", "RetainAllVariantProperties": "true"}
    scripted.script = [("Updating", "a"), ("InService", "b")]
    assert endpoint.update(scripted_context, created.physical_id, old, new).physical_id == created.physical_id
    scripted.script = [("Deleting", "b")]
    endpoint.delete(scripted_context, created.physical_id, new)
    assert scripted.calls == [
        ("create", "a"),
        ("update", {"EndpointName": "curve", "EndpointConfigName": "b", "RetainAllVariantProperties": True}),
        ("delete", "curve"),
    ]
    assert scripted.script == []


def test_an_endpoint_that_never_serves_is_deleted_again(types, scripted, scripted_context):
    """Its reason becomes the stack's."""
    scripted.script = [("Creating", "a"), ("Failed", "a")]
    with pytest.raises(ResourceFailed, match=r"does not serve a \(Failed\): no luck"):
        types[ENDPOINT].create(scripted_context, {"EndpointConfigName": "a", "EndpointName": "curve"})
    assert scripted.calls[-1] == ("delete", "curve")


def test_an_update_that_sagemaker_rolled_back_fails(types, scripted, scripted_context):
    """The endpoint is in service, but from the configuration it had before."""
    scripted.script = [("Updating", "a"), ("RollingBack", "a"), ("InService", "a")]
    with pytest.raises(ResourceFailed, match="does not serve b"):
        types[ENDPOINT].update(
            scripted_context, "arn:endpoint/curve", {"EndpointConfigName": "a"}, {"EndpointConfigName": "b"}
        )


def test_a_group_has_the_policy_of_its_template(live):
    """Put, replaced and taken off."""

    def look(client, arn):
        sagemaker = client("sagemaker")
        sagemaker.describe_model_package_group(ModelPackageGroupName=name(arn))
        try:
            text = sagemaker.get_model_package_group_policy(ModelPackageGroupName=name(arn))["ResourcePolicy"]
        except ClientError:
            return "none"
        return json.loads(text)["Id"]

    steps = [({"ModelPackageGroupPolicy": {"Id": each}}, each) for each in "ab"]
    steps = [*steps, ({}, "none")]
    live(GROUP, look, [({"ModelPackageGroupName": "shared", **props}, seen) for props, seen in steps])
