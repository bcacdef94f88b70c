from __future__ import annotations

import fcntl
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage

import pytest

from atelier.cli.commands import COMMANDS

AWS = {"AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": "embedded"}


def test_every_command_says_in_the_help_what_its_docstring_says():
    """The help's lines, which are kept apart from the modules so that it is quick, are the functions' own."""
    for entry in COMMANDS.values():
        function = getattr(importlib.import_module(f"atelier.cli.{entry.module}"), entry.function)
        assert inspect.getdoc(function).splitlines()[0] == entry.help


def test_help_imports_neither_boto3_nor_rich():
    """What makes the help quick: the heavy libraries are imported by the commands that use them."""
    heavy = {"boto3", "rich", "pydantic", "ruamel.yaml"}
    code = f"import sys, atelier.cli.commands; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_help_is_quick():
    """`atelier --help` answers in well under a second."""
    command = [sys.executable, "-c", "from atelier.cli import main; main()", "--help"]
    # What the processor worked, since a test's machine may be busy with others.
    before = getrusage(RUSAGE_CHILDREN).ru_utime
    output = subprocess.check_output(command, text=True)
    assert getrusage(RUSAGE_CHILDREN).ru_utime - before < 0.4
    assert all(name in output for name in COMMANDS)


def test_an_unknown_command_suggests_one(atelier):
    """A misspelt command is answered with the nearest."""
    result = atelier("trian")
    assert result.exit_code == 2
    assert "Did you mean 'train'?" in result.stderr


def test_several_environments_must_be_chosen_from(atelier, project):
    """With more than one environment or team, the question names them."""
    path = project / "teams/tiny.yaml"
    line = '  dev: {account: "111122223333", region: eu-west-1}\n'
    path.write_text(path.read_text().replace(line, line + line.replace("dev", "prod")))
    assert "which environment of tiny? --env dev or prod" in atelier("runs").stderr
    (project / "teams/other.yaml").write_text(path.read_text().replace("team: tiny", "team: other"))
    assert "which team? --team other or tiny" in atelier("runs").stderr


def test_a_wrong_team_file_is_shown_as_check_shows_it(atelier, project):
    """A command that needs the team file says what is wrong with it, and where."""
    (project / "teams/tiny.yaml").write_text("team: tiny\n")
    result = atelier("runs")
    assert result.exit_code == 1
    assert "the key owners is required" in result.stderr


def test_outside_a_project(atelier, project, monkeypatch):
    """Without teams/ the message says so."""
    monkeypatch.chdir(project / "training_scripts")
    assert "there is no such folder" in atelier("runs").stderr


def test_no_credentials(atelier):
    """Without credentials the ways to get some are named."""
    result = atelier("train", "curve")
    assert result.exit_code == 1
    assert "no AWS credentials" in result.stderr
    assert "atelier up" in result.stderr


def test_no_credentials_beside_a_running_embedded_aws(atelier, project, server, monkeypatch):
    """When `atelier up` runs in this project and the shell is not pointed at it, that is said."""
    monkeypatch.setattr("atelier.embedded.STATE", project / ".localaws")
    folder = project / ".localaws/data"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps({"pid": os.getpid(), "endpoint": server.endpoint}))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = atelier("train", "curve")
    assert f"An embedded AWS answers on {server.endpoint}" in result.stderr


def test_nothing_answers(atelier, project, monkeypatch):
    """A stopped embedded AWS is named by its address."""
    for name, value in {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    result = atelier("invoke", "curve")
    assert result.exit_code == 1
    assert "nothing answers on http://127.0.0.1:9 (AWS_ENDPOINT_URL)" in result.stderr


@pytest.mark.parametrize("arguments", [["train", "curve"], ["runs"]])
def test_not_deployed(atelier, deployed, project, arguments):
    """What is not deployed is named, with the command that deploys it."""
    path = project / "teams/tiny.yaml"
    path.write_text(path.read_text().replace("  dev:", "  test:"))
    result = atelier(*arguments)
    assert result.exit_code == 1
    assert "npx cdk deploy 'tiny-test/*' -c team=tiny -c env=test" in result.stderr


def test_credentials_of_another_account(atelier, deployed, project):
    """Credentials of the wrong account are recognised: what looks undeployed may be elsewhere."""
    path = project / "teams/tiny.yaml"
    path.write_text(path.read_text().replace("111122223333", "999988887777").replace("dev:", "test:"))
    result = atelier("train", "curve")
    assert "of account 111122223333, but tiny-test lives in 999988887777" in result.stderr


def test_an_endpoint_url_that_is_none(atelier, project, monkeypatch):
    """An AWS_ENDPOINT_URL that is no URL is told in a line."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "foo")
    result = atelier("runs")
    assert result.exit_code == 1
    assert result.stderr.startswith("Invalid endpoint: foo: set AWS_ENDPOINT_URL to a URL such as")


def test_ctrl_c_is_no_traceback(atelier, project, monkeypatch):
    """Ctrl-C ends a command with 130, even while it is still importing."""

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("atelier.cli.commands.import_module", interrupted)
    assert atelier("runs").exit_code == 130


def test_ctrl_c_while_it_starts_shows_no_traceback(tmp_path):
    """An interruption in the first import ends the command as any other does."""
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from atelier.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_ctrl_c_in_an_import_that_swallows_it_ends_the_command(tmp_path):
    """As where it comes in a destructor, of which Python only says that it was ignored: nothing runs on."""
    (tmp_path / "typer.py").write_text(
        "import os, signal, time\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT); time.sleep(9)\n"
        "except KeyboardInterrupt:\n    print('runs on')\n"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from atelier.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    # A shell calls it 130.
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_command_with_arguments_asks_for_arguments(atelier, project):
    """The doctor takes team and environment without an option's name, and says so."""
    path = project / "teams/tiny.yaml"
    (project / "teams/other.yaml").write_text(path.read_text().replace("team: tiny", "team: other"))
    assert "which team? other or tiny" in atelier("doctor").stderr
