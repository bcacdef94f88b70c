"""The scripts that are shipped, really run: below a scratch folder, with programs that record their calls."""

from __future__ import annotations

import configparser
import json
import shlex
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from atelier.spec import lifecycle

HOME = "home/sagemaker-user"
VOLUME = "home/ec2-user/SageMaker"
NOTEBOOK = {
    "ResourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/n",
    "ResourceName": "n",
}


@pytest.fixture
def repositories(tmp_path):
    """Two repositories to clone, each with a file; their addresses."""
    addresses = []
    for name in ("one", "two"):
        folder = tmp_path / "origin" / f"{name}.git"
        folder.mkdir(parents=True)
        (folder / "notes.md").write_text(name)
        git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com"]
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], check=True)
        addresses.append(folder.as_uri())
    return addresses


def test_settings_reach_the_script_as_they_are(machine, tmp_path, monkeypatch):
    """Quotes, dollars and line breaks too; a script gets what it mentions and nothing else."""
    monkeypatch.setattr(lifecycle, "SCRIPTS", tmp_path)
    (tmp_path / "show.sh").write_text('printf %s "$ATELIER_PACKAGES"; env | grep ^ATELIER_.*= | cut -d= -f1')
    awkward = 'it\'s $HOME `id`\n"x"\n'
    done = machine("studio").run("show", ATELIER_PACKAGES=awkward)
    assert done.stdout == f"{awkward}ATELIER_PACKAGES\n"


def test_packages_are_installed_in_the_background(machine):
    """Pip gets the team's file and may take its time: the start does not wait for it."""
    studio = machine("studio")
    assert studio.run("install_packages").returncode == 0
    file = studio.root / HOME / ".atelier/packages.txt"
    assert file.read_text() == "polars==1.35.0\nfasttext>=0.9\n"
    [call] = studio.calls("pip", count=1)
    assert call.endswith(f"--requirement {file}")
    assert studio.calls("runuser") == []


def test_on_a_notebook_instance_packages_go_to_the_kernel_as_its_user(machine):
    """Scripts run as root there: what they make is to be the person's, in the kernel's environment."""
    notebook = machine("notebook")
    pip = notebook.root / "home/ec2-user/anaconda3/envs/python3/bin/pip"
    pip.parent.mkdir(parents=True)
    pip.write_text('#!/bin/sh\nprintf "%s\\n" "kernel-pip $HOME" >>"$CALLS"\n')
    pip.chmod(0o755)
    assert notebook.run("install_packages").returncode == 0
    assert notebook.calls("kernel-pip", count=1) == [f"kernel-pip {notebook.root}/home/ec2-user"]
    assert all(call.startswith("runuser -u ec2-user -- env ") for call in notebook.calls("runuser"))


def test_repositories_are_cloned_once(machine, repositories):
    """Each stands beside the others; work in one is not touched by the next start."""
    studio = machine("studio")
    for _ in range(2):
        assert studio.run("clone_repositories", ATELIER_REPOSITORIES="\n".join(repositories)).returncode == 0
        for name in ("one", "two"):
            assert studio.eventually(f"{HOME}/{name}/notes.md").read_text() in {name, "my work"}
        (studio.root / HOME / "one/notes.md").write_text("my work")
    assert (studio.root / HOME / "one/notes.md").read_text() == "my work"


def test_a_repository_that_cannot_be_cloned_keeps_no_other_from_it(machine, repositories, tmp_path):
    """It is told in the log and tried again at the next start; nothing half-cloned stands in its place."""
    studio = machine("studio")
    gone = (tmp_path / "gone.git").as_uri()
    assert studio.run("clone_repositories", ATELIER_REPOSITORIES=f"{gone}\n{repositories[1]}").returncode == 0
    studio.eventually(f"{HOME}/two/notes.md")
    assert (
        f"{gone} could not be cloned" in (studio.root / HOME / ".atelier/clone_repositories.log").read_text()
    )
    assert not (studio.root / HOME / "gone").exists()


