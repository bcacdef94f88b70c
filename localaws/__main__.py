"""`python -m localaws`: serve an embedded AWS until told to stop.

Everything lies in one data folder. What the services know of resources lives in memory and ends with the
server, so the folder is emptied at the start. While the server answers, the folder holds `server.json` with
its process id and endpoint.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

RUNNING = "server.json"
LOCK = "lock"
"""Marks a folder as ours, and is locked while a server uses it."""
HIGHEST_PORT = 65535


def main() -> None:
    """Serve until SIGTERM, SIGINT, or the end of standard input where that is asked for."""
    options = _parse()
    try:
        options.data.mkdir(parents=True, exist_ok=True)
        options.cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(
            f"{error.filename} cannot be a folder ({error.strerror}): name another with --data or --cache"
        )
    with _lock(options.data):
        _empty(options.data)
        _log_to(options.data / "server.log")
        _serve(options)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localaws", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".localaws/data"), help="the data folder")
    parser.add_argument("--cache", type=Path, default=Path(".localaws/cache"), help="environments of jobs")
    parser.add_argument("--port", type=_port, default=0, help="the port of 127.0.0.1; 0 takes a free one")
    parser.add_argument("--containers", type=_folder, help="own images: a folder of train and serve for each")
    parser.add_argument("--job-cpus", type=_positive, default=0, help="processors for each job")
    parser.add_argument("--job-memory-gb", type=_positive, default=0, help="memory for each job")
    parser.add_argument("--with-stdin", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= HIGHEST_PORT:
        raise ValueError(text)
    return port


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return Path(text).resolve()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _lock(data: Path) -> IO[str]:
    """Hold the data folder as long as this process lives: two servers in one folder would mix their files."""
    if not (data / LOCK).exists() and any(data.iterdir()):
        sys.exit(f"{data} holds files that are not the embedded AWS's: name an empty or a new --data folder")
    file = (data / LOCK).open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"an embedded AWS already uses {data}: stop it (atelier down) or name another --data folder")
    return file


def _empty(data: Path) -> None:
    for path in data.iterdir():
        if path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _log_to(path: Path) -> None:
    layout = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(filename=path, level=logging.INFO, format=layout)
    logging.getLogger("botocore").setLevel(logging.WARNING)


def _serve(options: argparse.Namespace) -> None:
    # moto costs a second to import: not before the folder is known to be free.
    from localaws.options import Options  # noqa: PLC0415 -- psutil with it
    from localaws.server import Server  # noqa: PLC0415

    choices = Options(options.containers, options.job_cpus, options.job_memory_gb << 30)
    try:
        server = Server(options.data.resolve(), options.cache.resolve(), options.port, choices)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"port {options.port} of 127.0.0.1 is in use: name another --port, or none for a free one")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.with_stdin:
        threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    server.start()
    running = options.data / RUNNING
    _write_whole(running, json.dumps({"pid": os.getpid(), "endpoint": server.endpoint}))
    try:
        stop.wait()
    finally:
        server.stop()
        running.unlink(missing_ok=True)


def _wait_for_end_of_input(stop: threading.Event) -> None:
    with suppress(OSError):
        while sys.stdin.buffer.read(4096):
            pass
    stop.set()


def _write_whole(path: Path, text: str) -> None:
    """Whoever waits for the file finds all of it or nothing."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)


if __name__ == "__main__":
    main()
