"""The embedded AWS as a process: it starts, is found, refuses what is taken, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest

from atelier import embedded


@pytest.fixture
def served(tmp_path: Path) -> Iterator[embedded.Running]:
    """A server in a folder of its own."""
    with embedded.serve(tmp_path / "data", tmp_path / "cache") as running:
        yield running


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
    port = int(served.endpoint.rsplit(":", 1)[1])
    for folder, wanted, told in (("data", 0, "already uses"), ("other", port, "name another --port")):
        with (
            pytest.raises(embedded.EmbeddedError, match=told) as refused,
            embedded.serve(tmp_path / folder, tmp_path / "cache", wanted),
        ):
            pass
        assert "\n" not in str(refused.value)


def test_stop_waits_until_it_has_stopped(served: embedded.Running) -> None:
    """After `stop`, as `atelier down` does it, the server is not found and its process has ended."""
    embedded.stop(served)
    assert embedded.find(served.data) is None
    assert not _running(served.pid)


def test_it_ends_with_what_serves_it_and_does_not_block_the_next(tmp_path: Path) -> None:
    """When the process that serves is killed, the server stops, and its folder can be used again."""
    program = (
        "import sys, time; from pathlib import Path; from atelier import embedded\n"
        "with embedded.serve(Path('data'), Path('cache')) as running:\n"
        "    print(running.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    owner = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 10
    while _running(server):
        assert time.monotonic() < deadline, "the server outlives the process that served it"
        time.sleep(0.05)
    with embedded.serve(tmp_path / "data", tmp_path / "cache") as again:
        assert again.pid != server


def _running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_folder_with_files_of_others_is_left_alone(tmp_path: Path) -> None:
    """A data folder that holds anything the embedded AWS did not make is refused, and nothing in it goes."""
    precious = tmp_path / "data" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("kept")
    with (
        pytest.raises(embedded.EmbeddedError, match="holds files that are not"),
        embedded.serve(tmp_path / "data", tmp_path / "cache"),
    ):
        pass
    assert precious.read_text() == "kept"


@pytest.mark.parametrize("said", ['{"pid": %d, "endpoint": "x"}', "{", "[]"])
def test_what_a_killed_server_left_names_nobody(tmp_path: Path, said: str) -> None:
    """A file left behind is no server, whatever it says: its process id may be anybody's by now."""
    (tmp_path / "server.json").write_text(said.replace("%d", str(os.getpid())))
    assert embedded.find(tmp_path) is None


@pytest.mark.parametrize(
    ("number", "code", "told"), [(signal.SIGKILL, 1, "was killed"), (signal.SIGTERM, 0, "")]
)
def test_up_tells_a_killed_server_from_a_stopped_one(
    tmp_path: Path, number: signal.Signals, code: int, told: str
) -> None:
    """`atelier up` ends with 0 only when the server was stopped; else with a sentence and the log's place."""
    up = _up(tmp_path / "data")
    running = embedded.find(tmp_path / "data")
    assert running is not None
    os.kill(running.pid, number)
    _, said = up.communicate(timeout=20)
    assert up.returncode == code
    assert told in said
    assert (str(tmp_path / "data/server.log") in said.split("stops it.")[1]) == bool(code)


def test_ctrl_c_stops_what_is_served(tmp_path: Path) -> None:
    """In order, with a word and 0."""
    up = _up(tmp_path / "data")
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=20)
    assert (up.returncode, said.splitlines()[-1]) == (0, "stopped")
    assert embedded.find(tmp_path / "data") is None


def _up(data: Path) -> subprocess.Popen[str]:
    """`atelier up`, which serves."""
    command = "import sys; from atelier.cli import main; sys.argv[0] = 'atelier'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "up", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process