@pytest.mark.parametrize(
    ("kind", "metadata", "space", "settings", "expected"),
    [
        ("studio", {"SpaceName": "lab"}, "Private\tana", {}, ("ana@example.com", "Ana O'Neill")),
        ("studio", {"SpaceName": "lab"}, "Private\tben", {}, ("ben@example.com", None)),
        ("studio", {"SpaceName": "lab"}, "Private\tzoe", {}, (None, None)),
        ("studio", {"SpaceName": "lab"}, "Shared\tana", {}, (None, None)),
        ("studio", {"UserProfileName": "ana"}, "", {}, ("ana@example.com", "Ana O'Neill")),
        ("notebook", {}, "", {"ATELIER_OWNER": "ana"}, ("ana@example.com", "Ana O'Neill")),
    ],
    ids=["private space", "no name", "unknown user", "shared space", "profile", "notebook"],
)
def test_commits_carry_the_name_of_who_works_here(machine, kind, metadata, space, settings, expected):
    """The owner of a private space or notebook; nobody in a shared space, where each has a name."""
    one = machine(kind, space=space, **metadata)
    assert one.run("git_identity", **settings).returncode == 0
    found = configparser.ConfigParser()
    found.read(one.root / ("home/ec2-user" if kind == "notebook" else HOME) / ".gitconfig")
    assert (found.get("user", "email", fallback=None), found.get("user", "name", fallback=None)) == expected


def test_the_teams_folder_is_copied_at_every_start(machine):
    """Without deleting what a person put beside it."""
    studio = machine("studio")
    assert studio.run("mount_team_prefix").returncode == 0
    [call] = studio.calls("aws", count=1)
    assert call == f"aws s3 sync --only-show-errors s3://vision-dev-data/team/ {studio.root}/{HOME}/team"
    assert (studio.root / HOME / "team").is_dir()


def test_dockers_data_lies_on_the_big_volume(machine):
    """Docker's other settings stay; it is restarted where its folder changes, and only there."""
    notebook = machine("notebook")
    settings = notebook.root / "etc/docker/daemon.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"runtimes": {"nvidia": {}}}')
    for _ in range(2):
        assert notebook.run("docker_data_directory").returncode == 0
        data = f"{notebook.root}/{VOLUME}/.docker"
        assert json.loads(settings.read_text()) == {"runtimes": {"nvidia": {}}, "data-root": data}
    assert notebook.calls("systemctl") == [
        "systemctl stop docker.socket docker.service",
        "systemctl start docker.socket docker.service",
    ]


@pytest.mark.parametrize("script", ["auto_stop", "docker_data_directory"])
def test_what_is_for_notebooks_says_so_in_studio(machine, script):
    """The app starts nevertheless."""
    done = machine("studio").run(script)
    assert done.returncode == 0
    assert f"is for notebook instances only\nlifecycle script {script} failed with status 1" in done.stderr


def test_a_script_that_fails_stops_neither_the_others_nor_the_app(machine):
    """Even one whose failure is not the last thing that it does."""
    studio = machine("studio")  # without a SpaceName, and without the file that would say so
    (studio.root / "opt/ml/metadata/resource-metadata.json").unlink()
    done = studio.run("git_identity", "mount_team_prefix")
    assert done.returncode == 0
    assert "git_identity failed with status 1; the start goes on without it" in done.stderr
    assert studio.calls("aws", count=1)


