"""One training job as it runs: what its hosts get, how their containers end, what becomes of the output."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from localaws.sagemaker import launchers, s3
from localaws.sagemaker.channels import bring, channels_of
from localaws.sagemaker.container.contract import decode_hyperparameters
from localaws.sagemaker.crew import INTERRUPTED, LATE, OUT_OF_MEMORY, STOPPED, WAITED, Outcome, host_names
from localaws.sagemaker.environments import BuildFailed
from localaws.sagemaker.images import Program
from localaws.sagemaker.jobs import REASON_CHARS, JobFailed
from localaws.sagemaker.records import now, without_effect
from localaws.sagemaker.runs import Run
from localaws.sagemaker.site import Site
from localaws.sagemaker.training_rules import IGNORED, is_script

if TYPE_CHECKING:
    from localaws.sagemaker.training import TrainingJob

GROUP = "homogeneousCluster"
TOO_BIG = (
    "ClientError: Please use an instance type with more memory, or reduce the size of training data "
    "processed on an instance."
)
_CHECKPOINT_SECONDS = 1.0
_ENDINGS: dict[str | None, tuple[str, str]] = {
    LATE: ("MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds provided"),
    WAITED: ("MaxWaitTimeExceeded", "Training job wait time exceeded MaxWaitTimeInSeconds provided"),
}
_FOLDERS = (
    "input/config",
    "input/data",
    "model",
    "output/data",
    "output/intermediate",
    "checkpoints",
)


class TrainingRun(Run["TrainingJob"]):
    """A job on its own thread, from Starting to its end."""

    kind = "TrainingJob"

    def __init__(self, site: Site, job: TrainingJob, changed: Callable[[TrainingJob], None]) -> None:
        request = job.request
        hosts = host_names(request["ResourceConfig"]["InstanceCount"])
        super().__init__(site, job, hosts, request.get("VpcConfig", {}), changed)
        self._image = site.images.resolve(
            request["AlgorithmSpecification"]["TrainingImage"], script=is_script(request)
        )
        self._hyperparameters = dict(request.get("HyperParameters", {}))
        self._outcome = Outcome()
        self._checkpoints: s3.Mirror | None = None

    def work(self) -> None:
        """Train, again after each interruption, and keep what came of it."""
        self._note()
        while self._attempt().why == INTERRUPTED:
            self._enter("Interrupted", "Training job interrupted: its spot capacity was taken back")
            if self._waited():
                self._outcome.why = WAITED
                return
            shutil.rmtree(self.folder)
            self._enter("Starting", "Preparing the instances for training")
        if self._outcome.failed:
            self._upload_folder("output/data", "output.tar.gz")
            raise JobFailed(self._failure())
        self._enter("Uploading", "Uploading generated training model")
        self._upload_folder("output/data", "output.tar.gz")
        self._upload_folder("model", "model.tar.gz", empty=self._outcome.bad_host is None)

    def settle(self, failure: str | None) -> None:
        """The last status, and the metrics in CloudWatch."""
        job = self.job
        if job.stop.is_set():
            job.finish("Stopped", "Training job stopped")
        elif failure is not None:
            job.finish("Failed", "Training job failed", failure)
        else:
            job.finish(*_ENDINGS.get(self._outcome.why, ("Completed", "Training job completed")))
        cloudwatch = self.site.world.client("cloudwatch", job.call.account, job.call.region)
        self.site.world.background(job.metrics.publish, cloudwatch)

    def _enter(self, secondary: str, message: str) -> None:
        # While a job is being stopped, AWS shows Stopping until it is Stopped.
        if not self.job.stop.is_set():
            self.job.enter(secondary, message)
            self.changed(self.job)

    def _attempt(self) -> Outcome:
        self._enter("Downloading", "Downloading input data")
        self.prepare_hosts(_FOLDERS)
        with ExitStack() as pipes:
            for number, host in enumerate(self.hosts):
                self._write_configuration(host)
                self._bring_channels(number, pipes)
                self._unpack_code(self.folder / host / "code")
            program = self._program()
            python = self.python(program)
            self._bring_checkpoints()
            self._enter("Training", "Training image download completed. Training in progress.")
            self.launch(python, program, self._variables(), self._read)
            self._outcome = self._watch()
        if self._checkpoints is not None:
            self._checkpoints.carry()
        return self._outcome

    # Downloading

    def _write_configuration(self, host: str) -> None:
        kind = self.job.request["ResourceConfig"]["InstanceType"]
        resources = {
            "current_host": host,
            "current_instance_type": kind,
            "current_group_name": GROUP,
            "hosts": self.hosts,
            "instance_groups": [{"instance_group_name": GROUP, "instance_type": kind, "hosts": self.hosts}],
            "network_interface_name": "lo",
        }
        files = {
            "hyperparameters": self._hyperparameters,
            "resourceconfig": resources,
            "inputdataconfig": {item.name: item.described() for item in channels_of(self.job.request)},
        }
        if "CheckpointConfig" in self.job.request:
            files["checkpointconfig"] = self.job.request["CheckpointConfig"]
        for name, content in files.items():
            file = self.folder / host / "input" / "config" / f"{name}.json"
            file.write_text(json.dumps(content), encoding="utf-8")

    def _bring_channels(self, host: int, pipes: ExitStack) -> None:
        self.check_stopped()
        folder = self.folder / self.hosts[host]
        channels = channels_of(self.job.request)
        try:
            for pipe in bring(self.s3, channels, folder, host, len(self.hosts)):
                pipe.start()
                pipes.callback(pipe.stop)
        except (s3.S3Problem, ClientError, OSError) as error:
            raise JobFailed(f"ClientError: Data download failed:{error}") from error

    def _unpack_code(self, folder: Path) -> None:
        if not is_script(self.job.request):
            return
        directory = decode_hyperparameters(self._hyperparameters).get("sagemaker_submit_directory")
        if not isinstance(directory, str):
            raise JobFailed("AlgorithmError: framework error: no sagemaker_submit_directory, exit code: 1")
        try:
            s3.unpack(self.s3, s3.Location.parse(directory), folder)
        except s3.S3Problem as error:
            raise JobFailed(f"AlgorithmError: framework error: {error}, exit code: 1") from error

    def _program(self) -> Program:
        kind = self.job.request["ResourceConfig"]["InstanceType"]
        try:
            program = self._image.training(self.folder / self.hosts[0] / "code", kind)
        except BuildFailed as error:
            raise JobFailed(f"AlgorithmError: InstallRequirementsError: {error}, exit code: 1") from error
        return launchers.equip(program, self._hyperparameters)

    def _bring_checkpoints(self) -> None:
        config = self.job.request.get("CheckpointConfig")
        if config is None:
            return
        path = PurePosixPath(config.get("LocalPath", "/opt/ml/checkpoints")).relative_to("/opt/ml")
        first = self.folder / self.hosts[0] / path
        for host in self.hosts[1:]:
            # One folder for all hosts: what any of them writes goes to the one place in S3, as on AWS.
            place = self.folder / host / path
            shutil.rmtree(place, ignore_errors=True)
            place.symlink_to(first)
        self._checkpoints = s3.Mirror(self.s3, first, s3.Location.parse(config["S3Uri"]))
        try:
            self._checkpoints.bring()
        except s3.S3Problem as error:
            raise JobFailed(f"ClientError: Checkpoint download failed: {error}") from error

    # Training

    def _note(self) -> None:
        """Say in the log what this job asks for in vain."""
        notes = self.job.trial.notes if self.job.trial is not None else ()
        for line in (*notes, *without_effect(self.job.request, IGNORED)):
            self.say(line)

    def _read(self, line: str, host: str) -> None:
        self.say(line, host)
        self.job.metrics.read(line, host)

    def _watch(self) -> Outcome:
        """Wait for the end of the containers, however that comes, carrying checkpoints meanwhile."""
        carried = started = time.monotonic()

        def look() -> None:
            nonlocal carried
            if self._checkpoints is not None and time.monotonic() - carried > _CHECKPOINT_SECONDS:
                self._checkpoints.carry()
                carried = time.monotonic()

        deadline = started + self.job.max_runtime - self.job.trained
        reasons = {
            STOPPED: self.job.stop.is_set,
            WAITED: self._waited,
            LATE: lambda: time.monotonic() > deadline,
            INTERRUPTED: self.job.take_interruption,
        }
        outcome = self.crew.watch(self.site.world.stopping.is_set, reasons, look)
        self.job.trained += time.monotonic() - started
        return outcome

    def _waited(self) -> bool:
        """Whether a spot job has used up the time that it may take with all its waiting."""
        limit = self.job.max_wait
        return limit is not None and (now() - self.job.created).total_seconds() > limit

    def _variables(self) -> dict[str, str]:
        rendezvous, *tasks = _free_ports(1 + 2 * len(self.hosts))
        return {
            **self.job.request.get("Environment", {}),
            "TRAINING_JOB_NAME": self.job.name,
            "TRAINING_JOB_ARN": self.job.arn,
            "SAGEMAKER_JOB_NAME": self.job.name,
            "LOCALAWS_RENDEZVOUS_PORT": str(rendezvous),
            "LOCALAWS_TASK_PORTS": ",".join(map(str, tasks)),
        }

    def _failure(self) -> str:
        """AWS's words: the beginning of what the container wrote, and its exit code."""
        if self._outcome.why == OUT_OF_MEMORY:
            return f"{TOO_BIG}, exit code: 137"
        host = self._outcome.bad_host or self.hosts[0]
        code = self._outcome.codes[host]
        file = self.folder / host / "output" / "failure"
        written = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        shown = 128 - code if code < 0 else code
        ending = f", exit code: {shown}"
        family = "" if self._program().names_family and ":" in written else "AlgorithmError: "
        return f"{family}{written}"[: REASON_CHARS - len(ending)] + ending

    # Uploading

    def _upload_folder(self, folder: str, archive: str, *, empty: bool = False) -> None:
        path = self._merged(folder)
        target = s3.Location.parse(self.job.artifacts.rpartition("/")[0]).below(archive)
        if not empty and not any(path.iterdir()):
            return
        try:
            s3.pack(self.s3, path, target, self.job.request["OutputDataConfig"].get("KmsKeyId"))
        except (ClientError, BotoCoreError, OSError, S3UploadFailedError) as error:
            raise JobFailed(f"ClientError: Artifact upload failed:{error}") from error

    def _merged(self, folder: str) -> Path:
        """The folder of the first host, with what only the others have."""
        first = self.folder / self.hosts[0] / folder
        for host in self.hosts[1:]:
            for path in sorted((self.folder / host / folder).rglob("*")):
                target = first / path.relative_to(self.folder / host / folder)
                if path.is_file() and not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, target)
        return first


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, on any address, all different."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("", 0))
        return [probe.getsockname()[1] for probe in sockets]
