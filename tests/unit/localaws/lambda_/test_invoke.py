"""Functions as their callers see them: results, errors, time-outs, logs."""

from __future__ import annotations

import base64
import json
import sys
import time

import psutil
import pytest
from botocore.exceptions import ClientError

from localaws.server import Server

ECHO = """
    import os

    def handler(event, context):
        return {"event": event, "process": os.getpid(), "id": context.aws_request_id}
"""


def test_a_function_gets_its_event_and_answers_the_caller(cloud):
    """The payload arrives as the event, and what the handler returns is the answer."""
    cloud.function("echo", ECHO)
    answer = cloud.invoke("echo", {"size": 3, "text": "ümläut"})
    assert answer.error is None
    assert answer.payload["event"] == {"size": 3, "text": "ümläut"}


def test_a_warm_worker_keeps_its_state_and_answers_within_15_ms(cloud):
    """The second event runs in the process of the first, without a start."""
    cloud.function("warm", ECHO)
    first = cloud.invoke("warm").payload
    took = []
    for _ in range(9):
        begun = time.perf_counter()
        assert cloud.invoke("warm").payload["process"] == first["process"]
        took.append(time.perf_counter() - begun)
    assert sorted(took)[4] < 0.015


def test_an_event_without_payload_is_an_empty_object(cloud):
    """AWS gives a handler {} where the caller gave nothing."""
    cloud.function("nothing", ECHO)
    answer = cloud.client("lambda").invoke(FunctionName="nothing")
    assert json.loads(answer["Payload"].read())["event"] == {}


def test_the_context_tells_what_aws_tells(cloud):
    """Name, memory, ARN, log group and stream, remaining time, client context."""
    arn = cloud.function(
        "context",
        """
        def handler(event, context):
            return [context.function_name, context.memory_limit_in_mb, context.invoked_function_arn,
                    context.log_group_name, context.log_stream_name, context.function_version,
                    context.get_remaining_time_in_millis()]
        """,
        MemorySize=256,
        Timeout=5,
    )
    name, memory, invoked, group, stream, version, left = cloud.invoke("context").payload
    assert (name, memory, invoked, group) == ("context", "256", arn, "/aws/lambda/context")
    assert "/[$LATEST]" in stream
    assert version == "$LATEST"
    assert 4000 < left <= 5000


def test_the_environment_is_the_functions_own(cloud, monkeypatch):
    """A function sees its variables and what points at the embedded AWS, and nothing of the server's."""
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    cloud.function(
        "environment",
        """
        import os, sys, tempfile
        import boto3

        def handler(event, context):
            account = boto3.client("sts").get_caller_identity()["Account"]
            return {**os.environ, "account": account, "temp": tempfile.gettempdir()}
        """,
        Environment={"Variables": {"COLOUR": "blue"}},
    )
    seen = cloud.invoke("environment").payload
    assert seen["COLOUR"] == "blue"
    assert seen["account"] == "111122223333"
    assert seen["AWS_REGION"] == "eu-west-1"
    assert seen["AWS_ENDPOINT_URL"] == cloud.server.endpoint
    assert seen["temp"] == seen["HOME"]
    assert "SECRET_OF_THE_SERVER" not in seen


def test_only_the_libraries_of_the_runtime_can_be_imported(cloud):
    """What the function would miss on AWS it misses here: moto is installed beside the server."""
    cloud.function("needy", "import moto\ndef handler(event, context): pass")
    answer = cloud.invoke("needy")
    assert answer.payload["errorType"] == "Runtime.ImportModuleError"
    assert answer.payload["errorMessage"] == "Unable to import module 'index': No module named 'moto'"


def test_the_client_context_reaches_the_handler(cloud):
    """Base64 in the request, an object with `custom` in the handler; None where there is none."""
    cloud.function("client", "def handler(e, c): return c.client_context and c.client_context.custom")
    assert cloud.invoke("client").payload is None
    context = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    assert cloud.invoke("client", ClientContext=context).payload == {"a": 1}


