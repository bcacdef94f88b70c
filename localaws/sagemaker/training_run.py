"""One training job as it runs: its folder, its environment, its process, what becomes of its output."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from localaws.sagemaker import s3
from localaws.sagemaker.container.contract import decode_hyperparameters
from localaws.sagemaker.environments import BuildFailed, Environments, Stopped, requirements_in
from localaws.sagemaker.images import resolve
from localaws.sagemaker.logs import LogShipper, LogStream
from localaws.sagemaker.network import Membership
from localaws.sagemaker.process import STOP_SECONDS, Container, base_environment
from localaws.sagemaker.records import now, without_effect
from localaws.sagemaker.training_rules import IGNORED
from localaws.service import AwsError
from localaws.world import World

if TYPE_CHECKING:
    from localaws.sagemaker.training import TrainingJob

log = logging.getLogger("localaws.sagemaker")

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
HOST = "algo-1"
GROUP = "homogeneousCluster"
REASON_CHARS = 1_024
_WAIT_SECONDS = 0.2
_CHECKPOINT_SECONDS = 5.0


class JobFailed(Exception):
    """The job cannot go on; the message is its FailureReason."""


class TrainingRun:
    """A job on its own thread, from Starting to its end."""

    def __init__(
        self,
        world: World,
        environments: Environments,
        logs: LogShipper,
        job: TrainingJob,
        changed: Callable[[TrainingJob], None],
    ) -> None:
        self._world = world
        self._environments = environments
        self._logs = logs
        self._job = job
        self._changed = changed
        where = f"{job.call.account}-{job.call.region}"
        self._folder = world.data / "sagemaker" / "training" / where / job.name
        self._s3 = world.client("s3", job.call.account, job.call.region)
        self._image = resolve(job.request["AlgorithmSpecification"]["TrainingImage"])
        self._hyperparameters = dict(job.request.get("HyperParameters", {}))
        self._membership = Membership(
            world,
            job.call,
            job.request.get("VpcConfig", {}),
            f"[Do not delete] Network Interface of SageMaker training job {job.name}",
        )
        self._container: Container | None = None
        self._late = False
        self._log: LogStream | None = None
        self._thread = threading.Thread(target=self._run, name=f"training-{job.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def abandon(self) -> None:
        """The server stops: end the job's processes at once."""
        self._job.stop.set()
        if self._container is not None:
            self._container.kill()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        failure = None
        try:
            self._work()
        except Stopped:
            pass
        except JobFailed as error:
            failure = str(error)
        except Exception as error:
            log.exception("training job %s", self._job.name)
            failure = f"InternalServerError: {type(error).__name__}: {error}"
        if self._world.stopping.is_set():
            return
        self._membership.leave()
        if self._log is not None:
            self._logs.close(self._log)
        self._end(failure)
        shutil.rmtree(self._folder, ignore_errors=True)
        cloudwatch = self._world.client("cloudwatch", self._job.call.account, self._job.call.region)
        self._world.background(self._job.metrics.publish, cloudwatch, HOST)

    def _work(self) -> None:
        self._job.started = now()
        self._join_vpc()
        self._enter("Downloading", "Downloading input data")
        self._write_configuration()
        self._download()
        python = self._environment()
        checkpoints = self._checkpoints()
        self._enter("Training", "Training image download completed. Training in progress.")
        code = self._train(python, checkpoints)
        if code != 0 and not self._job.stop.is_set() and not self._late:
            self._upload_folder("output/data", "output.tar.gz")
            raise JobFailed(self._failure(code))
        self._enter("Uploading", "Uploading generated training model")
        self._upload(empty_model=code == 0)

    def _join_vpc(self) -> None:
        try:
            self._membership.join(self._job.request["ResourceConfig"]["InstanceCount"])
        except AwsError as error:
            raise JobFailed(f"ClientError: {error.message}") from error

    def _enter(self, secondary: str, message: str) -> None:
        # While a job is being stopped, AWS shows Stopping until it is Stopped.
        if not self._job.stop.is_set():
            self._job.enter(secondary, message)
            self._changed(self._job)

    def _end(self, failure: str | None) -> None:
        job = self._job
        job.ended = now()
        if failure is not None and not job.stop.is_set():
            job.failure = failure[:REASON_CHARS]
            job.enter("Failed", "Training job failed")
            job.status = "Failed"
        elif job.stop.is_set():
            job.enter("Stopped", "Training job stopped")
            job.status = "Stopped"
        elif self._late:
            message = "Training job runtime exceeded MaxRuntimeInSeconds provided"
            job.enter("MaxRuntimeExceeded", message)
            job.status = "Stopped"
        else:
            job.enter("Completed", "Training job completed")
            job.status = "Completed"
        self._changed(job)

    # Downloading

    def _write_configuration(self) -> None:
        for folder in (
            "input/config",
            "input/data",
            "model",
            "output/data",
            "output/intermediate",
            "checkpoints",
        ):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        kind = self._job.request["ResourceConfig"]["InstanceType"]
        resources = {
            "current_host": HOST,
            "current_instance_type": kind,
            "current_group_name": GROUP,
            "hosts": [HOST],
            "instance_groups": [{"instance_group_name": GROUP, "instance_type": kind, "hosts": [HOST]}],
            "network_interface_name": "lo",
        }
        files = {
            "hyperparameters": self._hyperparameters,
            "resourceconfig": resources,
            "inputdataconfig": {item["ChannelName"]: self._input(item) for item in self._channels()},
        }
        if "CheckpointConfig" in self._job.request:
            files["checkpointconfig"] = self._job.request["CheckpointConfig"]
        for name, content in files.items():
            file = self._folder / "input" / "config" / f"{name}.json"
            file.write_text(json.dumps(content), encoding="utf-8")

    def _channels(self) -> list[dict[str, Any]]:
        channels: list[dict[str, Any]] = self._job.request.get("InputDataConfig", [])
        return channels

    def _mode(self, channel: dict[str, Any]) -> str:
        mode: str = channel.get("InputMode", self._job.request["AlgorithmSpecification"]["TrainingInputMode"])
        return mode

    def _input(self, channel: dict[str, Any]) -> dict[str, str]:
        described = {
            "TrainingInputMode": self._mode(channel),
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        return {**described, **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {})}

    def _download(self) -> None:
        for channel in self._channels():
            if self._job.stop.is_set():
                raise Stopped
            source = channel["DataSource"]["S3DataSource"]
            fetch = s3.fetch_manifest if source["S3DataType"] == "ManifestFile" else s3.fetch_prefix
            folder = self._folder / "input" / "data" / channel["ChannelName"]
            try:
                fetch(self._s3, s3.Location.parse(source["S3Uri"]), folder)
            except (s3.S3Problem, ClientError, OSError) as error:
                raise JobFailed(f"ClientError: Data download failed:{error}") from error
        directory = decode_hyperparameters(self._hyperparameters).get("sagemaker_submit_directory")
        if not isinstance(directory, str):
            raise JobFailed("AlgorithmError: framework error: no sagemaker_submit_directory, exit code: 1")
        try:
            s3.unpack(self._s3, s3.Location.parse(directory), self._folder / "code")
        except s3.S3Problem as error:
            raise JobFailed(f"AlgorithmError: framework error: {error}, exit code: 1") from error

    def _environment(self) -> Path:
        try:
            requirements = requirements_in(self._folder / "code")
            note = self._image.stood_in_for(requirements, self._job.request["ResourceConfig"]["InstanceType"])
            if note is not None:
                self._say(note)
            if requirements is None:
                requirements = self._image.requirements
            return self._environments.python(requirements, self._say, self._job.stop)
        except BuildFailed as error:
            raise JobFailed(f"AlgorithmError: InstallRequirementsError: {error}, exit code: 1") from error

    def _checkpoints(self) -> s3.Mirror | None:
        config = self._job.request.get("CheckpointConfig")
        if config is None:
            return None
        path = PurePosixPath(config.get("LocalPath", "/opt/ml/checkpoints")).relative_to("/opt/ml")
        mirror = s3.Mirror(self._s3, self._folder / path, s3.Location.parse(config["S3Uri"]))
        try:
            mirror.bring()
        except s3.S3Problem as error:
            raise JobFailed(f"ClientError: Checkpoint download failed: {error}") from error
        return mirror

    # Training

    def _say(self, line: str) -> None:
        if self._log is None:
            stream = f"{self._job.name}/{HOST}-{int(time.time())}"
            self._log = self._logs.open(self._job.call, LOG_GROUP, stream)
        self._log.write(line)

    def _read(self, line: str) -> None:
        self._say(line)
        self._job.metrics.read(line)

    def _train(self, python: Path, checkpoints: s3.Mirror | None) -> int:
        """Run the script to its end, however that comes; its exit code."""
        if self._job.stop.is_set():
            raise Stopped
        self._note()
        self._container = Container(python, "train", self._folder, self._variables(), self._read)
        deadline = time.monotonic() + self._job.max_runtime
        carried = time.monotonic()
        while (code := self._container.wait(_WAIT_SECONDS)) is None:
            if self._world.stopping.is_set():
                break
            self._late = time.monotonic() > deadline
            if self._job.stop.is_set() or self._late:
                self._container.terminate()
                code = self._container.wait(STOP_SECONDS)
                break
            if checkpoints is not None and time.monotonic() - carried > _CHECKPOINT_SECONDS:
                self._carry(checkpoints)
                carried = time.monotonic()
        self._container.kill()
        if checkpoints is not None:
            self._carry(checkpoints)
        return -9 if code is None else code

    def _note(self) -> None:
        """Say in the log what this job asks for in vain, and what is done in another way."""
        for line in without_effect(self._job.request, IGNORED):
            self._say(line)
        for channel in self._channels():
            if self._mode(channel) == "FastFile":
                self._say(f"localaws: channel {channel['ChannelName']}: FastFile is read as File")

    def _carry(self, checkpoints: s3.Mirror) -> None:
        # A file may vanish while the script turns its checkpoints over; the next round finds what is there.
        with suppress(FileNotFoundError):
            checkpoints.carry()

    def _variables(self) -> dict[str, str]:
        job = self._job
        return {
            **base_environment(),
            **self._world.environment(job.call.account, job.call.region),
            **job.request.get("Environment", {}),
            "TRAINING_JOB_NAME": job.name,
            "TRAINING_JOB_ARN": job.arn,
            "SAGEMAKER_JOB_NAME": job.name,
            "SAGEMAKER_REGION": job.call.region,
            "SAGEMAKER_TRAINING_MODULE": self._image.framework.training_module,
            "CURRENT_HOST": HOST,
        }

    def _failure(self, code: int) -> str:
        """AWS's words: the beginning of what the container wrote, and its exit code."""
        file = self._folder / "output" / "failure"
        written = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        shown = 128 - code if code < 0 else code
        ending = f", exit code: {shown}"
        return f"AlgorithmError: {written}"[: REASON_CHARS - len(ending)] + ending

    # Uploading

    def _upload(self, *, empty_model: bool) -> None:
        self._upload_folder("output/data", "output.tar.gz")
        self._upload_folder("model", "model.tar.gz", empty=empty_model)

    def _upload_folder(self, folder: str, archive: str, *, empty: bool = False) -> None:
        path = self._folder / folder
        target = s3.Location.parse(self._job.artifacts.rpartition("/")[0]).below(archive)
        if not empty and not any(path.iterdir()):
            return
        try:
            s3.pack(self._s3, path, target, self._job.request["OutputDataConfig"].get("KmsKeyId"))
        except (ClientError, BotoCoreError, OSError, S3UploadFailedError) as error:
            raise JobFailed(f"ClientError: Artifact upload failed:{error}") from error
