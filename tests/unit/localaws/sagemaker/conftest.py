"""One embedded AWS for all tests of SageMaker; each test has a bucket of its own in it."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
import time

import pytest

from localaws.options import Options
from localaws.sagemaker.studio.durations import PACE
from localaws.server import Server

REGION = "eu-west-1"
IMAGE = f"141502667606.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0"
ACCOUNT = "111122223333"
TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
}
_numbers = itertools.count()
_START = 'exec python3 "${SAGEMAKER_BASE_DIR:-/opt/ml}"/processing/input/code/program.py "$@"'

_SCORE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=float)
parser.add_argument("--kind", default="")
options = parser.parse_args()
if options.kind == "bad":
    raise ValueError("no such kind")
print(f"score={(options.size - 3) ** 2};")
"""
_METRIC = {"Name": "score", "Regex": "score=([0-9.]+);"}
_ENDED = ("Completed", "Failed", "Stopped")


class Lab:
    """A bucket, a role, and short ways to train, serve and wait."""

    def __init__(self, server, role):
        self.server = server
        self.role = role
        self.account = ACCOUNT
        self.bucket = f"lab-{next(_numbers)}"
        self.region = REGION
        self.image = IMAGE
        self.sagemaker = self.client("sagemaker")
        self.runtime = self.client("sagemaker-runtime")
        self.s3 = self.client("s3")
        self.logs = self.client("logs")
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def client(self, service):
        """A boto3 client of this account."""
        return self.server.world.client(service, self.account, REGION)

    def put(self, key, content):
        """Put an object; its URI."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def archive(self, key, files):
        """Put a tar.gz of the given texts; its URI."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        return self.put(key, content.getvalue())

    def opened(self, uri):
        """The files of an archive in S3, by name."""
        key = uri.removeprefix(f"s3://{self.bucket}/")
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            return {member.name: tar.extractfile(member).read().decode() for member in tar if member.isfile()}

    def request(self, name, script, *, hyperparameters=None, channels=(), metrics=(), **more):
        """The parameters of CreateTrainingJob for a script that needs no packages."""
        code = self.archive(f"code/{name}.tar.gz", {"train.py": script, "requirements.txt": ""})
        return {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": list(metrics),
            },
            "HyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": json.dumps(code),
                **(hyperparameters or {}),
            },
            **({"InputDataConfig": [self.channel(item) for item in channels]} if channels else {}),
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **more,
        }

    def own_image(self, name, **files):
        """An image of one's own with these programs; its URI."""
        folder = self.server.world.options.containers / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
            (folder / file).chmod(0o755)
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/lab/{name}:latest"

    def built_in(self, name, image, hyperparameters, channels, **more):
        """Train with an image that brings its own program, and wait for the end."""
        self.sagemaker.create_training_job(
            **{
                **self.request(name, ""),
                "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
                "HyperParameters": hyperparameters,
                "InputDataConfig": channels,
                **more,
            }
        )
        return self.job(name)

    def serve(self, name, image, model_data, environment=None):
        """An endpoint of the image's own server, in service or failed."""
        container = {"Image": image, "ModelDataUrl": model_data, "Environment": environment or {}}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container)
        self.config(name, **{name: 1.0})
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.endpoint(name)

    def channel(self, name):
        """An input channel that reads the prefix of its own name."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{name}/"}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def start(self, name, script, **more):
        """Create a training job."""
        self.sagemaker.create_training_job(**self.request(name, script, **more))

    def train(self, name, script, **more):
        """Create a training job and wait for its end."""
        self.start(name, script, **more)
        return self.job(name)

    def job(self, name):
        """The description of a job once it has ended."""
        return self.until(
            lambda: self.sagemaker.describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    def log(self, group, prefix):
        """Every line of the streams that begin with `prefix`."""
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)
        return [
            event["message"]
            for stream in streams["logStreams"]
            for event in self.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def job_log(self, name):
        """Every line that a job wrote."""
        return self.log("/aws/sagemaker/TrainingJobs", f"{name}/")

    def running_log(self, name):
        """What a job has written so far, which may not even be a stream."""
        try:
            return self.job_log(name)
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def model(self, name, script, files=None, **more):
        """A model whose inference script is `script` and whose archive holds `files`."""
        code = self.archive(f"code/{name}.tar.gz", {"inference.py": script, "requirements.txt": ""})
        data = self.archive(f"model/{name}.tar.gz", files or {"model.txt": name})
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            PrimaryContainer={
                "Image": IMAGE,
                "ModelDataUrl": data,
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": code,
                },
            },
            **more,
        )

    def config(self, name, **weights):
        """An endpoint configuration with a variant for each model, named after it."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": model,
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": weight,
                    "VolumeSizeInGB": 5,
                }
                for model, weight in weights.items()
            ],
        )

    def endpoint(self, name):
        """The description of an endpoint once it is settled."""
        return self.until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name),
            lambda endpoint: endpoint["EndpointStatus"] in ("InService", "Failed"),
        )

    def invoke(self, name, body, content_type="application/json", **more):
        """Call an endpoint."""
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, **more)

    @staticmethod
    def until(look, good, seconds=180):
        deadline = time.monotonic() + seconds
        while not good(seen := look()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)
        return seen


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The embedded AWS, empty; Studio's apps start in a tenth of their time."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(PACE, "0.1")
        options = Options(containers=tmp_path_factory.mktemp("containers"), job_cpus=1, job_memory=1 << 30)
        server = Server(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("cache"), options=options)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def role(server):
    """A role that SageMaker may assume."""
    iam = server.world.client("iam", ACCOUNT, REGION)
    role = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))
    return role["Role"]["Arn"]


