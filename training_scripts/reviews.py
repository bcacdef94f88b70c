"""Film reviews with a label, from the layout of the Large Movie Review data set (aclImdb).

Reviews lie one a file in <part>/pos/*.txt and <part>/neg/*.txt, where part is train or test: in a folder, in
a folder aclImdb of it, or in the archive aclImdb_v1.tar.gz as it is published, read without unpacking.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import contract

PARTS = ("train", "test")
LABELS = {"neg": 0, "pos": 1}
MAX_BYTES = 2**20
"""The longest review of the original has some 14,000; a larger member is no review."""


@dataclass(frozen=True, order=True)
class Review:
    """A review: where it was, 1 for praise or 0 for blame, its text as it was written, HTML and all."""

    place: str
    label: int
    text: str


def read(folder: Path) -> dict[str, list[Review]]:
    """The reviews of each part, in the order of their places.

    Raises:
        UserError: no reviews of a part or a label, a broken archive, an empty text, one that is not UTF-8.
    """
    archives = sorted(folder.glob("*.tar.gz"))
    if len(archives) > 1:
        names = ", ".join(path.name for path in archives)
        raise contract.UserError(f"{folder.name} holds several archives ({names}): leave one")
    found: dict[str, list[Review]] = {part: [] for part in PARTS}
    for place, content in _archived(archives[0]) if archives else _files(folder):
        if not content:
            raise contract.UserError(f"{place} is empty: expected a review")
        part, label = place.parts[-3:-1]
        found[part].append(Review(str(place), LABELS[label], _decoded(place, content)))
    for part, some in found.items():
        for name, value in LABELS.items():
            if not any(one.label == value for one in some):
                layout = f"expected {part}/{name}/*.txt, in a folder or in aclImdb_v1.tar.gz"
                raise contract.UserError(f"{folder.name} holds no reviews of {part}/{name}: {layout}")
    return {part: sorted(some) for part, some in found.items()}


def _is_review(place: PurePosixPath) -> bool:
    *_, part, label, _ = ("", "", *place.parts)
    return part in PARTS and label in LABELS and place.suffix == ".txt"


def _files(folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    for path in folder.rglob("*.txt"):
        place = PurePosixPath(path.relative_to(folder))
        if _is_review(place):
            yield place, path.read_bytes()


def _archived(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                place = PurePosixPath(member.name)
                if not (member.isfile() and _is_review(place)):
                    continue
                if member.size > MAX_BYTES:
                    raise contract.UserError(f"{archive.name}: {place} has {member.size} bytes: no review")
                if file := tar.extractfile(member):
                    yield place, file.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise contract.UserError(f"{archive.name} is no whole tar.gz archive: {error}") from error


def _decoded(place: PurePosixPath, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise contract.UserError(f"{place} is not UTF-8 text (byte {error.start})") from None
