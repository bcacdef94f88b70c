"""FastFile: a channel whose files are there at once, and whose bytes come from S3 when they are read.

Each channel is a file system of its own (FUSE, by the kernel's protocol, without libfuse) in the container's
private mount namespace, served by a child process: one of this process could not answer while a library holds
the interpreter's lock and waits for the file. Where there is no private namespace or no FUSE, the files are
downloaded before the start, and the log says so.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import signal
import stat
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from .opt_ml import mount

_THREADS = 4
_BUFFER = 1 << 20
_WINDOW = 1 << 20
"""So many bytes are asked for at once: most readers go from the beginning to the end."""

_READ_ONLY, _NO_SUID, _NO_DEV = 1, 2, 4
_FOREVER = 1 << 30
_ROOT = 1
_KEEP_CACHE = 2
_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _STATFS, _RELEASE = 1, 2, 3, 14, 15, 17, 18
_FLUSH, _INIT, _OPENDIR, _READDIR, _RELEASEDIR, _ACCESS = 25, 26, 27, 28, 29, 34
_INTERRUPT, _BATCH_FORGET = 36, 42
_HEADER = struct.Struct("<IIQQIIII")
_ANSWER = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_READING = struct.Struct("<QQII")
_ENTRY = struct.Struct("<QQII")


def prepare(folder: Path, base: Path, *, private: bool) -> None:
    """Make the FastFile channels of the job in `folder`, which stands at `base`; before any thread exists."""
    listing = folder.with_name(f"{folder.name}.fastfile.json")
    if not listing.is_file():
        return
    for channel, files in json.loads(listing.read_text(encoding="utf-8")).items():
        place = base / "input" / "data" / channel
        tree = Tree()
        for name, size, path in files:
            tree.add(name, size, path)
        if private and _mount(tree, place):
            continue
        print(  # noqa: T201 -- standard output is the job's log
            f"localaws: channel {channel}: this system allows no FUSE: FastFile is read as File", flush=True
        )
        bucket = Bucket()
        for name, size, path in files:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            with (place / name).open("wb") as file:
                for start in range(0, size, _WINDOW):
                    file.write(bucket.read(path, start, min(size, start + _WINDOW)))


@dataclass
class Node:
    """A file, or a folder with its entries."""

    number: int
    size: int = 0
    path: str = ""
    """`/bucket/key` of a file."""
    entries: dict[str, Node] = field(default_factory=dict)

    @property
    def mode(self) -> int:
        """Kind and permissions."""
        return (stat.S_IFREG | 0o444) if self.path else (stat.S_IFDIR | 0o555)

    def attributes(self) -> bytes:
        """As the kernel takes them."""
        blocks = -(-self.size // 512)
        ids = (os.getuid(), os.getgid())
        times = (0, 0, 0, 0, 0, 0)
        return _ATTRIBUTES.pack(self.number, self.size, blocks, *times, self.mode, 1, *ids, 0, 4096, 0)


class Tree:
    """The folders and files of a channel."""

    def __init__(self) -> None:
        self.nodes = {_ROOT: Node(_ROOT)}

    def add(self, name: str, size: int, path: str) -> None:
        """Add the file of that relative name."""
        *folders, last = name.split("/")
        node = self.nodes[_ROOT]
        for folder in folders:
            node = self._entry(node, folder)
        file = self._entry(node, last)
        file.size, file.path = size, path

    def _entry(self, folder: Node, name: str) -> Node:
        if name not in folder.entries:
            node = Node(len(self.nodes) + 1)
            folder.entries[name] = self.nodes[node.number] = node
        return folder.entries[name]


class Bucket:
    """Reads parts of objects, over one connection to the endpoint that the environment names."""

    def __init__(self) -> None:
        where = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_REGION']}/s3/aws4_request"
        self._signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    def read(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`; raises OSError where they cannot be had."""
        headers = {"Authorization": self._signed, "Range": f"bytes={start}-{end - 1}"}
        try:
            self._connection.request("GET", quote(path), headers=headers)
            response = self._connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise OSError(errno.EIO, f"{path}: {error}") from error
        if response.status != http.client.PARTIAL_CONTENT:
            raise OSError(errno.EIO, f"{path}: HTTP {response.status}")
        return content


