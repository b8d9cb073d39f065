"""One supervised child process: started through the keeper, watched, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

KEEPER = Path(__file__).with_name("keeper.py")
TAIL_LINES = 30
TAIL_BYTES = 64 * 1024
CLOSE_TIMEOUT_S = 15.0
POLL_S = 0.02

OnDeath = Callable[[StackError], None]


@dataclass(frozen=True)
class Launch:
    """How to run a child: what, as whom, where its output goes, how to stop it."""

    name: str
    command: Sequence[str | Path]
    log: Path
    run_as: tuple[int, int] | None = None  # uid, gid
    stop_signal: signal.Signals = signal.SIGKILL
    remove: Sequence[Path] = ()  # removed by the keeper when we close or die
    env: Mapping[str, str] | None = None  # None: ours


class Process:
    """A running child. Ends with this process at the latest, however this process ends."""

    def __init__(self, launch: Launch, on_death: OnDeath | None = None) -> None:
        """Start the child; `on_death` is called from a thread if it ends without being asked."""
        self.launch = launch
        self.failure: StackError | None = None
        self._expected = False
        self._on_death = on_death
        self._keeper = subprocess.Popen(
            _keeper_command(launch),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, not the child
            env=launch.env,
            cwd="/",
        )
        assert self._keeper.stdout is not None
        line = self._keeper.stdout.readline()
        if not line:
            raise StackError(f"{launch.name}: its keeper process did not start")
        self.pid = int(line)
        threading.Thread(target=self._watch, name=f"watch-{launch.name}", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._keeper.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The child's exit code, 128 + signal when a signal ended it, None while it runs."""
        return self._keeper.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal that may end the child; its end is then no failure."""
        self._expected = True
        if self.alive:
            os.kill(self.pid, number)

    def wait(self, timeout_s: float) -> int:
        """Wait for the child to end and return its exit code; StackError at the deadline."""
        self._expected = True
        try:
            return self._keeper.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise StackError(
                f"{self.launch.name} still runs after {timeout_s:.0f} s\n{self.log_tail()}"
            ) from None

    def close(self) -> None:
        """Stop the child with its stop signal, remove its paths. Safe to call twice."""
        self.release()
        try:
            self._keeper.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()

    def release(self) -> None:
        """Let the keeper stop the child, without waiting for it."""
        self._expected = True
        if self._keeper.stdin is not None and not self._keeper.stdin.closed:
            self._keeper.stdin.close()

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of the child's log."""
        try:
            with self.launch.log.open("rb") as handle:
                handle.seek(max(0, handle.seek(0, os.SEEK_END) - TAIL_BYTES))
                text = handle.read().decode(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def until(self, ready: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until `ready()`; StackError with the log when the child dies or time is up."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.alive:
                raise StackError(
                    f"{self.launch.name} ended (exit code {self.exit_code}) before {what}\n"
                    f"last lines of {self.launch.log}:\n{self.log_tail()}"
                )
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.launch.name}: not {what} after {timeout_s:.0f} s\n"
                    f"last lines of {self.launch.log}:\n{self.log_tail()}"
                )
            time.sleep(POLL_S)

    def _watch(self) -> None:
        code = self._keeper.wait()
        if self._expected:
            return
        self.failure = StackError(
            f"{self.launch.name} died (exit code {code})\n"
            f"last lines of {self.launch.log}:\n{self.log_tail()}"
        )
        if self._on_death:
            self._on_death(self.failure)


def _keeper_command(launch: Launch) -> list[str]:
    options = [f"--log={launch.log}", f"--signal={int(launch.stop_signal)}"]
    if launch.run_as:
        options += [f"--uid={launch.run_as[0]}", f"--gid={launch.run_as[1]}"]
    options += [f"--remove={path}" for path in launch.remove]
    command = [str(part) for part in launch.command]
    # -I -S: no site-packages, no user code, so the keeper starts in about 15 ms.
    return [sys.executable, "-I", "-S", str(KEEPER), *options, "--", *command]
