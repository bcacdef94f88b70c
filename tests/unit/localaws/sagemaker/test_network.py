"""The VPC that jobs and models join: it is held as long as they run, and not longer."""

import time

import pytest
from botocore.exceptions import ClientError


class Vpc:
    """A VPC with a subnet in each of two zones."""

    def __init__(self, ec2, region):
        self.ec2 = ec2
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
        self.where = [{"Name": "vpc-id", "Values": [vpc]}]
        self.subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.0.{start}/28", AvailabilityZone=f"{region}{zone}")[
                "Subnet"
            ]["SubnetId"]
            for start, zone in ((0, "a"), (16, "c"))
        ]
        groups = ec2.describe_security_groups(Filters=self.where)["SecurityGroups"]
        self.config = {"Subnets": self.subnets, "SecurityGroupIds": [groups[0]["GroupId"]]}

    def interfaces(self):
        """The descriptions of the interfaces in it."""
        found = self.ec2.describe_network_interfaces(Filters=self.where)["NetworkInterfaces"]
        return [one["Description"] for one in found]

    def wait_until_left(self):
        """A deleted endpoint takes a moment to go."""
        deadline = time.monotonic() + 30
        while self.interfaces() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.interfaces() == []


@pytest.fixture
def vpc(lab):
    """A VPC of the test's own."""
    return Vpc(lab.client("ec2"), lab.region)


def test_a_job_holds_its_subnets_while_it_runs(lab, vpc):
    """One interface, gone when the job is stopped."""
    script = "import time; print('on'); time.sleep(60)"
    lab.start("in-vpc", script, VpcConfig=vpc.config)
    lab.until(lambda: lab.sagemaker.describe_training_job(TrainingJobName="in-vpc"), _trains)
    assert len(vpc.interfaces()) == 1
    assert "in-vpc" in vpc.interfaces()[0]
    with pytest.raises(ClientError, match="DependencyViolation"):
        vpc.ec2.delete_subnet(SubnetId=vpc.subnets[0])
    lab.sagemaker.stop_training_job(TrainingJobName="in-vpc")
    lab.job("in-vpc")
    assert vpc.interfaces() == []
    assert any("VpcConfig has no effect" in line for line in lab.job_log("in-vpc"))


def _trains(job):
    return job["SecondaryStatus"] == "Training"


def test_an_endpoint_holds_its_subnets_until_it_is_deleted(lab, vpc):
    """One interface for each instance of the model."""
    lab.model("net-model", "def model_fn(model_dir):\n    return 1\n", VpcConfig=vpc.config)
    lab.config("net-model", **{"net-model": 1})
    lab.sagemaker.create_endpoint(EndpointName="net-model", EndpointConfigName="net-model")
    assert lab.endpoint("net-model")["EndpointStatus"] == "InService"
    assert len(vpc.interfaces()) == 1
    lab.sagemaker.delete_endpoint(EndpointName="net-model")
    vpc.wait_until_left()


def test_a_vpc_that_does_not_exist_is_refused_at_once(lab, vpc):
    """By the name of what is missing, for jobs and models alike."""
    config = {**vpc.config, "Subnets": ["subnet-0123456789abcdef0"]}
    with pytest.raises(ClientError, match="subnet-0123456789abcdef0"):
        lab.start("nowhere", "", VpcConfig=config)
    with pytest.raises(ClientError, match="subnet-0123456789abcdef0"):
        lab.model("nowhere", "", VpcConfig=config)