@pytest.fixture
def lab(server, role):
    """A fresh bucket in it."""
    return Lab(server, role)


class Desk:
    """Short ways to run processing jobs in an image of one's own that holds nothing."""

    def __init__(self, lab):
        self.lab = lab
        self.image = lab.own_image(f"tool-{lab.bucket}")

    def request(self, name, program, *, inputs=(), outputs=(), count=1, **more):
        """The parameters of CreateProcessingJob; inputs and outputs are prefixes of the lab's bucket."""
        self.lab.put(f"code/{name}/program.py", program)
        return {
            "ProcessingJobName": name,
            "RoleArn": self.lab.role,
            "AppSpecification": {
                "ImageUri": self.image,
                "ContainerEntrypoint": ["sh", "-c", _START, "-"],
                "ContainerArguments": ["--rows", "5"],
            },
            "ProcessingInputs": [self.place("Input", "code", f"code/{name}/"), *inputs],
            "ProcessingOutputConfig": {"Outputs": list(outputs)},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
            "Environment": {"COLOUR": "blue"},
            **more,
        }

    def place(self, kind, name, prefix, **more):
        """An input or output between a prefix and /opt/ml/processing/<kind>/<name>."""
        own = (
            {"S3DataType": "S3Prefix", "S3InputMode": "File"}
            if kind == "Input"
            else {"S3UploadMode": "EndOfJob"}
        )
        place = {
            "S3Uri": f"s3://{self.lab.bucket}/{prefix}",
            "LocalPath": f"/opt/ml/processing/{kind.lower()}/{name}",
            **own,
            **more,
        }
        return {f"{kind}Name": name, f"S3{kind}": place}

    def start(self, name, program, **more):
        """Create a job."""
        self.lab.sagemaker.create_processing_job(**self.request(name, program, **more))

    def run(self, name, program, **more):
        """Create a job; its description once it has ended."""
        self.start(name, program, **more)
        return self.ended(name)

    def ended(self, name):
        """The description of a job once it has ended."""
        return self.lab.until(
            lambda: self.lab.sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    def log(self, name):
        """Every line of a job's log."""
        return self.lab.log("/aws/sagemaker/ProcessingJobs", f"{name}/")


@pytest.fixture
def desk(lab):
    """Ways to run processing jobs."""
    return Desk(lab)


class Bench:
    """Short ways to tune."""

    def __init__(self, lab):
        self.lab = lab

    def request(
        self, name, script=_SCORE, *, strategy="Random", ranges=None, limits=None, config=None, **more
    ):
        """The parameters of CreateHyperParameterTuningJob for a script."""
        training = self.lab.request(name, script, metrics=[_METRIC])
        known = (
            "AlgorithmSpecification",
            "RoleArn",
            "OutputDataConfig",
            "ResourceConfig",
            "StoppingCondition",
        )
        definition = {key: training[key] for key in known}
        definition["StaticHyperParameters"] = training["HyperParameters"]
        whole = {"Name": "size", "MinValue": "1", "MaxValue": "4", "ScalingType": "Linear"}
        return {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobConfig": {
                "Strategy": strategy,
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "score"},
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": 4,
                    "MaxParallelTrainingJobs": 2,
                    **(limits or {}),
                },
                "ParameterRanges": ranges or {"IntegerParameterRanges": [whole]},
                **(config or {}),
            },
            "TrainingJobDefinition": definition,
            **more,
        }

    def start(self, name, *args, **more):
        """Create a tuning job."""
        self.lab.sagemaker.create_hyper_parameter_tuning_job(**self.request(name, *args, **more))

    def run(self, name, *args, **more):
        """Create a tuning job; its description once it has ended."""
        self.start(name, *args, **more)
        return self.ended(name)

    def ended(self, name):
        """The description of a job once it has ended."""
        return self.lab.until(
            lambda: self.lab.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda job: job["HyperParameterTuningJobStatus"] in _ENDED,
        )

    def trials(self, name, **more):
        """The training jobs of a tuning job."""
        return self.lab.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, **more
        )["TrainingJobSummaries"]


@pytest.fixture
def bench(lab):
    """Ways to tune."""
    return Bench(lab)
