"""Put a job's folder at /opt/ml, literally, where nobody else sees it.

A private mount namespace (as root, or with a user namespace where the system allows one) in which the folder
is bound on /opt/ml. Where /opt/ml does not exist, an empty file system over /opt holds the mount point, with
/opt's own entries bound back. /dev/shm is the job's own too. Nothing outside the process and its children
changes.

A job of named hosts has a file `<folder>.hosts` beside its folder: it lies over /etc/hosts, and its last name
is the host's own.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

OPT = Path("/opt")
OPT_ML = OPT / "ml"
HOSTS = Path("/etc/hosts")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- hidden from all but the job by a mount of its own

_NEW_MOUNTS, _NEW_NAMES, _NEW_USER = 0x00020000, 0x04000000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000


def enter(folder: Path) -> bool:
    """Make `folder` this process's /opt/ml; False, with nothing changed, where the system forbids it."""
    if not sys.platform.startswith("linux") or not OPT.is_dir():
        return False
    # A failure half-way could leave this process in a namespace it cannot work in: a child tries first.
    child = os.fork()
    if child == 0:
        try:
            _enter(folder)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        return False
    _enter(folder)
    return True


def _enter(folder: Path) -> None:
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        try:
            _call("unshare", _NEW_MOUNTS | _NEW_NAMES)
        except OSError:
            _enter_user_namespace(user, group)
    else:
        _enter_user_namespace(user, group)
    # Opened by descriptor: the folder may itself lie under /opt, which is about to be covered.
    job = os.open(folder, os.O_PATH)
    mount("none", "/", _RECURSIVE | _PRIVATE)
    if not OPT_ML.is_dir():
        _cover_opt()
    mount(f"/proc/self/fd/{job}", OPT_ML, _BIND | _RECURSIVE)
    os.close(job)
    hosts = folder.with_name(folder.name + ".hosts")
    if hosts.is_file() and HOSTS.is_file():
        _name_host(hosts)
    if SHARED_MEMORY.is_dir():
        # What processes share ends with them, however that comes; elsewhere it would stay in memory.
        with suppress(OSError):
            mount("tmpfs", SHARED_MEMORY, 0, kind="tmpfs")


def _name_host(hosts: Path) -> None:
    name = hosts.read_text(encoding="ascii").split()[-1].encode()
    mount(hosts, HOSTS, _BIND)
    _call("sethostname", name, len(name))


def keep_environment(folder: Path) -> bool:
    """Let this process change its own Python environment, and nobody else's; False where that cannot be.

    What a job installs goes to a layer over the environment, which lies in `<folder>.layer` and ends with it.
    """
    environment = Path(sys.executable).parent.parent
    layer = folder.with_name(f"{folder.name}.layer")
    for name in ("changes", "work"):
        (layer / name).mkdir(parents=True, exist_ok=True)
    places = {"lowerdir": environment, "upperdir": layer / "changes", "workdir": layer / "work"}
    options = ",".join(f"{name}={place}" for name, place in places.items())
    try:
        mount("overlay", environment, 0, kind="overlay", data=options)
    except OSError:
        return False
    return True


def _enter_user_namespace(user: int, group: int) -> None:
    _call("unshare", _NEW_USER | _NEW_MOUNTS | _NEW_NAMES)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _cover_opt() -> None:
    """An empty file system over /opt, with every entry of the old one at its place, and the new /opt/ml."""
    old = os.open(OPT, os.O_PATH)
    names = [entry.name for entry in OPT.iterdir()]
    mount("tmpfs", OPT, 0, kind="tmpfs")
    for name in names:
        source, target = Path(f"/proc/self/fd/{old}/{name}"), OPT / name
        if source.is_symlink():
            target.symlink_to(source.readlink())
            continue
        if source.is_dir():
            target.mkdir()
        else:
            target.touch()
        mount(source, target, _BIND | _RECURSIVE)
    os.close(old)
    OPT_ML.mkdir()


def mount(
    source: str | Path, target: str | Path, flags: int, kind: str | None = None, data: str | None = None
) -> None:
    """Attach a file system, or bind a path; raises OSError."""
    options = data and data.encode()
    _call("mount", os.fsencode(source), os.fsencode(target), kind and kind.encode(), flags, options)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
