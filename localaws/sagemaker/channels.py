"""The input channels of a training job: what a host finds below /opt/ml/input/data, and how it gets there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.sagemaker import s3
from localaws.sagemaker.pipes import Pipe
from localaws.service import Params

FILE, PIPE, FAST_FILE = "File", "Pipe", "FastFile"
SHARDED = "ShardedByS3Key"


@dataclass(frozen=True)
class Channel:
    """One channel as a request describes it."""

    request: dict[str, Any]
    mode: str

    @property
    def name(self) -> str:
        """Its name."""
        name: str = self.request["ChannelName"]
        return name

    @property
    def source(self) -> dict[str, Any]:
        """Where its data are in S3."""
        source: dict[str, Any] = self.request["DataSource"]["S3DataSource"]
        return source

    @property
    def record_wrapper(self) -> str:
        """RecordIO or None."""
        wrapper: str = self.request.get("RecordWrapperType", "None")
        return wrapper

    def described(self) -> dict[str, str]:
        """As inputdataconfig.json has it."""
        return {
            "TrainingInputMode": self.mode,
            "S3DistributionType": self.source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": self.record_wrapper,
            **({"ContentType": self.request["ContentType"]} if "ContentType" in self.request else {}),
        }

    def items(self, client: Any, host: int, hosts: int) -> list[s3.Item]:
        """The objects that host number `host` of `hosts` gets."""
        find = s3.listed if self.source["S3DataType"] == "ManifestFile" else s3.below
        items = find(client, s3.Location.parse(self.source["S3Uri"]))
        sharded = self.source.get("S3DataDistributionType") == SHARDED
        return items[host::hosts] if sharded else items


def channels_of(params: Params) -> list[Channel]:
    """The channels of a CreateTrainingJob request."""
    mode = params["AlgorithmSpecification"]["TrainingInputMode"]
    return [Channel(item, item.get("InputMode", mode)) for item in params.get("InputDataConfig", [])]


def bring(client: Any, channels: list[Channel], folder: Path, host: int, hosts: int) -> Iterator[Pipe]:
    """Bring a host's channels into the folder that becomes its /opt/ml; the pipes to start and stop.

    Files are downloaded, and pipes made, now. FastFile channels are only listed, in `<folder>.fastfile.json`:
    the container makes a file system of that which reads from S3.
    """
    lazy = {}
    for channel in channels:
        items = channel.items(client, host, hosts)
        place = folder / "input" / "data" / channel.name
        if channel.mode == PIPE:
            yield Pipe(client, items, place, record_io=channel.record_wrapper == "RecordIO")
        elif channel.mode == FAST_FILE:
            place.mkdir(parents=True, exist_ok=True)
            lazy[channel.name] = [
                [item.name, item.size, f"/{item.location.bucket}/{item.location.key}"] for item in items
            ]
        else:
            s3.fetch_all(client, items, place)
    if lazy:
        folder.with_name(f"{folder.name}.fastfile.json").write_text(json.dumps(lazy), encoding="utf-8")