def _mount(tree: Tree, place: Path) -> bool:
    """Put the tree at `place`, served by a child process; False where the system has no FUSE."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={device},rootmode=40555,user_id={os.getuid()},group_id={os.getgid()}"
        mount("fuse", place, _READ_ONLY | _NO_SUID | _NO_DEV, kind="fuse", data=options)
    except OSError:
        return False
    if os.fork() == 0:
        try:
            # A job that is asked to end may still want to read.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            FileSystem(tree, device).serve()
        finally:
            os._exit(0)
    os.close(device)
    return True


class FileSystem:
    """Answers the kernel's requests for one tree."""

    def __init__(self, tree: Tree, device: int) -> None:
        self._nodes = tree.nodes
        self._device = device
        self._windows: dict[int, tuple[int, bytes]] = {}
        self._opened = 0
        self._lock = threading.Lock()
        self._local = threading.local()
        self._answers: dict[int, Callable[[Node, bytes], bytes]] = {
            _INIT: self._init,
            _LOOKUP: self._lookup,
            _GETATTR: self._getattr,
            _OPEN: self._open,
            _OPENDIR: self._open,
            _READ: self._read,
            _READDIR: self._readdir,
            _RELEASE: self._release,
            _RELEASEDIR: self._release,
            _STATFS: lambda _node, _body: bytes(80),
            _FLUSH: lambda _node, _body: b"",
            _ACCESS: lambda _node, _body: b"",
        }

    def serve(self) -> None:
        """Answer until the file system is gone."""
        threads = [threading.Thread(target=self._work) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        self._local.bucket = Bucket()
        while True:
            try:
                request = os.read(self._device, _BUFFER)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                return
            _, code, unique, node, *_ = _HEADER.unpack_from(request)
            if code in (_FORGET, _BATCH_FORGET, _INTERRUPT):
                continue
            number, content = self._answer(code, node, request[_HEADER.size :])
            try:
                os.write(self._device, _ANSWER.pack(_ANSWER.size + len(content), -number, unique) + content)
            except OSError:
                continue  # whoever asked has given up

    def _answer(self, code: int, node: int, body: bytes) -> tuple[int, bytes]:
        """The error number, 0 for none, and the answer."""
        answer = self._answers.get(code)
        if answer is None:
            return errno.ENOSYS, b""
        try:
            return 0, answer(self._nodes.get(node, self._nodes[_ROOT]), body)
        except OSError as error:
            return error.errno or errno.EIO, b""

    def _init(self, _node: Node, _body: bytes) -> bytes:
        parallel_reads, read_ahead = 1, 1 << 17
        return struct.pack("<IIIIHHIIHHI28x", 7, 31, read_ahead, parallel_reads, 16, 12, 4096, 1, 0, 0, 0)

    def _lookup(self, node: Node, body: bytes) -> bytes:
        found = node.entries.get(body.rstrip(b"\0").decode("utf-8", "surrogateescape"))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "")
        return struct.pack("<QQQQII", found.number, 0, _FOREVER, _FOREVER, 0, 0) + found.attributes()

    def _getattr(self, node: Node, _body: bytes) -> bytes:
        return struct.pack("<QII", _FOREVER, 0, 0) + node.attributes()

    def _open(self, _node: Node, _body: bytes) -> bytes:
        with self._lock:
            self._opened += 1
            return struct.pack("<QII", self._opened, _KEEP_CACHE, 0)

    def _release(self, _node: Node, body: bytes) -> bytes:
        self._windows.pop(struct.unpack_from("<Q", body)[0], None)
        return b""

    def _read(self, node: Node, body: bytes) -> bytes:
        handle, offset, size, _ = _READING.unpack_from(body)
        end = min(offset + size, node.size)
        start, content = self._windows.get(handle, (0, b""))
        if not start <= offset <= end <= start + len(content):
            start = offset
            content = (
                self._local.bucket.read(node.path, start, min(node.size, max(end, start + _WINDOW)))
                if end > start
                else b""
            )
            self._windows[handle] = (start, content)
        return content[offset - start : end - start]

    def _readdir(self, node: Node, body: bytes) -> bytes:
        _, offset, size, _ = _READING.unpack_from(body)
        content = b""
        names = [(".", node), ("..", node), *node.entries.items()]
        for position, (name, entry) in enumerate(names[offset:], offset + 1):
            encoded = name.encode("utf-8", "surrogateescape")
            head = _ENTRY.pack(entry.number, position, len(encoded), entry.mode >> 12)
            record = head + encoded + bytes(-len(encoded) % 8)
            if len(content) + len(record) > size:
                break
            content += record
        return content
