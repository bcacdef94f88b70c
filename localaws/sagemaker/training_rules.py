"""What CreateTrainingJob refuses: AWS's own rules, and what the embedded AWS does not emulate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localaws.sagemaker import s3
from localaws.sagemaker.images import Image, Images
from localaws.sagemaker.metrics import compile_definitions
from localaws.sagemaker.network import WITHOUT_TRAFFIC, check_vpc
from localaws.sagemaker.records import invalid
from localaws.sagemaker.roles import check_role
from localaws.service import Call, NotEmulated, Params
from localaws.world import World

DAY = 86_400
_MAX_RUNTIME = 28 * DAY
_NVME = (
    "ml.g4dn.",
    "ml.g5.",
    "ml.g6.",
    "ml.g6e.",
    "ml.p4d.",
    "ml.p4de.",
    "ml.p5.",
    "ml.p5e.",
    "ml.p5en.",
    "ml.p6",
)

IGNORED = {
    "ResourceConfig.VolumeKmsKeyId": "the data lie on this machine's disk",
    "ResourceConfig.KeepAlivePeriodInSeconds": "there is no instance to keep",
    "VpcConfig": WITHOUT_TRAFFIC,
    "EnableNetworkIsolation": "the script keeps the machine's network",
    "EnableInterContainerTrafficEncryption": "the hosts are on this machine",
    "RetryStrategy": "there are no internal errors to retry",
    "DebugHookConfig": "Debugger is closed to new customers",
    "ProfilerConfig": "Profiler is not emulated",
    "ProfilerRuleConfigurations": "Profiler is not emulated",
}
"""Fields that a job may have without effect; its log names them."""

_KNOWN = {
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "Tags",
    "CheckpointConfig",
    "EnableManagedSpotTraining",
    "Environment",
} | {name for name in IGNORED if "." not in name}
_KNOWN_ALGORITHM = {
    "TrainingImage",
    "TrainingInputMode",
    "MetricDefinitions",
    "EnableSageMakerMetricsTimeSeries",
}
_KNOWN_RESOURCES = {
    "InstanceType",
    "InstanceCount",
    "VolumeSizeInGB",
    "VolumeKmsKeyId",
    "KeepAlivePeriodInSeconds",
}


def is_script(params: Params) -> bool:
    """Whether a CreateTrainingJob request brings a script."""
    return "sagemaker_program" in params.get("HyperParameters", {})


def check(world: World, images: Images, call: Call, params: Params) -> Image:
    """The image of a CreateTrainingJob request; raises AwsError for the first rule that this breaks."""
    for field in _unknown(params):
        raise NotEmulated(f"CreateTrainingJob: {field}")
    uri = params["AlgorithmSpecification"]["TrainingImage"]
    image = images.resolve(uri, script=is_script(params))
    image.check_training(params)
    _check_stopping(params)
    _check_resources(params["ResourceConfig"])
    compile_definitions(params["AlgorithmSpecification"].get("MetricDefinitions", []))
    check_role(world, call, params["RoleArn"])
    check_vpc(world, call, params.get("VpcConfig", {}))
    channels = params.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise invalid(f"Channel names must be unique: {', '.join(names)}")
    for channel in channels:
        _check_objects(world, call, params["RoleArn"], channel["DataSource"]["S3DataSource"])
    return image


def _unknown(params: Params) -> Iterator[str]:
    """Whatever is asked for and does not exist here."""
    yield from params.keys() - _KNOWN
    algorithm, resources = params["AlgorithmSpecification"], params.get("ResourceConfig", {})
    yield from (f"AlgorithmSpecification.{name}" for name in algorithm.keys() - _KNOWN_ALGORITHM)
    yield from (f"ResourceConfig.{name}" for name in resources.keys() - _KNOWN_RESOURCES)
    for name, owner in (
        ("ResourceConfig", params),
        ("TrainingImage", algorithm),
        ("InstanceType", resources),
    ):
        if name not in owner:
            yield f"a job without {name}"
    if params["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        yield "OutputDataConfig.CompressionType NONE"
    path = params.get("CheckpointConfig", {}).get("LocalPath", "/opt/ml/checkpoints")
    if not path.startswith("/opt/ml/"):
        yield f"CheckpointConfig.LocalPath {path}: a folder outside /opt/ml"
    for channel in params.get("InputDataConfig", []):
        yield from _unknown_in_channel(channel, algorithm["TrainingInputMode"])


def _unknown_in_channel(channel: dict[str, Any], mode: str) -> Iterator[str]:
    place = f"channel {channel['ChannelName']}"
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        yield f"{place}: a source other than S3"
    elif source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        yield f"{place}: S3DataType {source['S3DataType']}"
    if channel.get("CompressionType", "None") != "None":
        yield f"{place}: CompressionType {channel['CompressionType']}"
    if channel.get("RecordWrapperType", "None") != "None" and channel.get("InputMode", mode) != "Pipe":
        yield f"{place}: RecordWrapperType {channel['RecordWrapperType']} without Pipe"


def _check_stopping(params: Params) -> None:
    condition = params.get("StoppingCondition", {})
    runtime, wait = condition.get("MaxRuntimeInSeconds", DAY), condition.get("MaxWaitTimeInSeconds")
    if runtime > _MAX_RUNTIME:
        raise invalid(f"MaxRuntimeInSeconds must be less than or equal to {_MAX_RUNTIME}; it is {runtime}")
    if params.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds"
            )
    elif wait is not None:
        raise invalid("MaxWaitTimeInSeconds above 0 is not allowed when EnableManagedSpotTraining is false")


def _check_resources(resources: dict[str, Any]) -> None:
    kind = resources["InstanceType"]
    if "VolumeKmsKeyId" in resources and kind.startswith(_NVME):
        raise invalid(
            f"VolumeKmsKeyId is not supported for instance type {kind}, whose storage is local NVMe"
        )


def _check_objects(world: World, call: Call, role: str, source: dict[str, Any]) -> None:
    client = world.client("s3", call.account, call.region)
    reason = ""
    try:
        location = s3.Location.parse(source["S3Uri"])
        if s3.keys(client, location):
            return
        bucket = location.bucket
    except s3.S3Problem as problem:
        bucket = source["S3Uri"].removeprefix("s3://").partition("/")[0]
        reason = f" Error message from S3: {str(problem).rpartition(': ')[2]}"
    raise invalid(
        f'No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. Please ensure '
        f"that the bucket exists in the selected region ({call.region}), that objects exist under that S3 "
        f'prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".{reason}'
    )
