"""The example that a job brings to the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from atelier.demo.example import Example, Request, write_example
from atelier.demo.journey import JourneyError
from atelier.spec.jobs import Job

WRITES = """\
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "train").mkdir(parents=True)
for name in ("b.csv", "last.csv", "z.csv"):
    (folder / "train" / name).write_text("")
(folder / "train/points.csv").write_text("2.0,1.0\\n4.0,3.0\\n")
asked = [{"content_type": "text/csv", "body": "1"}]
(folder / "requests.json").write_text(json.dumps(asked))
"""


def code(folder: Path, program: str) -> Path:
    """A script folder with this example.py."""
    folder.mkdir()
    (folder / "example.py").write_text(program)
    return folder


def test_an_example_writes_data_and_requests(tmp_path):
    """Files come in the order of their names, the one that is waited for last; points can be drawn."""
    example = write_example(code(tmp_path / "script", WRITES), tmp_path / "data")
    names = [path.name for path in example.files("train", "last.csv")]
    assert names == ["b.csv", "points.csv", "z.csv", "last.csv"]
    assert example.requests == [Request("text/csv", "1", "text/csv")]
    assert example.points() == [(1.0, 2.0), (3.0, 4.0)]


def test_what_an_example_lacks_is_said(tmp_path):
    """A pretrained model needs its files, a folder its example.py, and one that fails is quoted."""
    with pytest.raises(JourneyError, match="needs its files"):
        write_example(None, tmp_path / "data")
    with pytest.raises(JourneyError, match=r"example\.py does not exist"):
        write_example(tmp_path, tmp_path / "data")
    with pytest.raises(JourneyError, match="no such word"):
        write_example(code(tmp_path / "script", "raise SystemExit('no such word')"), tmp_path / "data")


def test_what_starts_the_run_is_uploaded_last(tmp_path):
    """A channel that a trigger names comes after the others, its marker last; an empty one is refused."""
    example = Example(tmp_path, [])
    for path in ("train/a.npy", "train/z.npy", "validation/v.npy"):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.touch()
    job = Job.model_validate(
        {
            "image": "iris",
            "channels": {"train": "t/", "validation": "v/"},
            "triggers": [{"upload": ["train"], "marker": "a.npy"}],
        }
    )
    uploads = [(source, [path.name for path in files]) for source, files in example.uploads(job)]
    assert uploads == [("validation", ["v.npy"]), ("train", ["z.npy", "a.npy"])]
    (tmp_path / "validation/v.npy").unlink()
    with pytest.raises(JourneyError, match="nothing to validation"):
        example.uploads(job)
