"""The code of functions: zips from the request or from S3, unpacked once for each content."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import threading
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.service import AwsError, Call, NotEmulated
from localaws.world import World

_MAX_UNZIPPED = 262_144_000
_MAX_ZIPPED = 52_428_800  # of a zip inside the request; one from S3 has no limit of its own


@dataclass(frozen=True)
class Code:
    """One unpacked zip: `folder` is the task root, `archive` the zip itself."""

    folder: Path
    archive: Path
    sha256: str
    """Base64 of the zip's SHA-256, as CodeSha256 shows it."""
    size: int


class CodeStore:
    """Unpacks zips under `root`; functions with the same zip share one folder."""

    def __init__(self, world: World, root: Path) -> None:
        self._world = world
        self._root = root
        self._lock = threading.Lock()

    def fetch(self, call: Call, source: Mapping[str, Any]) -> Code:
        """The code that a request names: `ZipFile`, or `S3Bucket` with `S3Key` and `S3ObjectVersion`."""
        if "ImageUri" in source:
            raise NotEmulated("A Lambda function from a container image")
        if "ZipFile" in source:
            if len(source["ZipFile"]) > _MAX_ZIPPED:
                raise AwsError(
                    "RequestEntityTooLargeException", f"Request must be smaller than {_MAX_ZIPPED} bytes", 413
                )
            return self._store(source["ZipFile"])
        if "S3Bucket" not in source or "S3Key" not in source:
            raise AwsError("InvalidParameterValueException", "Please provide a source for function code.")
        where = {"Bucket": source["S3Bucket"], "Key": source["S3Key"]}
        if "S3ObjectVersion" in source:
            where["VersionId"] = source["S3ObjectVersion"]
        try:
            answer = self._world.client("s3", call.account, call.region).get_object(**where)
        except ClientError as error:
            cause = error.response["Error"]
            raise AwsError(
                "InvalidParameterValueException",
                f"Error occurred while GetObject. S3 Error Code: {cause['Code']}. "
                f"S3 Error Message: {cause['Message']} ({where['Bucket']}/{where['Key']})",
            ) from error
        return self._store(answer["Body"].read())

    def _store(self, data: bytes) -> Code:
        digest = hashlib.sha256(data)
        home = self._root / digest.hexdigest()[:32]
        code = Code(home / "task", home / "code.zip", base64.b64encode(digest.digest()).decode(), len(data))
        with self._lock:
            if not home.exists():
                # Unpacked aside, so that a bad zip leaves nothing that looks like code.
                partial = self._root / f"partial-{uuid.uuid4().hex}"
                try:
                    _unpack(data, partial / "task")
                    (partial / "code.zip").write_bytes(data)
                    partial.rename(home)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
        return code


def _unpack(data: bytes, target: Path) -> None:
    """Unpack a zip with its permissions; anything that is no usable zip is refused as AWS does."""
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if not members:
                raise AwsError("InvalidParameterValueException", "Uploaded file must be a non-empty zip")
            if sum(member.file_size for member in members) > _MAX_UNZIPPED:
                raise AwsError(
                    "InvalidParameterValueException",
                    f"Unzipped size must be smaller than {_MAX_UNZIPPED} bytes",
                )
            for member in members:
                path = archive.extract(member, target)
                mode = member.external_attr >> 16 & 0o777
                if mode and not member.is_dir():
                    os.chmod(path, mode | 0o400)  # noqa: PTH101 -- `extract` gives a string
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise AwsError(
            "InvalidParameterValueException",
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ) from error
