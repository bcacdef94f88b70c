"""The embedded AWS as a process: it starts, is found, refuses what is taken, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from atelier import embedded


def _start(
    data: Path, *, port: int = 0, stdin: int | None = None
) -> tuple[subprocess.Popen[bytes], embedded.Running]:
    command = embedded.command(data, data.parent / "cache", port)
    if stdin is not None:
        command.append("--with-stdin")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=stdin)
    return process, embedded.wait_until_ready(process, data)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[embedded.Running]:
    """A server in a folder of its own."""
    process, running = _start(tmp_path / "data")
    yield running
    process.kill()
    process.wait()


def test_any_client_reaches_it_through_its_variables(served: embedded.Running) -> None:
    """The printed variables make a client act in the account and region that they name."""
    variables = served.environment("444455556666", "us-east-2")
    client = boto3.client(
        "sts",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    assert client.get_caller_identity()["Account"] == "444455556666"


def test_what_is_taken_is_refused_in_one_line(served: embedded.Running, tmp_path: Path) -> None:
    """A second server in the same folder, or on the same port, says what to do."""
    with pytest.raises(embedded.EmbeddedError, match=r"already uses .* stop it") as folder_taken:
        _start(served.data)
    with pytest.raises(embedded.EmbeddedError, match="in use: name another --port") as port_taken:
        _start(tmp_path / "other", port=int(served.endpoint.rsplit(":", 1)[1]))
    for refused in (folder_taken, port_taken):
        assert "\n" not in str(refused.value)


def test_stop_waits_until_it_has_stopped(tmp_path: Path) -> None:
    """After `stop`, the server is not found and its process has ended well."""
    process, running = _start(tmp_path / "data")
    embedded.stop(running)
    assert embedded.find(running.data) is None
    assert process.wait(5) == 0


def test_it_ends_with_what_started_it(tmp_path: Path) -> None:
    """A server that was told to watch its input stops when that ends, however it ends."""
    process, running = _start(tmp_path / "data", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    assert embedded.find(running.data) is None


def test_a_killed_server_does_not_block_the_next(tmp_path: Path) -> None:
    """What a killed server left in its folder is neither found nor in the way."""
    process, running = _start(tmp_path / "data")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert embedded.find(running.data) is None
    again, second = _start(tmp_path / "data")
    assert second.pid == again.pid
    embedded.stop(second)
    again.wait()
