"""How a channel's objects reach a job: as files, lazily, through pipes, divided among hosts."""

from __future__ import annotations

import struct

BOTH = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}


def channel(lab, **more):
    """The channel `train`."""
    return [{**lab.channel("train"), **more}]


def test_fast_file_shows_all_and_fetches_what_is_read(lab):
    """Folders, names and sizes are there at once; an object that is gone by then fails only who reads it."""
    lab.put("train/first.bin", bytes(range(256)) * 10_000)
    lab.put("train/deep/er/second.txt", "two")
    lab.put("train/gone", "x")
    script = """
import os, pathlib, urllib.request
root = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
print("files", sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()))
first = root / "first.bin"
print("size", first.stat().st_size)
with first.open("rb") as file:
    file.seek(1_000_003)
    print("middle", file.read(3).hex(), "whole", first.read_bytes() == bytes(range(256)) * 10_000)
print("text", (root / "deep/er/second.txt").read_text(), "mounted", os.path.ismount(root))
url = os.environ["AWS_ENDPOINT_URL"] + "/" + os.environ["BUCKET"] + "/train/gone"
key = "AWS4-HMAC-SHA256 Credential=" + os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/eu-west-1/s3/aws4_request"
urllib.request.urlopen(urllib.request.Request(url, method="DELETE", headers={"Authorization": key}))
try:
    print((root / "gone").read_text())
except OSError as error:
    print("gone:", error.strerror)
"""
    job = lab.train(
        "lazy",
        script,
        InputDataConfig=channel(lab, InputMode="FastFile"),
        Environment={"BUCKET": lab.bucket},
    )
    log = lab.job_log("lazy")
    assert job["TrainingJobStatus"] == "Completed", log
    assert "files ['deep/er/second.txt', 'first.bin', 'gone']" in log
    assert "size 2560000" in log
    assert f"middle {bytes((1_000_003 + n) % 256 for n in range(3)).hex()} whole True" in log
    if not any("FastFile is read as File" in line for line in log):
        assert "text two mounted True" in log
        assert "gone: Input/output error" in log


def test_a_pipe_streams_the_channel_once_an_epoch(lab):
    """`<channel>_0` and then `<channel>_1` give all objects in order; nobody needs to read the next."""
    lab.put("train/a", "one\n")
    lab.put("train/b", "two\n")
    script = """
import os
for epoch in range(2):
    with open(os.environ["SM_CHANNEL_TRAIN"] + f"_{epoch}") as pipe:
        print("epoch", epoch, pipe.read().split())
print(os.environ["SM_INPUT_DATA_CONFIG"])
"""
    job = lab.train("piped", script, InputDataConfig=channel(lab, InputMode="Pipe"))
    log = lab.job_log("piped")
    assert job["TrainingJobStatus"] == "Completed", log
    assert "epoch 0 ['one', 'two']" in log
    assert "epoch 1 ['one', 'two']" in log
    assert any('"TrainingInputMode":"Pipe"' in line for line in log)


def test_a_pipe_of_records_wraps_each_object(lab):
    """RecordIO: magic number, length, content, padding to four bytes."""
    lab.put("train/a", "12345")
    script = """
import os
print("bytes", open(os.environ["SM_CHANNEL_TRAIN"] + "_0", "rb").read().hex())
"""
    more = {"InputMode": "Pipe", "RecordWrapperType": "RecordIO"}
    lab.train("records", script, InputDataConfig=channel(lab, **more))
    expected = struct.pack("<II", 0xCED7230A, 5) + b"12345\0\0\0"
    assert f"bytes {expected.hex()}" in lab.job_log("records")


def test_a_job_ends_though_a_pipe_was_never_read(lab):
    """The pipe waits for a reader without holding anything up."""
    lab.put("train/a", "one")
    job = lab.train("unread", "print('done')", InputDataConfig=channel(lab, InputMode="Pipe"))
    assert job["TrainingJobStatus"] == "Completed"


def test_sharding_divides_a_channel_among_the_hosts(lab):
    """Each object is on exactly one host; replicated channels are whole on each."""
    for name in "abcde":
        lab.put(f"train/{name}", name)
    lab.put("both/x", "x")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{lab.bucket}/train/"}
    sharded = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {**source, "S3DataDistributionType": "ShardedByS3Key"}},
    }
    script = """
import os, pathlib
here, train, both = (os.environ[name] for name in ("SM_CURRENT_HOST", "SM_CHANNEL_TRAIN", "SM_CHANNEL_BOTH"))
print(here, "has", *sorted(os.listdir(train)), *os.listdir(both))
pathlib.Path(os.environ["SM_MODEL_DIR"], here).write_text(here)
"""
    job = lab.train("shards", script, InputDataConfig=[sharded, lab.channel("both")], ResourceConfig=BOTH)
    log = lab.job_log("shards")
    assert job["TrainingJobStatus"] == "Completed", log
    assert "algo-1 has a c e x" in log
    assert "algo-2 has b d x" in log
    assert lab.opened(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"algo-1": "algo-1", "algo-2": "algo-2"}
