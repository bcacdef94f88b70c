"""Batch transform jobs: the operations on them. What a job does is in transform_run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from localaws.sagemaker.announce import announce
from localaws.sagemaker.jobs import Job, Jobs
from localaws.sagemaker.models import Models
from localaws.sagemaker.records import Table, arn, invalid
from localaws.sagemaker.site import Site
from localaws.sagemaker.transform_records import CSV, BadRecord, parse_filter
from localaws.sagemaker.transform_run import TransformRun
from localaws.service import Call, NotEmulated, Params, Result, Service, operation

_SHOWN = (
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "TransformResources",
    "DataProcessing",
    "ExperimentConfig",
)
_JOINABLE = (CSV, "application/json", "application/jsonlines")
_MOST_MEGABYTES = 100


@dataclass
class TransformJob(Job):
    """A transform job: what was asked for, and how far it is."""

    @property
    def concurrency(self) -> int:
        """How many requests are under way at once."""
        return int(self.request.get("MaxConcurrentTransforms") or 1)

    @property
    def max_payload(self) -> int:
        """The largest request, in megabytes."""
        return int(self.request.get("MaxPayloadInMB", 6)) or _MOST_MEGABYTES

    @property
    def single_record(self) -> bool:
        """Whether each record is a request by itself."""
        return bool(self.request.get("BatchStrategy") == "SingleRecord")

    @property
    def retries(self) -> int:
        """How often a request that fails is repeated."""
        return int(self.request.get("ModelClientConfig", {}).get("InvocationsMaxRetries", 0))

    def describe(self) -> Params:
        """As DescribeTransformJob shows it."""
        times = {"TransformStartTime": self.started, "TransformEndTime": self.ended}
        return {
            **self.described("TransformJob", _SHOWN),
            **{key: value for key, value in times.items() if value is not None},
        }


class TransformJobs(Service):
    """CreateTransformJob and its kin."""

    name = "sagemaker"

    def __init__(self, site: Site, models: Models) -> None:
        super().__init__(site.world)
        self._site = site
        self._models = models
        self.table: Table[TransformJob] = Table(
            missing="Could not find requested job with name: {name}",
            taken="Job name must be unique within an AWS account and region, and a job with this name "
            "already exists ({arn})",
            taken_code="ResourceInUse",
        )
        self._jobs = Jobs("TransformJob", self.table, self._announce)

    def stop(self) -> None:
        """End every job's server."""
        self._jobs.abandon()

    @operation("CreateTransformJob")
    def create(self, call: Call, params: Params) -> Result:
        """Record the job and start it."""
        for field in _unknown(params):
            raise NotEmulated(f"CreateTransformJob: {field}")
        name = params["TransformJobName"]
        job = TransformJob(call, name, arn(call, "transform-job", name), params)
        _check(job)
        model = self._models.get_model(call, params["ModelName"])
        served = self._models.served(call, model.container)
        self.table.add(job)
        self._jobs.begin(job, TransformRun(self._site, job, model, served, self._jobs.changed))
        return {"TransformJobArn": job.arn}

    @operation("DescribeTransformJob")
    def describe(self, call: Call, params: Params) -> Result:
        """The job in full."""
        return self._jobs.describe(call, params)

    @operation("ListTransformJobs")
    def list(self, call: Call, params: Params) -> Result:
        """The jobs in brief."""
        return self._jobs.list(call, params)

    @operation("StopTransformJob")
    def stop_job(self, call: Call, params: Params) -> Result:
        """Ask the job to end; the objects that are done stay."""
        self._jobs.stop(call, params)
        return None

    def _announce(self, job: TransformJob) -> None:
        announce(self.world, job, "Transform Job", job.describe())


def _check(job: TransformJob) -> None:
    """Raise AwsError for the first of AWS's rules that the request breaks."""
    if job.concurrency * job.max_payload > _MOST_MEGABYTES and "MaxConcurrentTransforms" in job.request:
        raise invalid(
            f"MaxConcurrentTransforms * MaxPayloadInMB must be at most {_MOST_MEGABYTES}; it is "
            f"{job.concurrency} * {job.max_payload}"
        )
    processing = job.request.get("DataProcessing", {})
    for name in ("InputFilter", "OutputFilter"):
        try:
            parse_filter(processing.get(name) or "$")
        except BadRecord as error:
            raise invalid(f"DataProcessing.{name}: {error}") from error
    transforms = processing.get("JoinSource", "None") == "Input" or processing.get("InputFilter", "$") != "$"
    kind = job.request["TransformInput"].get("ContentType")
    if transforms and kind not in _JOINABLE:
        raise invalid(f"DataProcessing needs a ContentType among {', '.join(_JOINABLE)}; it is {kind}")


def _unknown(params: Params) -> Iterator[str]:
    """Whatever is asked for and does not exist here."""
    given, output = params["TransformInput"], params["TransformOutput"]
    if "DataCaptureConfig" in params:
        yield "DataCaptureConfig"
    if given.get("SplitType", "None") not in ("None", "Line"):
        yield f"TransformInput.SplitType {given['SplitType']}"
    kind = given["DataSource"]["S3DataSource"]["S3DataType"]
    if kind not in ("S3Prefix", "ManifestFile"):
        yield f"TransformInput: S3DataType {kind}"
    if output["S3OutputPath"].startswith("arn:"):
        yield "TransformOutput.S3OutputPath of an access point"
