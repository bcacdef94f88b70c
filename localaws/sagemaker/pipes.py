"""Pipe mode: a channel's objects stream through FIFOs, one an epoch: `<channel>_0`, `<channel>_1`, etc."""

from __future__ import annotations

import errno
import logging
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.sagemaker import s3

log = logging.getLogger("localaws.sagemaker")

_MAGIC = 0xCED7230A
_CHUNK = 1 << 16
_LOOK_SECONDS = 0.02
_ALIGNMENT = 4


class Pipe:
    """Feeds one channel of one host, epoch after epoch, as long as somebody reads."""

    def __init__(self, client: Any, items: Sequence[s3.Item], place: Path, *, record_io: bool) -> None:
        """`place` is the path of the FIFOs without `_<epoch>`; `record_io` makes a record of each object."""
        self._client = client
        self._items = items
        self._place = place
        self._record_io = record_io
        self._stopped = threading.Event()
        self._make(0)
        self._thread = threading.Thread(target=self._feed, name=f"pipe-{place.name}", daemon=True)

    def start(self) -> None:
        """Feed from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Feed no more; the reader is gone, or finds the end."""
        self._stopped.set()

    def _make(self, epoch: int) -> None:
        path = self._path(epoch)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)

    def _path(self, epoch: int) -> Path:
        return self._place.with_name(f"{self._place.name}_{epoch}")

    def _feed(self) -> None:
        epoch = 0
        while (stream := self._opened(self._path(epoch))) is not None:
            # The next one is there before this one ends: a reader goes on without a wait.
            self._make(epoch + 1)
            try:
                with stream:
                    for chunk in self._content():
                        stream.write(chunk)
            except BrokenPipeError:
                pass  # the reader had enough of this epoch
            except (OSError, ClientError, BotoCoreError):
                log.exception("the pipe %s ended early", self._path(epoch))
            epoch += 1

    def _opened(self, path: Path) -> IO[bytes] | None:
        """The FIFO once somebody reads it; None where it stops before."""
        while not self._stopped.is_set():
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nobody reads yet
                    self._stopped.wait(_LOOK_SECONDS)
                    continue
                return None  # the job's folder is gone
            os.set_blocking(descriptor, True)
            return os.fdopen(descriptor, "wb", buffering=0)
        return None

    def _content(self) -> Iterator[bytes]:
        for item in self._items:
            body = self._client.get_object(Bucket=item.location.bucket, Key=item.location.key)["Body"]
            if self._record_io:
                yield struct.pack("<II", _MAGIC, item.size)
            yield from body.iter_chunks(_CHUNK)
            if self._record_io:
                yield b"\0" * (-item.size % _ALIGNMENT)
