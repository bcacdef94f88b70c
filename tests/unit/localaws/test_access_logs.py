"""Access logs of S3 arrive late, as on AWS."""

import pytest

from localaws import moto_patches
from localaws.server import Server


@pytest.fixture
def s3(tmp_path):
    """A client of a server of its own."""
    server = Server(tmp_path / "data", tmp_path / "cache")
    server.start()
    yield server.world.client("s3", "777700002222", "us-east-1")
    server.stop()


def test_access_logs_arrive_some_time_after_the_request(s3, monkeypatch):
    """A log bucket that was emptied stays empty long enough to be deleted; later the logs are there."""
    for bucket in ("late-logs", "logged-data"):
        s3.create_bucket(Bucket=bucket)
    target = {"LoggingEnabled": {"TargetBucket": "late-logs", "TargetPrefix": "data/"}}
    s3.put_bucket_logging(Bucket="logged-data", BucketLoggingStatus=target)
    for _ in range(3):
        s3.list_objects_v2(Bucket="logged-data")
    assert s3.list_objects_v2(Bucket="late-logs")["KeyCount"] == 0
    monkeypatch.setattr(moto_patches, "ACCESS_LOG_DELAY_SECONDS", 0)
    s3.list_objects_v2(Bucket="logged-data")
    found = s3.list_objects_v2(Bucket="late-logs")
    assert found["KeyCount"] >= 3
    assert all(entry["Key"].startswith("data/") for entry in found["Contents"])
