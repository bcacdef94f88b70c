"""One batch transform as it runs: a model's server, asked about every record of every input object."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from localaws.sagemaker import s3
from localaws.sagemaker import transform_records as records
from localaws.sagemaker.container import bounds
from localaws.sagemaker.crew import host_names
from localaws.sagemaker.fleet import STARTUP_SECONDS
from localaws.sagemaker.jobs import COMPLETED, FAILED, STOPPED, STOPPING, JobFailed
from localaws.sagemaker.model_server import Answer, ModelServer, Place, ServerFailed, Unreachable
from localaws.sagemaker.models import Model, Served
from localaws.sagemaker.records import without_effect
from localaws.sagemaker.runs import Run
from localaws.sagemaker.site import Site

if TYPE_CHECKING:
    from localaws.sagemaker.transform import TransformJob

IGNORED = {
    "TransformResources.VolumeKmsKeyId": "there is no volume",
    "TransformResources.TransformAmiVersion": "there is no instance",
    "TransformOutput.KmsKeyId": "the output is encrypted as its bucket asks for",
    "ExperimentConfig": "experiments are not emulated",
}
"""Fields that a job may have without effect; its log names them."""

_MEGABYTE = 1 << 20
_FIRST_ERROR, _FIRST_SERVER_ERROR = 400, 500
_SEE = "See job logs for more information"


class TransformRun(Run["TransformJob"]):
    """A job on its own thread, from its start to its end."""

    kind = "TransformJob"

    def __init__(
        self,
        site: Site,
        job: TransformJob,
        model: Model,
        served: Served,
        changed: Callable[[TransformJob], None],
    ) -> None:
        super().__init__(site, job, host_names(1), model.request.get("VpcConfig", {}), changed)
        self._input = job.request["TransformInput"]
        self._output = job.request["TransformOutput"]
        self._served = served
        self._server: ModelServer | None = None
        self._content_type: str = self._input.get("ContentType", "")
        processing = job.request.get("DataProcessing", {})
        self._joins = processing.get("JoinSource", "None") == "Input"
        self._filters = {
            name: records.parse_filter(processing[name])
            for name in ("InputFilter", "OutputFilter")
            if processing.get(name, "$") != "$"
        }

    def abandon(self) -> None:
        """The server of the embedded AWS stops: end the model's at once."""
        if self._server is not None:
            self._server.end(at_once=True)
        super().abandon()

    def work(self) -> None:
        """Start the model's server and transform object after object."""
        for line in without_effect(self.job.request, IGNORED):
            self.say(line)
        count = self.job.request["TransformResources"]["InstanceCount"]
        if count > 1:
            self.say(f"localaws: {count} instances are one process")
        items = self._items()
        self._server = self._serve()
        try:
            with ThreadPoolExecutor(self.job.concurrency) as pool:
                for item in items:
                    self.check_stopped()
                    self._transform(item, pool)
        finally:
            self._server.end()

    def settle(self, failure: str | None) -> None:
        """The last status."""
        # The event says no more than that the server has to end, which it does in any case.
        stopped = self.job.status == STOPPING
        self.job.end(STOPPED if stopped else FAILED if failure else COMPLETED, failure)

    def _items(self) -> list[s3.Item]:
        source = self._input["DataSource"]["S3DataSource"]
        find = s3.listed if source["S3DataType"] == "ManifestFile" else s3.below
        try:
            items = find(self.s3, s3.Location.parse(source["S3Uri"]))
        except s3.S3Problem as error:
            raise JobFailed(f"ClientError: {error}") from error
        if not items:
            raise JobFailed(f"ClientError: No S3 objects found under S3 URL {source['S3Uri']}")
        return items

    def _serve(self) -> ModelServer:
        options = self.site.world.options
        environment = {
            **bounds.threads(options.cpus),
            bounds.CPUS: str(options.cpus),
            **self._served.environment,
            **self.job.request.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD" if self.job.single_record else "MULTI_RECORD",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(self.job.max_payload),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(self.job.concurrency),
        }
        stream = f"{self.job.name}/i-{int(time.time())}"
        place = Place(
            call=self.job.call,
            variant="AllTraffic",
            folder=self.folder / "model",
            log=self.site.logs.open(self.job.call, f"/aws/sagemaker/{self.kind}s", stream),
            startup_seconds=STARTUP_SECONDS,
            instance_type=self.job.request["TransformResources"]["InstanceType"],
            ended=self.job.stop,
        )
        server = ModelServer(self.site, place)
        try:
            server.start(Served(self._served.image, self._served.model_data, environment))
        except ServerFailed as error:
            server.end()
            raise JobFailed(f"AlgorithmError: {error}") from error
        return server

    def _transform(self, item: s3.Item, pool: ThreadPoolExecutor) -> None:
        """One object to `<its name>.out`; nothing is written unless all its records are answered."""
        target = s3.Location.parse(self._output["S3OutputPath"]).below(f"{item.name}.out")
        try:
            content = self.s3.get_object(Bucket=item.location.bucket, Key=item.location.key)["Body"].read()
            if self._input.get("CompressionType", "None") == "Gzip":
                content = gzip.decompress(content)
            parts = list(pool.map(lambda batch: self._answered(item, batch), self._batches(content)))
            line = b"\n" if self._output.get("AssembleWith", "None") == "Line" else b""
            body = b"".join(part if part.endswith(line) else part + line for part in parts)
            self.s3.put_object(Bucket=target.bucket, Key=target.key, Body=body)
        except records.BadRecord as error:
            self.say(f"{item.location.bucket}/{item.location.key}: {error}")
            raise JobFailed(f"ClientError: {_SEE}") from error
        except (ClientError, BotoCoreError, OSError) as error:
            raise JobFailed(f"ClientError: {item.location}: {error}") from error

    def _batches(self, content: bytes) -> Iterator[list[bytes]]:
        found = records.split(content, self._input.get("SplitType", "None"))
        most = self.job.max_payload * _MEGABYTE
        return records.batches(found, most, single=self.job.single_record)

    def _answered(self, item: s3.Item, batch: list[bytes]) -> bytes:
        """What is written for one request's records."""
        self.check_stopped()
        chosen = self._filters.get("InputFilter")
        asked = (
            [records.filtered(record, chosen, self._content_type) for record in batch] if chosen else batch
        )
        response = self._ask(item, b"\n".join(asked))
        leaving = self._filters.get("OutputFilter", lambda value: value)
        if self._joins:
            pairs = zip(batch, records.answers_of(response, len(batch)), strict=True)
            lines = [records.joined(*pair, leaving, self._content_type) for pair in pairs]
        elif "OutputFilter" in self._filters:
            kind = self._output.get("Accept", self._content_type)
            answers = records.answers_of(response, len(batch))
            lines = [records.output_filtered(answer, leaving, kind) for answer in answers]
        else:
            return response
        return b"\n".join(lines)

    def _ask(self, item: s3.Item, body: bytes) -> bytes:
        headers = {"Content-Type": self._content_type, "Accept": self._output.get("Accept", "")}
        answer: Answer | None = None
        reason = ""
        for _ in range(1 + self.job.retries):
            self.check_stopped()
            try:
                answer = (
                    self._server.invoke(body, {k: v for k, v in headers.items() if v})
                    if self._server
                    else None
                )
            except Unreachable as error:
                reason = str(error)
                continue
            if answer is not None and answer.status < _FIRST_ERROR:
                return answer.body
        where = f"{item.location.bucket}/{item.location.key}"
        if answer is None:
            self.say(f"{where}: the model did not answer: {reason}")
            raise JobFailed(f"AlgorithmError: {_SEE}")
        self.say(f"{where}: Bad HTTP status received from algorithm: {answer.status}")
        self.say(f"{where}: Message: {answer.body.decode('utf-8', 'replace')}")
        family = "ClientError" if answer.status < _FIRST_SERVER_ERROR else "AlgorithmError"
        raise JobFailed(f"{family}: {_SEE}")
