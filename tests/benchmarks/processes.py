"""A service as several processes, as in production, and what each costs. Measures no time."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil

from deploy.local.network import HOST, PROBE_TIMEOUT_S, READY_TIMEOUT_S, Network
from deploy.local.places import free_ports
from deploy.local.process import Launch, Process

Pids = Mapping[str, Sequence[int]]
# What the stack starts, by the name of the program.
STACK = {"postgres": "postgres", "java": "kafka"}


class Replica:
    """One process of a service, in some of its roles."""

    def __init__(self, network: Network, service: str, *roles: str, **environ: str) -> None:
        (port,) = free_ports(1)
        self.url, self.name = f"http://{HOST}:{port}", f"{service}-{'-'.join(roles)}-{port}"
        chosen = [part for role in roles for part in ("--role", role)]
        command = (sys.executable, "-m", "shared.cli", "run", service, *chosen)
        env = {**network.environ(service), f"{service.upper()}_HTTP_PORT": str(port), **environ}
        log = network.stack.run_dir / f"{self.name}.log"
        launch = Launch(self.name, command, log, stop_signal=signal.SIGTERM, env=env)
        self.process = Process(launch)

    def wait_ready(self) -> None:
        """Return when it says so itself; StackError with its log otherwise."""
        self.process.until(self._answers, READY_TIMEOUT_S, "ready")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=PROBE_TIMEOUT_S) as got:
                return bool(json.load(got).get("pid") == self.process.pid)
        except (OSError, ValueError):
            return False


@contextmanager
def replicas(
    network: Network, service: str, *roles: Sequence[str], **environ: str
) -> Iterator[list[Replica]]:
    """One process for each of `roles`, all ready; stopped in order at the end."""
    running: list[Replica] = []
    try:
        running.extend(Replica(network, service, *each, **environ) for each in roles)
        for replica in running:
            replica.wait_ready()
        yield running
    finally:
        for replica in running:
            replica.process.release()
        for replica in running:
            replica.process.close()


def stack_pids() -> dict[str, list[int]]:
    """The broker and the database of this process, the oldest process of each."""
    found: dict[str, list[int]] = {}
    for process in psutil.Process().children(recursive=True):
        parent, kind = process.parent(), STACK.get(process.name())
        if kind and not (parent and parent.name() == process.name()):
            found.setdefault(kind, []).append(process.pid)
    return found


class Meter:
    """Processor time of processes and of all they started, those that ended included."""

    def __init__(self, watched: Pids) -> None:
        self._watched = {**watched, "load": [os.getpid()]}

    @contextmanager
    def over(self, units: int) -> Iterator[dict[str, float]]:
        """Fills in, at the end, the milliseconds that each took for one of `units`."""
        before, spent = self._spent(), dict[str, float]()
        yield spent
        for name, now_s in self._spent().items():
            spent[name] = (now_s - before[name]) * 1e3 / units

    def _spent(self) -> dict[str, float]:
        return {name: sum(map(_seconds, pids)) for name, pids in self._watched.items()}


def _seconds(pid: int) -> float:
    root, total = psutil.Process(pid), 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # it has ended: its parent's count has it
    return total


def words(spent: Mapping[str, float]) -> str:
    """For a note: what each process took, the largest first."""
    ordered = sorted(spent.items(), key=lambda each: -each[1])
    return ", ".join(f"{name} {ms:.2f}" for name, ms in ordered) + " ms of CPU each"