def test_an_exception_is_answered_as_aws_answers_it(cloud):
    """FunctionError with type, message and trace; the worker stays."""
    cloud.function(
        "raises",
        """
        import os
        def handler(event, context):
            if event:
                raise KeyError("colour")
            return os.getpid()
        """,
    )
    process = cloud.invoke("raises").payload
    answer = cloud.invoke("raises", {"fail": True})
    assert answer.status == 200
    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "KeyError"
    assert answer.payload["errorMessage"] == "'colour'"
    assert answer.payload["stackTrace"][0].startswith('  File "')
    assert 'raise KeyError("colour")' in answer.payload["stackTrace"][0]
    assert "[ERROR] KeyError: 'colour'\rTraceback (most recent call last):" in answer.log
    assert cloud.invoke("raises").payload == process


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "message"),
    [
        ("x = ", "index.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
        ("", "index.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'index'"),
        ("", "nowhere.handler", "Runtime.ImportModuleError", "Unable to import module 'nowhere'"),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("raise ValueError('at import')", "index.handler", "ValueError", "at import"),
        ("def handler(e, c): return {1, 2}", "index.handler", "Runtime.MarshalError", "Unable to marshal"),
        ("import os; os._exit(3)", "index.handler", "Runtime.ExitError", "exit status 3"),
        (
            "import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGKILL)",
            "index.handler",
            "Runtime.ExitError",
            "Runtime exited with error: signal: killed",
        ),
    ],
)
def test_a_broken_function_says_how_it_is_broken(cloud, source, handler, error_type, message):
    """Each way to fail has the error type and the words of AWS, and the next event gets the same answer."""
    name = f"broken-{abs(hash((source, handler)))}"
    cloud.function(name, source, Handler=handler)
    for _ in range(2):
        answer = cloud.invoke(name)
        assert answer.error == "Unhandled"
        assert answer.payload["errorType"] == error_type
        assert message in answer.payload["errorMessage"]


def test_a_timeout_kills_the_worker_and_what_it_started(cloud):
    """The answer comes at the time-out, the processes are gone, and the next event gets a fresh worker."""
    cloud.function(
        "slow",
        """
        import os, subprocess, time
        def handler(event, context):
            if not event:
                return os.getpid()
            child = subprocess.Popen(["sleep", "60"])
            print("pids", os.getpid(), child.pid, flush=True)
            time.sleep(60)
        """,
        Timeout=1,
    )
    before = cloud.invoke("slow").payload
    answer = cloud.invoke("slow", {"hang": True})
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "Status: timeout" in answer.log
    pids = [int(word) for word in answer.log.split("pids ")[1].split("\n")[0].split()]
    assert pids[0] == before
    cloud.until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    assert cloud.invoke("slow").payload != before


def test_the_log_has_the_lines_of_lambda_and_of_the_function(cloud):
    """START, what was printed and logged, END and REPORT, in order, in the function's log group."""
    cloud.function(
        "talks",
        """
        import logging, sys
        def handler(event, context):
            print("printed")
            print("to stderr", file=sys.stderr)
            logging.warning("two\\nlines")
            sys.stdout.write("no line end")
        """,
    )
    answer = cloud.invoke("talks")
    found = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/talks")["events"]
    lines = [event["message"] for event in found]
    assert "".join(lines) == answer.log
    assert lines[0].startswith("START RequestId: ")
    assert lines[1:3] == ["printed\n", "to stderr\n"]
    assert lines[3].startswith("[WARNING]\t")
    assert lines[3].endswith("\ttwo\rlines\n")
    assert lines[4] == "no line end\n"
    assert lines[5].startswith("END RequestId: ")
    assert "Max Memory Used: " in lines[6]
    assert "Init Duration: " in lines[6]


def test_a_running_function_shows_its_log(cloud):
    """What a function prints can be read before it ends."""
    cloud.function(
        "long", "import time\ndef handler(e, c):\n    for i in range(40): print(i); time.sleep(0.1)"
    )
    cloud.client("lambda").invoke(FunctionName="long", InvocationType="Event")

    def shown():
        try:
            found = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/long")["events"]
        except ClientError:
            return None
        return [event["message"] for event in found]

    lines = cloud.until(shown)
    assert not any(line.startswith("END") for line in lines)


def test_json_logs_are_json_in_the_group_that_is_named(cloud):
    """LoggingConfig: its group, platform events and records as JSON objects."""
    cloud.function(
        "structured",
        "import logging\ndef handler(e, c): logging.info('here')",
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/mine", "ApplicationLogLevel": "INFO"},
    )
    cloud.invoke("structured")
    found = cloud.client("logs").filter_log_events(logGroupName="/mine")["events"]
    lines = [json.loads(event["message"]) for event in found]
    assert [line.get("type", line.get("message")) for line in lines] == [
        "platform.start",
        "here",
        "platform.report",
    ]
    assert lines[1]["requestId"] == lines[0]["record"]["requestId"]
    assert lines[2]["record"]["status"] == "success"


