"""Where things live on this machine: cache, run directories, free ports, locks. Starts nothing."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from deploy.local.errors import StackError

EPHEMERAL_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
DEFAULT_EPHEMERAL_START = 32768
LOWEST_PORT = 15000
PORT_TRIES = 200
# Held open: the system frees the lock of a port when we die.
_claimed: dict[int, IO[str]] = {}


def cache_dir() -> Path:
    """Return the per-user cache directory, created: TRUSTFOLD_CACHE, XDG_CACHE_HOME, ~/.cache."""
    chosen = os.environ.get("TRUSTFOLD_CACHE")
    if chosen:
        path = Path(chosen).expanduser()
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(base) / "trustfold"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"cannot create the cache directory {path}: {error.strerror}. "
            "Set TRUSTFOLD_CACHE to a directory you can write to."
        ) from error
    return path


def keeps_run_dirs() -> bool:
    """Return whether TRUSTFOLD_KEEP asks to keep run directories after the stack has ended."""
    return os.environ.get("TRUSTFOLD_KEEP", "") not in ("", "0")


def new_run_dir() -> Path:
    """Create an empty run directory of its own that other users may pass through, not list."""
    path = Path(tempfile.mkdtemp(prefix="trustfold-"))
    path.chmod(0o711)
    return path


def free_ports(count: int, start_at: int | None = None) -> list[int]:
    """Return distinct TCP ports that are free on 127.0.0.1 now, `start_at` first if it is.

    No other process of ours is given them while this one lives. They lie below the ephemeral
    range: a client that reconnects to a stopped broker on an ephemeral port can be given that very
    port as its own and connect to itself.
    """
    top = _ephemeral_start() - 1
    ports: list[int] = []
    for attempt in range(PORT_TRIES):
        wished = start_at if attempt == 0 else None
        port = wished or random.randint(LOWEST_PORT, top)
        if port not in ports and is_free(port) and _claim(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise StackError(f"no {count} free TCP ports between {LOWEST_PORT} and {top} on 127.0.0.1")


def _claim(port: int) -> bool:
    """Whether the port is ours until this process ends: it is bound only some time after."""
    if port in _claimed:
        return True
    folder = Path(tempfile.gettempdir()) / f"trustfold-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = (folder / str(port)).open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return False
    _claimed[port] = handle
    return True


def is_free(port: int) -> bool:
    """Return whether the port can be bound on 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ephemeral_start() -> int:
    with suppress(OSError, ValueError, IndexError):
        start = int(EPHEMERAL_RANGE_FILE.read_text().split()[0])
        if start > LOWEST_PORT + 1000:
            return start
    return DEFAULT_EPHEMERAL_START


@contextmanager
def file_lock(path: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an exclusive lock on `path` across processes; the system frees it when we die."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait:
                on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def build_once(
    final: Path, build: Callable[[Path], None], on_wait: Callable[[], None] | None = None
) -> Path:
    """Return the directory `final`, built by `build(partial)` if it is not there yet.

    Two processes never build at once, and `final` appears whole or not at all. What a killed
    build left in `partial` is still there for the next one, which may use it.
    """
    if final.is_dir():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(final.with_name(final.name + ".lock"), on_wait):
        if not final.is_dir():
            partial = final.with_name(final.name + ".partial")
            partial.mkdir(exist_ok=True)
            build(partial)
            partial.rename(final)
    return final


def remove(path: Path) -> None:
    """Remove a tree; what is already gone is no error."""
    shutil.rmtree(path, ignore_errors=True)