def test_scripts_that_take_too_long_are_ended_before_sagemaker_does_it(machine, tmp_path, monkeypatch):
    """After 4 minutes, each with all that it runs, even where it does not let itself be ended.

    What is in the background goes on, and so does the start, with what comes next.
    """
    monkeypatch.setattr(lifecycle, "SCRIPTS", tmp_path)
    (tmp_path / "slow.sh").write_text('in_background b sh -c "sleep 1; echo done"\nsh -c "sleep 400 | cat"')
    (tmp_path / "stubborn.sh").write_text("trap '' HUP\nwhile :; do sleep 0.1; done")
    (tmp_path / "last.sh").write_text("sleep 0.1\necho goes on")
    studio = machine("studio")
    studio.environment["SECONDS"] = "239"  # bash counts from here
    done = studio.run("slow", "stubborn", "last")
    assert (done.stdout, done.returncode) == ("goes on\n", 0)
    said = done.stderr.splitlines()
    for script, status in (("slow", 129), ("stubborn", 137)):
        ended = f"lifecycle script {script} is ended: the 4 minutes of all scripts are over; "
        assert f"{ended}put what takes long in_background" in said
        assert f"lifecycle script {script} failed with status {status}; the start goes on without it" in said
    assert len(said) == 4
    assert (studio.root / HOME / ".atelier/b.log").read_text() == "done\n"


class Jupyter(BaseHTTPRequestHandler):
    """Jupyter's API, as far as auto_stop asks it."""

    answers: dict[str, Any]

    def do_GET(self):
        """Answer with what the test says; a request is a use of the server unless it says that it is none."""
        path, _, query = self.path.partition("?")
        if path != "/api/status" and "no_track_activity" not in query:
            self.answers["/api/status"]["last_activity"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.answers[path]).encode())

    def log_message(self, *_):
        """Stay quiet."""


@pytest.mark.parametrize(
    ("idle_minutes", "kernels", "stopped"),
    [
        ((120, 95), "idle", True),
        ((120, 85), "idle", False),
        ((85, 120), "idle", False),
        ((120, 120), "busy", False),
    ],
    ids=["idle", "kernel used", "server used", "kernel at work"],
)
def test_a_notebook_instance_stops_itself_when_it_is_idle(machine, idle_minutes, kernels, stopped):
    """After 90 minutes without use, counted from the last of all uses; never while a kernel is at work."""
    notebook = machine("notebook", **NOTEBOOK)
    assert notebook.run("auto_stop").returncode == 0
    assert notebook.calls("systemctl")[-1] == "systemctl enable --now atelier-auto-stop.timer"
    units = notebook.root / "etc/systemd/system"
    assert "OnUnitActiveSec=5min" in (units / "atelier-auto-stop.timer").read_text()
    [command] = [
        line.removeprefix("ExecStart=")
        for line in (units / "atelier-auto-stop.service").read_text().splitlines()
        if line.startswith("ExecStart=")
    ]
    server, kernel = (
        (datetime.now(UTC) - timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for ago in idle_minutes
    )
    answers = {
        "/api/status": {"last_activity": server},
        "/api/kernels": [{"last_activity": kernel, "execution_state": kernels}],
        "/api/terminals": [],
    }
    with HTTPServer(("127.0.0.1", 0), type("Answers", (Jupyter,), {"answers": answers})) as jupyter:
        threading.Thread(target=jupyter.serve_forever, args=(0.01,), daemon=True).start()
        address = {"ATELIER_JUPYTER": f"http://127.0.0.1:{jupyter.server_port}"}
        _run(command, notebook.environment | address)
        jupyter.shutdown()
    expected = "aws sagemaker stop-notebook-instance --region eu-west-1 --notebook-instance-name n"
    assert notebook.calls("aws") == ([expected] if stopped else [])


def test_a_notebook_instance_whose_jupyter_does_not_answer_stays(machine):
    """While it starts, or starts anew, nobody can say whether it is in use."""
    notebook = machine("notebook", **NOTEBOOK)
    notebook.run("auto_stop")
    program = notebook.root / "usr/local/lib/atelier/auto_stop.py"
    said = _run(f"python3 {program} 90", notebook.environment | {"ATELIER_JUPYTER": "http://127.0.0.1:9"})
    assert "Jupyter does not answer" in said
    assert notebook.calls("aws") == []


def _run(command, environment):
    """Run a program of the machine's with this Python in place of its own."""
    words = [sys.executable, *shlex.split(command)[1:]]
    return subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout
