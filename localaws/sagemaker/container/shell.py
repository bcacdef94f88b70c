"""The remote shell of a job's hosts: what sshd and ssh are to the hosts of a job on AWS.

A host's door is a socket in a folder beside the host's own, which only this user may enter. Whoever brings a
command there gets it run in that host's container, with its own standard streams, and its exit code back.
`shell <folder> <host> <command>` is the client, which mpirun calls in ssh's place.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

NAME = "localaws-shell"
"""The client's file in the folder beside a host's own."""
FINISHED = "finished"
"""The file there by which the first host says that all is done."""

_ENTRY = Path(__file__).resolve().parent
_DOOR = "door"
_STREAMS = 3
_MARK = b"\0"


def place_of(folder: Path, host: str) -> Path:
    """The folder beside that of `host`, seen from the folder of any of the hosts."""
    return folder.with_name(f"{host}.shell")


def open_door(folder: Path, variables: Mapping[str, str]) -> Path:
    """From now on run what is brought to this host's door, with these variables; the folder of the door."""
    place = place_of(folder, folder.name)
    place.mkdir(mode=0o700)
    client = shlex.join([sys.executable, "-I", "-S", str(_ENTRY), "shell", str(folder)])
    file = place / NAME
    file.write_text(f'#!/bin/sh\nexec {client} "$@"\n', encoding="utf-8")
    file.chmod(0o700)
    door = socket.socket(socket.AF_UNIX)
    with contextlib.chdir(place):  # the path of a socket must be short
        door.bind(f"{_DOOR}.new")
        door.listen()
        # It gets its name once it can be reached.
        Path(f"{_DOOR}.new").rename(_DOOR)
    own = keep_files(variables, place)
    threading.Thread(target=_answer, args=(door, own), name="shell", daemon=True).start()
    return place


def keep_files(variables: Mapping[str, str], place: Path) -> dict[str, str]:
    """The variables with which Open MPI keeps its files in `place`, where they end with the job."""
    # Without a home, which a service has not, it does not start.
    return {"HOME": str(place), **variables, "TMPDIR": str(place)}


def reachable(folder: Path, host: str) -> bool:
    """Whether the door of `host` is open."""
    return (place_of(folder, host) / _DOOR).exists()


def main(folder: Path) -> int:
    """Bring the command that follows the host's name to its door; the command's exit code."""
    host, *command = sys.argv[3:]
    with socket.socket(socket.AF_UNIX) as connection:
        with contextlib.chdir(place_of(folder, host)):
            connection.connect(_DOOR)
        socket.send_fds(connection, [_MARK], range(_STREAMS))
        connection.sendall(" ".join(command).encode())  # as ssh does
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1)
    return answer[0] if answer else 255


def _answer(door: socket.socket, variables: Mapping[str, str]) -> None:
    while True:
        connection, _ = door.accept()
        threading.Thread(target=_execute, args=(connection, variables), daemon=True).start()


def _execute(connection: socket.socket, variables: Mapping[str, str]) -> None:
    with connection:
        _, streams, _, _ = socket.recv_fds(connection, len(_MARK), _STREAMS)
        source, output, errors = streams
        with contextlib.ExitStack() as opened:
            for stream in streams:
                opened.callback(os.close, stream)
            with connection.makefile("rb") as sent:
                command = sent.read().decode()
            process = subprocess.Popen(
                ["/bin/sh", "-c", command], env=variables, stdin=source, stdout=output, stderr=errors
            )
        code = process.wait()
        connection.sendall(bytes([code if code >= 0 else 128 - code]))
