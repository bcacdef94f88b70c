from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Runtime:
    """SageMaker's runtime API with one endpoint: what it was asked, and what it is to answer."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"[1.5]"
    url: str = ""


@pytest.fixture
def runtime(project, monkeypatch) -> Iterator[Runtime]:
    """A runtime API on this machine, to which the shell points."""
    runtime = Runtime()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: self.headers.get(name) for name in ("Content-Type", "Accept")}
            runtime.asked.append({"path": self.path, "body": body, **headers})
            self.send_response(runtime.status)
            if runtime.status == 424:
                self.send_header("x-amzn-errortype", "ModelError")
            elif runtime.status == 400:
                self.send_header("x-amzn-errortype", "ValidationError")
            self.send_header("Content-Length", str(len(runtime.answer)))
            self.end_headers()
            self.wfile.write(runtime.answer)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    runtime.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", runtime.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "embedded")
    yield runtime
    server.shutdown()
    server.server_close()


def test_body_and_formats_are_sent_as_given(atelier, runtime):
    """The request goes to the team's endpoint as it is; the answer is printed as it is."""
    runtime.answer = b"1.5\n2.5\n"
    result = atelier(
        "invoke", "curve", "--body", "1\n2", "--content-type", "text/csv", "--accept", "text/plain"
    )
    assert (result.exit_code, result.output) == (0, "1.5\n2.5\n")
    assert runtime.asked == [
        {
            "path": "/endpoints/tiny-dev-curve/invocations",
            "body": b"1\n2",
            "Content-Type": "text/csv",
            "Accept": "text/plain",
        }
    ]


def test_without_a_body_the_sample_is_sent(atelier, runtime):
    """The team file's sample is the request when none is given; its format holds for both ways."""
    assert atelier("invoke", "curve").output == "[1.5]\n"
    assert runtime.asked[0]["body"] == b"[[1]]"
    assert (runtime.asked[0]["Content-Type"], runtime.asked[0]["Accept"]) == ("application/json",) * 2


def test_body_from_a_file_and_from_standard_input(atelier, runtime, project):
    """Requests that are no text come from a file, or through a pipe."""
    (project / "request").write_bytes(b"\x00\xff")
    assert atelier("invoke", "curve", "--file", "request").exit_code == 0
    assert atelier("invoke", "curve", "--file", "-", input=b"\x01\xfe").exit_code == 0
    assert [one["body"] for one in runtime.asked] == [b"\x00\xff", b"\x01\xfe"]


def test_an_answer_of_bytes_is_written_as_bytes(atelier, runtime):
    """An answer need not be text."""
    runtime.answer = b"\x93NUMPY\xff\n"
    assert atelier("invoke", "curve").stdout_bytes == b"\x93NUMPY\xff\n"


def test_the_containers_error_is_shown(atelier, runtime):
    """A container's error ends in 1 with its status and message, not AWS's wrapping."""
    runtime.status = 424
    runtime.answer = json.dumps(
        {
            "Message": "Received client error (400) …",
            "OriginalStatusCode": 400,
            "OriginalMessage": "no number: x",
        }
    ).encode()
    result = atelier("invoke", "curve", "--body", "x")
    assert result.exit_code == 1
    assert result.stderr == "endpoint tiny-dev-curve answered 400: no number: x\n"


def test_an_endpoint_that_is_not_there_yet(atelier, runtime):
    """Before the first approved model there is no endpoint; the message says what it waits for."""
    runtime.status = 400
    runtime.answer = b'{"Message": "Endpoint tiny-dev-curve of account 111122223333 not found."}'
    result = atelier("invoke", "curve")
    assert result.exit_code == 1
    assert "made when a model of job curve has been approved" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["curv"], "tiny-dev has no endpoint 'curv': did you mean curve?"),
        (["mute"], "declares no sample: give the request with --body or --file"),
        (["curve", "--body", "1", "--file", "x"], "which one is the request?"),
        (["curve", "--body", ""], "the request is empty"),
        (["curve", "--file", "-"], "the request is empty"),
        (["curve", "--file", "missing"], "missing: No such file or directory"),
    ],
)
def test_bad_usage(atelier, project, arguments, says):
    """What cannot be sent is refused before any call."""
    result = atelier("invoke", *arguments)
    assert result.exit_code == 1
    assert says in result.stderr
