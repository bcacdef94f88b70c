"""The steps of the main job, as any AWS client takes them; nothing here knows that the AWS is embedded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from atelier.demo.points import Point, write_csv
from atelier.spec import TeamEnvironment, names

PATIENCE_SECONDS = 60.0


class JourneyError(Exception):
    """A step did not come to its end; the message says which and why."""


@dataclass(frozen=True)
class Journey:
    """From data to predictions, for one job and the endpoint that serves it."""

    spec: TeamEnvironment
    job: str
    endpoint: str | None
    """None where no endpoint serves the job."""
    client: Callable[[str], Any]
    """Gives a boto3 client of a service, in the environment's account and region."""

    @property
    def bucket(self) -> str:
        """The bucket that data is uploaded to."""
        return names.bucket(self.spec.team, self.spec.name, "data", self.spec.account, self.spec.region)

    def key(self, channel: str) -> str:
        """Where a channel's file is uploaded to."""
        return f"{self.spec.jobs[self.job].sources[channel]}{channel}.csv"

    def upload(self, channels: dict[str, list[Point]], folder: Path) -> datetime:
        """Write each channel's points to a CSV file in `folder` and upload it; returns when that began.

        The training channel comes last: its arrival is what starts the run.
        """
        began = datetime.now(UTC)
        for channel in sorted(channels, key=lambda name: name == "train"):
            path = folder / f"{channel}.csv"
            write_csv(path, channels[channel])
            self.client("s3").upload_file(str(path), self.bucket, self.key(channel))
        return began

    def upload_files(self, sources: Sequence[tuple[str, Sequence[Path]]]) -> datetime:
        """Upload each channel's or input's files, in this order; returns when that began."""
        began = datetime.now(UTC)
        for source, files in sources:
            for path in files:
                key = f"{self.spec.jobs[self.job].sources[source]}{path.name}"
                self.client("s3").upload_file(str(path), self.bucket, key)
        return began

    def start(self) -> None:
        """Start a run by hand, as `atelier train` does."""
        function = names.function(self.spec.team, self.spec.name, "start_training")
        answer = self.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps({"job": self.job}).encode()
        )
        said = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise JourneyError(f"{function} failed: {said}")

    def training_run(self, since: datetime) -> str:
        """Wait for the run that an upload starts; returns its execution's ARN."""
        return self._execution(names.training_machine(self.spec.team, self.spec.name, self.job), since)

    def approve(self, package: str) -> None:
        """Approve a model package, given by its ARN, as `atelier approve` does."""
        self.client("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

    def deployment(self, since: datetime) -> str:
        """Wait for the deployment that an approved model starts; returns its execution's ARN."""
        machine = names.deploy_machine(self.spec.team, self.spec.name, self.endpoint or "")
        return self._execution(machine, since)

    def predict_json(self, xs: Sequence[float]) -> list[float]:
        """Ask the endpoint in JSON: one row an x."""
        answer = json.loads(self.ask("application/json", json.dumps([[x] for x in xs])))
        # TensorFlow Serving wraps what the others give as it is; one number may be a row of one.
        rows = answer["predictions"] if isinstance(answer, dict) else answer
        return [float(row[0] if isinstance(row, list) else row) for row in rows]

    def predict_csv(self, xs: Sequence[float]) -> list[float]:
        """Ask the endpoint in CSV: one line an x."""
        answer = self.ask("text/csv", "\n".join(str(x) for x in xs), "text/csv")
        return [float(cell) for cell in answer.replace(",", "\n").split()]

    def ask(self, content_type: str, body: str, accept: str | None = None) -> str:
        """Send the endpoint a request and return its answer, in a format of its choice or `accept`.

        Raises:
            JourneyError: it refuses; the message is its own.
        """
        runtime = self.client("sagemaker-runtime")
        try:
            response = runtime.invoke_endpoint(
                EndpointName=names.endpoint(self.spec.team, self.spec.name, self.endpoint or ""),
                ContentType=content_type,
                Body=body.encode(),
                **({"Accept": accept} if accept else {}),
            )
        except ClientError as error:
            raise JourneyError(f"endpoint {self.endpoint}: {error}") from error
        text: str = response["Body"].read().decode()
        return text

    def download(self, url: str, folder: Path) -> list[Path]:
        """Copy the objects below an S3 URL to `folder`; returns their files, by name."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        listed = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        found = []
        for entry in listed:
            path = folder / entry["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.client("s3").download_file(bucket, entry["Key"], str(path))
            found.append(path)
        return sorted(found)

    def unprotect(self) -> int:
        """Let the environment's stacks be deleted; returns how many were protected against it."""
        cloudformation = self.client("cloudformation")
        stacks = cloudformation.describe_stacks()["Stacks"]
        found = [stack["StackName"] for stack in stacks if stack["EnableTerminationProtection"]]
        for name in found:
            cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        return len(found)

    def _execution(self, machine: str, since: datetime) -> str:
        arn = f"arn:aws:states:{self.spec.region}:{self.spec.account}:stateMachine:{machine}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            page = self.client("stepfunctions").list_executions(stateMachineArn=arn, maxResults=10)
            started = [run for run in page["executions"] if run["startDate"] >= since]
            if started:
                found: str = started[0]["executionArn"]
                return found
            time.sleep(0.05)
        raise JourneyError(f"{machine} was not started within {PATIENCE_SECONDS:.0f} s")