def test_events_at_the_same_time_have_workers_of_their_own(cloud):
    """Two events that wait for each other both end."""
    cloud.function(
        "pair",
        """
        import pathlib, time
        def handler(event, context):
            folder = pathlib.Path(event["folder"])
            (folder / event["me"]).touch()
            while not (folder / event["other"]).exists():
                time.sleep(0.01)
            return "met"
        """,
    )
    folder = str(cloud.server.world.data)
    cloud.client("lambda").invoke(
        FunctionName="pair",
        InvocationType="Event",
        Payload=json.dumps({"folder": folder, "me": "a", "other": "b"}),
    )
    assert cloud.invoke("pair", {"folder": folder, "me": "b", "other": "a"}).payload == "met"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"Payload": b"{"}, "InvalidRequestContentException"),
        ({"Payload": json.dumps("x" * 6_291_456)}, "RequestTooLargeException"),
        ({"Payload": json.dumps("x" * 1_048_576), "InvocationType": "Event"}, "RequestTooLargeException"),
        ({"Qualifier": "7"}, "NotEmulated"),
    ],
)
def test_a_bad_request_is_refused(cloud, options, code):
    """What AWS refuses before the function runs."""
    if "strict" not in [one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]]:
        cloud.function("strict", ECHO)
    with pytest.raises(ClientError) as refused:
        cloud.client("lambda").invoke(FunctionName="strict", **options)
    assert refused.value.response["Error"]["Code"] == code


def test_large_payloads_go_both_ways(cloud):
    """Five megabytes in and out."""
    cloud.function("large", "def handler(event, context): return event + event[:1000]")
    text = "é" * 2_000_000
    assert cloud.invoke("large", text).payload == text + text[:1000]


def test_an_answer_over_six_megabytes_is_an_error(cloud):
    """The limit of AWS for what a function returns."""
    cloud.function("huge", "def handler(event, context): return 'x' * 7_000_000")
    assert cloud.invoke("huge").payload["errorType"] == "Function.ResponseSizeTooLarge"


def test_dry_run_checks_without_running(cloud):
    """DryRun answers 204 and starts nothing."""
    cloud.function("dry", ECHO)
    answer = cloud.client("lambda").invoke(FunctionName="dry", InvocationType="DryRun")
    assert answer["StatusCode"] == 204


def test_an_unknown_function_is_not_found(cloud):
    """ResourceNotFoundException with the ARN that was looked for."""
    with pytest.raises(
        ClientError, match="Function not found: arn:aws:lambda:eu-west-1:111122223333:function:no"
    ):
        cloud.invoke("no")


def test_functions_of_two_accounts_do_not_meet(cloud):
    """The same name in another account is another function."""
    cloud.function("shared-name", ECHO)
    other = cloud.server.world.client("lambda", "444455556666", "eu-west-1")
    assert other.list_functions()["Functions"] == []
    with pytest.raises(ClientError, match="Function not found"):
        other.invoke(FunctionName="shared-name")


def test_stopping_the_server_leaves_no_worker(cloud, tmp_path):
    """Workers, idle or in the middle of an event, are gone when stop() returns."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    server = Server(tmp_path / "data", tmp_path / "cache")
    server.start()
    other = type(cloud)(server)
    other.function("sleeper", "import time\ndef handler(event, context): time.sleep(event)", Timeout=60)
    other.invoke("sleeper", 0)
    for _ in range(2):
        other.client("lambda").invoke(FunctionName="sleeper", Payload=b"50", InvocationType="Event")
    other.until(lambda: len(set(psutil.Process().children()) - before) >= 2)
    # An update retires the workers of the code before it: those in the middle of an event must go as well.
    other.client("lambda").update_function_configuration(FunctionName="sleeper", Timeout=50)
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 5
    after = {child.pid for child in psutil.Process().children(recursive=True)}
    assert after <= before


def test_a_killed_server_leaves_no_worker(cloud, tmp_path):
    """After SIGKILL of the server its workers end by themselves, even one that computes without pause."""
    archive = tmp_path / "code.zip"
    archive.write_bytes(cloud.zip(index__py="def handler(event, context):\n    while event: pass"))
    program = f"""
import pathlib, time
from localaws.server import Server
folder = pathlib.Path({str(tmp_path)!r})
server = Server(folder / "data", folder / "cache")
server.start()
client = server.world.client("lambda", "111122223333", "eu-west-1")
client.create_function(
    FunctionName="spin", Runtime="python3.13", Handler="index.handler", Timeout=60,
    Role="arn:aws:iam::111122223333:role/any", Code={{"ZipFile": (folder / "code.zip").read_bytes()}},
)
client.invoke(FunctionName="spin", Payload=b"0")
client.invoke(FunctionName="spin", Payload=b"1", InvocationType="Event")
client.invoke(FunctionName="spin", Payload=b"1", InvocationType="Event")
time.sleep(60)
"""
    server = psutil.Popen([sys.executable, "-c", program])
    workers = cloud.until(lambda: (found := server.children()) and len(found) == 2 and found)
    server.kill()
    server.wait()
    assert psutil.wait_procs(workers, timeout=5)[1] == []
