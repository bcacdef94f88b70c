"""One processing job as it runs: its inputs in folders, its command, its outputs in S3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from localaws.sagemaker import jobs, s3
from localaws.sagemaker.crew import KILLED, LATE, OUT_OF_MEMORY, STOPPED, Outcome, host_names
from localaws.sagemaker.jobs import REASON_CHARS, JobFailed
from localaws.sagemaker.records import without_effect
from localaws.sagemaker.runs import Run
from localaws.sagemaker.site import Site
from localaws.service import Params

if TYPE_CHECKING:
    from localaws.sagemaker.processing import ProcessingJob

ROOT = PurePosixPath("/opt/ml")
IGNORED = {
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId": "the data lie on this machine's disk",
    "ProcessingOutputConfig.KmsKeyId": "the outputs are encrypted as their bucket asks for",
    "NetworkConfig.EnableNetworkIsolation": "the program keeps the machine's network",
    "NetworkConfig.EnableInterContainerTrafficEncryption": "the hosts are on this machine",
    "ExperimentConfig": "experiments are not emulated",
}
"""Fields that a job may have without effect; its log names them."""

_TOO_BIG = (
    "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on "
    "an instance."
)
_FAILED = "AlgorithmError: See job logs for more information"


class ProcessingRun(Run["ProcessingJob"]):
    """A job on its own thread, from its start to its end."""

    kind = "ProcessingJob"

    def __init__(self, site: Site, job: ProcessingJob, changed: Callable[[ProcessingJob], None]) -> None:
        request = job.request
        cluster = request["ProcessingResources"]["ClusterConfig"]
        vpc = request.get("NetworkConfig", {}).get("VpcConfig", {})
        super().__init__(site, job, host_names(cluster["InstanceCount"]), vpc, changed)
        self._instance_type: str = cluster["InstanceType"]
        self._application = request["AppSpecification"]
        self._outcome = Outcome()

    def work(self) -> None:
        """Bring the inputs, run the command, take the outputs."""
        for line in without_effect(self.job.request, IGNORED):
            self.say(line)
        self.prepare_hosts(["config", "output", "processing"])
        for number, host in enumerate(self.hosts):
            self._write_configuration(host)
            self._bring_inputs(number)
            for output in self._outputs():
                self._place(host, output).mkdir(parents=True, exist_ok=True)
        command = [
            *self._application["ContainerEntrypoint"],
            *self._application.get("ContainerArguments", []),
        ]
        image = self.site.images.resolve(self._application["ImageUri"], script=True)
        program = image.processing(command, self._instance_type)
        self.launch(self.python(program), program, self._variables())
        mirrors = [
            self._mirror(host, output)
            for host in self.hosts
            for output in self._outputs()
            if output["S3UploadMode"] == "Continuous"
        ]
        reasons = {STOPPED: self.job.stop.is_set, LATE: self.late}

        def look() -> None:
            for mirror in mirrors:
                mirror.carry()

        self._outcome = self.crew.watch(self.site.world.stopping.is_set, reasons, look)
        self.job.exit_message = self._message()
        if self._outcome.failed:
            killed = self._outcome.why == OUT_OF_MEMORY or KILLED in self._outcome.codes.values()
            raise JobFailed(_TOO_BIG if killed else _FAILED)
        if self._outcome.why is None:
            self._take_outputs()

    def settle(self, failure: str | None) -> None:
        """The last status."""
        in_order = self.job.stop.is_set() or self._outcome.why == LATE
        self.job.end(jobs.STOPPED if in_order else jobs.FAILED if failure else jobs.COMPLETED, failure)

    def _write_configuration(self, host: str) -> None:
        shown = {key: value for key, value in self.job.request.items() if key != "Tags"}
        files = {
            "processingjobconfig": {"ProcessingJobArn": self.job.arn, **shown},
            "resourceconfig": {"current_host": host, "hosts": self.hosts},
        }
        for name, content in files.items():
            file = self.folder / host / "config" / f"{name}.json"
            file.write_text(json.dumps(content, default=str), encoding="utf-8")

    def _bring_inputs(self, host: int) -> None:
        for item in self.job.request.get("ProcessingInputs", []):
            self.check_stopped()
            source = item["S3Input"]
            find = s3.listed if source["S3DataType"] == "ManifestFile" else s3.below
            try:
                items = find(self.s3, s3.Location.parse(source["S3Uri"]))
                sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
                own = items[host :: len(self.hosts)] if sharded else items
                s3.fetch_all(self.s3, own, self._place(self.hosts[host], source))
            except (s3.S3Problem, ClientError, OSError) as error:
                raise JobFailed(f"ClientError: Data download failed:{error}") from error
            if not items:
                raise JobFailed(f"ClientError: No S3 objects found under S3 URL {source['S3Uri']}")

    def _outputs(self) -> Iterator[dict[str, Any]]:
        for output in self.job.request.get("ProcessingOutputConfig", {}).get("Outputs", []):
            yield output["S3Output"]

    def _place(self, host: str, described: dict[str, Any]) -> Path:
        """Where the LocalPath of an input or output is on this machine."""
        return self.folder / host / PurePosixPath(described["LocalPath"]).relative_to(ROOT)

    def _mirror(self, host: str, output: dict[str, Any]) -> s3.Mirror:
        return s3.Mirror(self.s3, self._place(host, output), s3.Location.parse(output["S3Uri"]))

    def _take_outputs(self) -> None:
        for host in self.hosts:
            for output in self._outputs():
                try:
                    self._mirror(host, output).carry()
                except (s3.S3Problem, ClientError, BotoCoreError, OSError, S3UploadFailedError) as error:
                    raise JobFailed(f"ClientError: Failed to upload output: {error}") from error

    def _variables(self) -> Params:
        return {
            **self.job.request.get("Environment", {}),
            "PROCESSING_JOB_NAME": self.job.name,
            "PROCESSING_JOB_ARN": self.job.arn,
        }

    def _message(self) -> str | None:
        """What the program leaves in `output/message`, of the host that failed or of the first."""
        file = self.folder / (self._outcome.bad_host or self.hosts[0]) / "output" / "message"
        if not file.is_file():
            return None
        return file.read_text(encoding="utf-8", errors="replace")[:REASON_CHARS]
