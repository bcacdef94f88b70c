"""Studio and notebook instances as resource types: waiting, changing in place, refusing to go."""

import base64
import json
import time

import pytest
from botocore.exceptions import ClientError

DOMAIN, PROFILE, SPACE = (f"AWS::SageMaker::{kind}" for kind in ("Domain", "UserProfile", "Space"))
NOTEBOOK, CODE = "AWS::SageMaker::NotebookInstance", "AWS::SageMaker::CodeRepository"
NOTEBOOK_CONFIG = "AWS::SageMaker::NotebookInstanceLifecycleConfig"
CONFIG, APP_IMAGE = "AWS::SageMaker::StudioLifecycleConfig", "AWS::SageMaker::AppImageConfig"
IMAGE, VERSION = "AWS::SageMaker::Image", "AWS::SageMaker::ImageVersion"
ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/studio-test"
SCRIPT = base64.b64encode(b"#!/bin/bash\n").decode()
TAGS = [{"Key": "a", "Value": "b"}]


@pytest.fixture(scope="module")
def ground(server):
    """A role that SageMaker may assume, and a VPC with a subnet."""
    iam, ec2 = (server.world.client(service, ACCOUNT, REGION) for service in ("iam", "ec2"))
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(RoleName="studio-test", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    return {"VpcId": vpc, "SubnetIds": [subnet]}


@pytest.fixture
def domain_props(ground):
    """The properties of a domain."""
    return {
        "DomainName": "studio",
        "AuthMode": "IAM",
        "DefaultUserSettings": {"ExecutionRole": ROLE},
        **ground,
    }


@pytest.fixture
def domain(types, make_context, domain_props):
    """The id of a domain that stands as long as the test."""
    context = make_context()
    made = types[DOMAIN].create(context, domain_props)
    yield made.physical_id
    types[DOMAIN].delete(context, made.physical_id, domain_props)


def test_a_domain_is_made_changed_and_deleted(live, domain_props):
    """In place, but for what replaces it; its file system stays behind."""

    def look(client, physical_id):
        found = client("sagemaker").describe_domain(DomainId=physical_id)
        portal = found["DefaultUserSettings"].get("StudioWebPortal")
        return found["Status"], portal, found["DefaultUserSettings"]["ExecutionRole"] == ROLE

    def props(portal):
        settings = {"ExecutionRole": ROLE, "StudioWebPortal": portal}
        more = {"DomainSettings": {"DockerSettings": {"EnableDockerAccess": "ENABLED"}}, "Tags": TAGS}
        return {**domain_props, "DefaultUserSettings": settings, **more}

    steps = [(props(portal), ("InService", portal, True)) for portal in ("ENABLED", "DISABLED")]
    made = live(DOMAIN, look, steps)
    assert made.attributes["DomainId"] == made.physical_id
    assert made.attributes["HomeEfsFileSystemId"].startswith("fs-")


def test_profiles_and_spaces_are_made_changed_and_deleted(live, types, make_context, domain):
    """`Ref` joins what names them; a space waits for its owner's profile."""
    profile = types[PROFILE].create(make_context(), {"DomainId": domain, "UserProfileName": "ada"})
    assert profile.physical_id == f"ada|{domain}"

    def look(client, physical_id):
        domain_id, name = physical_id.split("|")
        found = client("sagemaker").describe_space(DomainId=domain_id, SpaceName=name)
        return found["Status"], found.get("SpaceDisplayName")

    props = {
        "DomainId": domain,
        "SpaceName": "desk",
        "OwnershipSettings": {"OwnerUserProfileName": "ada"},
        "SpaceSharingSettings": {"SharingType": "Private"},
        "SpaceSettings": {"AppType": "JupyterLab"},
    }
    steps = [({**props, "SpaceDisplayName": name}, ("InService", name)) for name in ("Desk", "Table")]
    live(SPACE, look, steps)

    space = types[SPACE].create(make_context(), props)
    with pytest.raises(ClientError, match=r"because Space\(s\) are associated with it"):
        types[PROFILE].delete(make_context(), profile.physical_id, {})
    types[SPACE].delete(make_context(), space.physical_id, props)
    types[PROFILE].delete(make_context(), profile.physical_id, {})


def simple(describe, *parameters):
    """A look at what is described under the last part of the physical id."""

    def look(client, physical_id):
        found = getattr(client("sagemaker"), describe)(**{parameters[0]: physical_id.rpartition("/")[2]})
        for key in parameters[1:]:
            found = found.get(key) if isinstance(found, dict) else found
        return found

    return look


LIVES = [
    (
        CODE,
        simple("describe_code_repository", "CodeRepositoryName", "GitConfig", "SecretArn"),
        [
            (
                {"GitConfig": {"RepositoryUrl": "https://example.com/a.git", "SecretArn": secret}},
                secret,
            )
            for secret in (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}" for name in "ab")
        ],
    ),
    (
        NOTEBOOK_CONFIG,
        simple(
            "describe_notebook_instance_lifecycle_config", "NotebookInstanceLifecycleConfigName", "OnStart"
        ),
        [
            ({"OnStart": [{"Content": SCRIPT}]}, [{"Content": SCRIPT}]),
            ({"OnCreate": [{"Content": SCRIPT}]}, []),
        ],
    ),
    (
        CONFIG,
        simple(
            "describe_studio_lifecycle_config", "StudioLifecycleConfigName", "StudioLifecycleConfigAppType"
        ),
        [
            (
                {
                    "StudioLifecycleConfigName": "start",
                    "StudioLifecycleConfigAppType": "JupyterLab",
                    "StudioLifecycleConfigContent": SCRIPT,
                },
                "JupyterLab",
            )
        ],
    ),
    (
        APP_IMAGE,
        simple(
            "describe_app_image_config",
            "AppImageConfigName",
            "JupyterLabAppImageConfig",
            "ContainerConfig",
            "ContainerEnvironmentVariables",
        ),
        [
            (
                {
                    "AppImageConfigName": "lab",
                    "JupyterLabAppImageConfig": {
                        "ContainerConfig": {"ContainerEnvironmentVariables": [{"Key": key, "Value": "1"}]}
                    },
                },
                {key: "1"},
            )
            for key in "AB"
        ],
    ),
    (
        IMAGE,
        simple("describe_image", "ImageName", "DisplayName"),
        [
            (
                {"ImageName": "tools", "ImageRoleArn": ROLE, "ImageDisplayName": "Tools", "Tags": TAGS},
                "Tools",
            ),
            ({"ImageName": "tools", "ImageRoleArn": ROLE}, None),
        ],
    ),
]


@pytest.mark.usefixtures("ground")
@pytest.mark.parametrize(("type_name", "look", "steps"), LIVES, ids=[each[0] for each in LIVES])
def test_a_kind_is_made_changed_and_deleted(live, type_name, look, steps):
    """In place, as far as AWS lets it."""
    live(type_name, look, steps)


@pytest.mark.usefixtures("ground")
def test_a_version_of_an_image_changes_its_aliases(types, make_context, context):
    """And fails to be made where ECR has no such image, leaving nothing."""
    image = types[IMAGE].create(make_context(), {"ImageName": "versioned", "ImageRoleArn": ROLE})
    sagemaker = context.client("sagemaker")
    props = {"ImageName": "versioned", "BaseImage": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/no:1"}
    with pytest.raises(Exception, match="no:1"):
        types[VERSION].create(make_context(), props)
    assert sagemaker.list_image_versions(ImageName="versioned")["ImageVersions"] == []
    ecr = context.client("ecr")
    repository = ecr.create_repository(repositoryName="versioned")["repository"]
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    ecr.put_image(repositoryName="versioned", imageManifest=json.dumps(manifest), imageTag="1")
    props = {**props, "BaseImage": f"{repository['repositoryUri']}:1", "Alias": "old"}
    made = types[VERSION].create(context, props)
    assert made.attributes["Version"] == 2
    types[VERSION].update(context, made.physical_id, props, {**props, "Alias": None, "Aliases": ["new"]})
    assert sagemaker.list_aliases(ImageName="versioned")["SageMakerImageVersionAliases"] == ["new"]
    types[VERSION].delete(context, made.physical_id, props)
    types[IMAGE].delete(context, image.physical_id, {})


def test_a_notebook_instance_is_stopped_to_be_changed(types, context, ground):
    """And started again where it ran; it goes whatever it does."""
    kind, sagemaker = types[NOTEBOOK], context.client("sagemaker")
    props = {
        "InstanceType": "ml.t3.medium",
        "RoleArn": ROLE,
        "SubnetId": ground["SubnetIds"][0],
        "DefaultCodeRepository": "https://example.com/a.git",
    }
    made = kind.create(context, props)
    name = {"NotebookInstanceName": made.attributes["NotebookInstanceName"]}
    assert made.attributes["NotebookInstanceName"].startswith(f"{context.stack_name}-{context.logical_id}-")
    changed = {**props, "VolumeSizeInGB": "20", "DefaultCodeRepository": None, "Tags": TAGS}
    kind.update(context, made.physical_id, props, changed)
    found = sagemaker.describe_notebook_instance(**name)
    assert (found["NotebookInstanceStatus"], found["VolumeSizeInGB"]) == ("InService", 20)
    assert "DefaultCodeRepository" not in found
    assert {"Key": "a", "Value": "b"} in sagemaker.list_tags(ResourceArn=made.physical_id)["Tags"]
    for _ in range(2):
        kind.delete(context, made.physical_id, changed)
        assert sagemaker.list_notebook_instances(NameContains=context.stack_name)["NotebookInstances"] == []


def test_another_branch_is_another_repository(types):
    """Another secret is not, as AWS's schema says of the parts of GitConfig."""
    old = {"GitConfig": {"RepositoryUrl": "https://example.com/a.git", "Branch": "main"}}
    for changes, replaced in (({"SecretArn": "s"}, False), ({"Branch": "next"}, True)):
        new = {"GitConfig": {**old["GitConfig"], **changes}}
        assert types[CODE].replaced_by("GitConfig", old, new) is replaced


class Stack:
    """A stack of these resources."""

    def __init__(self, client, name):
        self._cloudformation = client("cloudformation")
        self._name = {"StackName": name}

    def bring(self, verb, resources):
        """Create or update the stack; its status in the end."""
        template = json.dumps({"Resources": resources})
        getattr(self._cloudformation, f"{verb}_stack")(**self._name, TemplateBody=template)
        return self.status()

    def delete(self):
        """Delete the stack; its status in the end."""
        self._cloudformation.delete_stack(**self._name)
        return self.status()

    def status(self):
        """The status once it passes no more; None when the stack is gone."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                (stack,) = self._cloudformation.describe_stacks(**self._name)["Stacks"]
            except ClientError:
                return None
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack["StackStatus"]
            time.sleep(0.05)
        raise TimeoutError(stack)

    def reasons(self):
        """Why something failed to be deleted."""
        events = self._cloudformation.describe_stack_events(**self._name)["StackEvents"]
        return [
            event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "DELETE_FAILED"
        ]


def test_a_stack_with_a_running_app_is_not_deleted(context, domain_props):
    """It says why; once the app is gone it goes on, and leaves the file system that holds the subnet."""
    sagemaker, stack = context.client("sagemaker"), Stack(context.client, "studio")
    props = {**domain_props, "DomainName": "busy"}
    resources = {
        "Domain": {"Type": DOMAIN, "Properties": props},
        "Ada": {
            "Type": PROFILE,
            "Properties": {"DomainId": {"Ref": "Domain"}, "UserProfileName": "ada"},
        },
        "Desk": {
            "Type": SPACE,
            "DependsOn": "Ada",
            "Properties": {
                "DomainId": {"Ref": "Domain"},
                "SpaceName": "desk",
                "OwnershipSettings": {"OwnerUserProfileName": "ada"},
                "SpaceSharingSettings": {"SharingType": "Private"},
                "SpaceSettings": {"AppType": "JupyterLab"},
            },
        },
    }
    assert stack.bring("create", resources) == "CREATE_COMPLETE"
    (domain,) = [each for each in sagemaker.list_domains()["Domains"] if each["DomainName"] == "busy"]
    app = {
        "DomainId": domain["DomainId"],
        "SpaceName": "desk",
        "AppType": "JupyterLab",
        "AppName": "default",
    }
    sagemaker.create_app(**app)
    assert stack.delete() == "DELETE_FAILED"
    assert any("because App(s) are associated with it" in reason for reason in stack.reasons())
    sagemaker.delete_app(**app)
    deadline = time.monotonic() + 10
    while sagemaker.describe_app(**app)["Status"] != "Deleted" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert stack.delete() is None
    files = context.client("efs").describe_file_systems(CreationToken=domain["DomainId"])["FileSystems"]
    assert len(files) == 1
