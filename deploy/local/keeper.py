"""Runs one child and outlives nobody. A script: standard library only, imports nothing of ours.

The parent holds the other end of our standard input. When that end closes, for whatever reason
(exit, exception, Ctrl-C, SIGTERM, SIGKILL), the child is stopped and the given paths are removed.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys

PR_SET_PDEATHSIG = 1
IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)
POLL_S = 0.5
GRACE_S = 5.0


def die_with_parent(death_signal: int) -> None:
    """Ask Linux to signal this process when its parent dies; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)


def become(uid: int, gid: int) -> None:
    """Drop root for good. The order matters: groups, then group, then user."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def spawn(options: argparse.Namespace) -> int:
    """Fork and exec the child in its own process group; return its pid."""
    keeper = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        for number in IGNORED:  # an ignored signal would stay ignored across exec
            signal.signal(number, signal.SIG_DFL)
        log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        if options.uid is not None:
            become(options.uid, options.gid)
        # After the change of user, because that change clears the setting. It is tied to the
        # thread that forked: the keeper has one thread, so that is the keeper itself.
        die_with_parent(options.signal)
        if os.getppid() != keeper:
            os._exit(125)
        os.execv(options.command[0], options.command)
    except OSError as error:
        os.write(2, f"cannot start {options.command[0]}: {error}\n".encode())
        os._exit(126)


def stop(pid: int, stop_signal: int) -> None:
    """Stop the child's group: the given signal first, SIGKILL once the grace is over."""
    for number, patience_s in ((stop_signal, GRACE_S), (signal.SIGKILL, GRACE_S)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        if exited_within(pid, patience_s) is not None:
            return


def exited_within(pid: int, patience_s: float) -> int | None:
    """Return the wait status once the child is gone, or None when the patience ran out."""
    for _ in range(max(1, int(patience_s / 0.01))):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        select.select([], [], [], 0.01)
    return None


def watch(pid: int, options: argparse.Namespace) -> int:
    """Wait for the child to end or the parent to go; return an exit code for the keeper."""
    wakeup, wakeup_w = os.pipe()
    os.set_blocking(wakeup_w, False)
    signal.set_wakeup_fd(wakeup_w)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    parent = os.getppid()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code
        ready, _, _ = select.select([0, wakeup], [], [], POLL_S)
        if wakeup in ready:
            os.read(wakeup, 64)
        # A forked copy of the parent may hold the pipe open, so its pid is looked at too.
        if (0 in ready and not os.read(0, 64)) or os.getppid() != parent:
            stop(pid, options.signal)
            for path in options.remove:
                shutil.rmtree(path, ignore_errors=True)
            return 0


def main() -> int:
    """Start the child, tell the parent its pid, and keep watch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--signal", type=int, default=signal.SIGKILL)
    parser.add_argument("--remove", action="append", default=[])
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    pid = spawn(options)
    os.write(1, f"{pid}\n".encode())
    return watch(pid, options)


if __name__ == "__main__":
    sys.exit(main())
