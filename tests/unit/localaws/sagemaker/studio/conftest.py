"""A VPC with a role in an account of the test's own, and short ways to make what Studio is made of."""

from __future__ import annotations

import base64
import itertools
import json
import time
from functools import cached_property

import pytest
from botocore.exceptions import ClientError

REGION = "eu-west-1"
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}
_accounts = (f"{number:012}" for number in itertools.count(200_000_000_000))
_PASSING = ("Pending", "Updating", "Deleting", "Stopping", "CREATING", "UPDATING", "DELETING")
_STATUS = ("Status", "NotebookInstanceStatus", "ImageStatus", "ImageVersionStatus")


class Place:
    """An account with a VPC of three subnets in two zones, a security group, and a role."""

    def __init__(self, server):
        self._server = server
        self.account = next(_accounts)
        self.role = self.client("iam").create_role(
            RoleName="team", AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("aab")
        ]
        self.group = self.ec2.create_security_group(GroupName="team", Description="team", VpcId=self.vpc)[
            "GroupId"
        ]

    def client(self, service):
        """A client of this account."""
        return self._server.world.client(service, self.account, REGION)

    @cached_property
    def sagemaker(self):
        """A client of SageMaker."""
        return self.client("sagemaker")

    @cached_property
    def ec2(self):
        """A client of EC2."""
        return self.client("ec2")

    def domain_request(self, **more):
        """The parameters of CreateDomain."""
        return {
            "DomainName": "team",
            "AuthMode": "IAM",
            "VpcId": self.vpc,
            "SubnetIds": self.subnets,
            "DefaultUserSettings": {"ExecutionRole": self.role, "SecurityGroups": [self.group]},
            "DefaultSpaceSettings": {"ExecutionRole": self.role, "SecurityGroups": [self.group]},
            **more,
        }

    def domain(self, **more):
        """The id of a domain in service."""
        made = self.sagemaker.create_domain(**self.domain_request(**more))
        self.settled(self.sagemaker.describe_domain, DomainId=made["DomainId"])
        return made["DomainId"]

    def profile(self, domain, name="ada", **settings):
        """A user profile in service."""
        more = {"UserSettings": settings} if settings else {}
        self.sagemaker.create_user_profile(DomainId=domain, UserProfileName=name, **more)
        return self.settled(self.sagemaker.describe_user_profile, DomainId=domain, UserProfileName=name)

    def space_request(self, domain, name="desk", *, owner="ada", sharing="Private", app="JupyterLab", **more):
        """The parameters of CreateSpace."""
        return {
            "DomainId": domain,
            "SpaceName": name,
            "OwnershipSettings": {"OwnerUserProfileName": owner},
            "SpaceSharingSettings": {"SharingType": sharing},
            "SpaceSettings": {"AppType": app, **more},
        }

    def space(self, domain, name="desk", **more):
        """A space in service."""
        self.sagemaker.create_space(**self.space_request(domain, name, **more))
        return self.settled(self.sagemaker.describe_space, DomainId=domain, SpaceName=name)

    def app(self, domain, space="desk", kind="JupyterLab"):
        """The parameters that name an app, which is starting."""
        names = {"DomainId": domain, "SpaceName": space, "AppType": kind, "AppName": "default"}
        self.sagemaker.create_app(**names)
        return names

    def lifecycle_config(self, name="start", kind="JupyterLab"):
        """The ARN of a Studio lifecycle configuration."""
        return self.sagemaker.create_studio_lifecycle_config(
            StudioLifecycleConfigName=name,
            StudioLifecycleConfigContent=base64.b64encode(b"#!/bin/bash\n").decode(),
            StudioLifecycleConfigAppType=kind,
        )["StudioLifecycleConfigArn"]

    def notebook(self, name="nb", **more):
        """The description of a notebook instance in service."""
        request = {"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": self.role}
        self.sagemaker.create_notebook_instance(**request, **more)
        return self.settled(self.sagemaker.describe_notebook_instance, NotebookInstanceName=name)

    def interfaces(self):
        """The ids of the interfaces in the account."""
        found = self.ec2.describe_network_interfaces()["NetworkInterfaces"]
        return {each["NetworkInterfaceId"] for each in found}

    @staticmethod
    def until(true):
        """Wait until something is true."""
        deadline = time.monotonic() + 10
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @staticmethod
    def settled(describe, **names):
        """The description once its status passes no more; None when there is nothing any more."""
        deadline = time.monotonic() + 10
        while True:
            try:
                found = describe(**names)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException"):
                    return None
                raise
            (status,) = (found[key] for key in _STATUS if key in found)
            if status not in _PASSING:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.01)

    @staticmethod
    def refusal(call, **params):
        """The error of a call that is refused: its code and message."""
        with pytest.raises(ClientError) as error:
            call(**params)
        return error.value.response["Error"]


@pytest.fixture
def place(server):
    """An account of its own, with a VPC and a role."""
    return Place(server)


@pytest.fixture(scope="module")
def shared(server):
    """The same for all tests of a module that leave nothing behind, with a domain and a profile."""
    place = Place(server)
    place.domain_id = place.domain()
    place.profile(place.domain_id)
    return place
