"""Film reviews from the layout of aclImdb, in a folder and in an archive."""

from __future__ import annotations

import io
import tarfile

import pytest

import contract
import reviews
import small_reviews

FILES = {
    "train/pos/0_9.txt": b"Good",
    "train/pos/1_10.txt": b"Great<br />",
    "train/neg/0_1.txt": "Schlecht, naïv".encode(),
    "test/pos/0_7.txt": b"Fine",
    "test/neg/0_2.txt": b"Poor",
}
OTHERS = {
    "README": b"about",
    "train/labeledBow.feat": b"9 0:1",
    "train/unsup/0_0.txt": b"?",
    "imdb.vocab": b"the",
}


def write_folder(folder, files, inside=""):
    """Files in a folder."""
    for name, content in files.items():
        path = folder / inside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_archive(folder, files, inside="aclImdb"):
    """The same in the archive."""
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "aclImdb_v1.tar.gz", "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{inside}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("inside", ["", "aclImdb"])
@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_the_real_layout_is_read(tmp_path, write, inside):
    """As published: what else the data set holds, reviews without a label among it, is passed over."""
    write(tmp_path / "reviews", {**FILES, **OTHERS}, inside)
    found = reviews.read(tmp_path / "reviews")
    assert [(one.label, one.text) for one in found["train"]] == [
        (0, "Schlecht, naïv"),
        (1, "Good"),
        (1, "Great<br />"),
    ]
    assert [(one.label, one.text) for one in found["test"]] == [(0, "Poor"), (1, "Fine")]


def test_the_order_does_not_depend_on_the_archives(tmp_path):
    """So a transform's output can be compared with the reviews later on."""
    for name, files in (("a", FILES), ("b", dict(reversed(FILES.items())))):
        write_archive(tmp_path / name, files)
    assert reviews.read(tmp_path / "a") == reviews.read(tmp_path / "b")


def test_nothing_is_unpacked_from_an_archive(tmp_path):
    """A member that points out of the folder is but a name, and a link is no review."""
    write_archive(tmp_path / "reviews", {**FILES, "../../../train/pos/2_9.txt": b"Outside"})
    found = reviews.read(tmp_path / "reviews")
    assert len(found["train"]) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["reviews"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"train/neg/0_1.txt": None}, "reviews holds no reviews of train/neg: expected train/neg/"),
        ({"test/pos/0_7.txt": b"\xff"}, "test/pos/0_7.txt is not UTF-8 text (byte 0)"),
        ({"test/pos/0_7.txt": b""}, "test/pos/0_7.txt is empty: expected a review"),
    ],
)
@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_wrong_reviews_are_named(tmp_path, write, files, reason):
    """By the place within the data set."""
    wrong = {name: content for name, content in {**FILES, **files}.items() if content is not None}
    write(tmp_path / "reviews", wrong)
    with pytest.raises(contract.UserError) as caught:
        reviews.read(tmp_path / "reviews")
    assert reason in str(caught.value)


def test_a_broken_archive_is_named(tmp_path):
    """An upload that was cut off, another format, two archives at once, a review that is none."""
    folder = tmp_path / "reviews"
    small_reviews.write_archive(folder, {"train": 40, "test": 40})
    archive = folder / "aclImdb_v1.tar.gz"
    whole = archive.read_bytes()
    for content in (whole[: len(whole) // 2], b"no archive", whole[:200] + b"\0" * 50 + whole[250:]):
        archive.write_bytes(content)
        with pytest.raises(contract.UserError, match=r"^aclImdb_v1\.tar\.gz is no whole tar\.gz archive"):
            reviews.read(folder)
    write_archive(folder, {**FILES, "train/pos/9_9.txt": b"x" * (reviews.MAX_BYTES + 1)})
    with pytest.raises(contract.UserError, match=r"train/pos/9_9\.txt has 1048577 bytes"):
        reviews.read(folder)
    (folder / "more.tar.gz").write_bytes(whole)
    with pytest.raises(contract.UserError, match="several archives"):
        reviews.read(folder)


def test_the_small_corpus_is_balanced_and_always_the_same(tmp_path):
    """Half praise, half blame; the same bytes for the same seed."""
    for name in ("a", "b"):
        small_reviews.write_archive(tmp_path / name, {"train": 60, "test": 20})
    archives = [(tmp_path / name / "aclImdb_v1.tar.gz").read_bytes() for name in ("a", "b")]
    assert archives[0] == archives[1]
    found = reviews.read(tmp_path / "a")
    assert {part: sum(one.label for one in some) for part, some in found.items()} == {"train": 30, "test": 10}
