"""Bring objects of S3 into folders and back: channels, archives, checkpoints."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from isal import igzip

_DOWNLOADS = 4


class S3Problem(Exception):
    """An object, prefix or bucket cannot be used; the message is worded as AWS words it."""


@dataclass(frozen=True)
class Location:
    """A place in S3."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Location:
        """`s3://bucket/key`; the key may be empty."""
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise S3Problem(f"{uri} is not an S3 URI of the form s3://bucket/key")
        return cls(parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").lstrip("/"))

    def below(self, *names: str) -> Location:
        """The place `<key>/<name>/...`."""
        return Location(self.bucket, "/".join([*filter(None, [self.key.rstrip("/")]), *names]))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def exists(client: Any, location: Location) -> bool:
    """Whether the object is there."""
    try:
        client.head_object(Bucket=location.bucket, Key=location.key)
    except ClientError:
        return False
    return True


def keys(client: Any, location: Location) -> list[str]:
    """The keys that begin with the location's key, without folder markers, sorted."""
    return [item.location.key for item in below(client, location)]


@dataclass(frozen=True)
class Item:
    """An object among those of a prefix or manifest, and its path relative to them."""

    location: Location
    name: str
    size: int


def below(client: Any, location: Location) -> list[Item]:
    """What lies below a prefix, without folder markers, sorted by key; names keep the relative paths."""
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key)
        sizes = {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}
    except ClientError as error:
        raise _problem(location, error) from error
    found = sorted(key for key in sizes if not key.endswith("/"))
    base = _base(location.key, found)
    return [Item(Location(location.bucket, key), key[len(base) :], sizes[key]) for key in found]


def listed(client: Any, location: Location) -> list[Item]:
    """What a manifest file lists: `[{"prefix": "s3://bucket/path/"}, "relative path", …]`."""
    try:
        content = client.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
        prefix = Location.parse(json.loads(content)[0]["prefix"])
        names = [str(name) for name in json.loads(content)[1:]]
        places = [Location(prefix.bucket, prefix.key + name) for name in names]
        heads = [client.head_object(Bucket=place.bucket, Key=place.key) for place in places]
    except ClientError as error:
        raise _problem(location, error) from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise S3Problem(
            f"{location} is no manifest, a JSON list that begins with a prefix: {error}"
        ) from error
    return [
        Item(place, name.lstrip("/"), head["ContentLength"])
        for place, name, head in zip(places, names, heads, strict=True)
    ]


def _base(prefix: str, found: list[str]) -> str:
    """What the local paths leave out: the prefix as a folder, or the folder in which it stands."""
    folder = prefix if prefix.endswith("/") or not prefix else prefix + "/"
    return folder if all(key.startswith(folder) for key in found) else prefix[: prefix.rfind("/") + 1]


def _problem(location: Location, error: ClientError) -> S3Problem:
    reason = error.response["Error"]
    return S3Problem(f"{location}: {reason['Code']}: {reason['Message']}")


def fetch(client: Any, location: Location, target: Path) -> None:
    """Download one object to the file `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        body = client.get_object(Bucket=location.bucket, Key=location.key)["Body"]
    except ClientError as error:
        raise _problem(location, error) from error
    with target.open("wb") as file:
        for chunk in body.iter_chunks(1 << 20):
            file.write(chunk)


def fetch_all(client: Any, items: Iterable[Item], folder: Path) -> None:
    """Download objects into a folder, each to its name."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    targets = [(item.location, (root / item.name).resolve()) for item in items]
    for location, target in targets:
        if not target.is_relative_to(root):
            raise S3Problem(f"{location} would be written outside its channel's folder")
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        for _ in pool.map(lambda pair: fetch(client, *pair), targets):
            pass


def unpack(client: Any, location: Location, folder: Path) -> None:
    """Download a tar archive and unpack it into a folder."""
    archive = folder.with_name(folder.name + ".tar.gz")
    fetch(client, location, archive)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise S3Problem(f"{location} is not a tar archive that can be unpacked: {error}") from error
    archive.unlink()


def pack(client: Any, folder: Path, location: Location, kms_key: str | None = None) -> None:
    """Upload a folder's content as a tar.gz archive, encrypted with a KMS key where one is named."""
    archive = folder.with_name(folder.name + ".tar.gz")
    with igzip.open(archive, "wb", compresslevel=1) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else None
    client.upload_file(str(archive), location.bucket, location.key, ExtraArgs=encryption)
    archive.unlink()


class Mirror:
    """A folder that is kept in S3 as well: brought in at the start, changes carried back when asked."""

    def __init__(self, client: Any, folder: Path, location: Location) -> None:
        self._client = client
        self._folder = folder
        self._location = location
        self._known: dict[Path, tuple[int, int]] = {}

    def bring(self) -> None:
        """Download what is in S3."""
        place = Location(self._location.bucket, self._location.key.rstrip("/") + "/")
        self._folder.mkdir(parents=True, exist_ok=True)
        fetch_all(self._client, below(self._client, place), self._folder)
        self._known = dict(self._states())

    def carry(self) -> None:
        """Upload the files that are new or changed since the last time.

        A file may vanish while a program turns its files over; the next round finds what is there.
        """
        with suppress(FileNotFoundError):
            self._carry()

    def _carry(self) -> None:
        for path, state in self._states():
            if self._known.get(path) != state:
                target = self._location.below(*path.relative_to(self._folder).parts)
                self._client.upload_file(str(path), target.bucket, target.key)
                self._known[path] = state

    def _states(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                status = path.stat()
                yield path, (status.st_mtime_ns, status.st_size)
