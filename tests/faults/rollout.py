"""A service rolled out as a cluster does it: two of each role, one after another, none missing.

A new process is ready before an old one is told to stop, and who is told to stop gets no new
requests: that is what readiness, `maxSurge: 1`, `maxUnavailable: 0` and the pause before SIGTERM
come to. Requests that are under way are its own to finish.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import httpx

from deploy.local.network import Network
from deploy.local.places import free_ports
from deploy.local.process import Launch, Process
from shared.runtime import ROLES, Role
from tests.support.waiting import until

COPIES = 2
READY_S = 60.0
# What the manifests give a pod, without the pause before SIGTERM.
GRACE_S = 40.0


@dataclass
class Replica:
    """One process of one role."""

    process: Process
    role: Role
    url: str

    async def is_ready(self) -> bool:
        assert self.process.alive, self.process.log_tail()
        async with httpx.AsyncClient() as http:
            with suppress(httpx.TransportError):
                return (await http.get(f"{self.url}/health/ready")).is_success
        return False


@dataclass
class Rollout:
    """The processes of one service of a network. Others go on as they are."""

    network: Network
    service: str
    replicas: list[Replica] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    async def start(self) -> None:
        """Two of each role, ready."""
        added = (self._add(role) for role in ROLES for _ in range(COPIES))
        self.replicas += await asyncio.gather(*added)

    async def roll(self) -> None:
        """Replace each, the roles beside each other as the Deployments they are. AssertionError for
        one that does not end in order, or not in time.
        """
        await asyncio.gather(*map(self._roll, ROLES))

    async def _roll(self, role: Role) -> None:
        for old in [each for each in self.replicas if each.role == role]:
            self.replicas.append(await self._add(role))
            self.replicas.remove(old)
            old.process.signal(signal.SIGTERM)
            code = await asyncio.to_thread(old.process.wait, GRACE_S)
            assert code == 0, old.process.log_tail()

    def close(self) -> None:
        """Stop all."""
        for each in self.replicas:
            each.process.release()
        for each in self.replicas:
            each.process.close()

    def url(self) -> str:
        """The next API that is ready, in turn."""
        apis = [each.url for each in self.replicas if each.role == "api"]
        return apis[next(self._number) % len(apis)]

    async def _add(self, role: Role) -> Replica:
        (port,) = free_ports(1)
        environ = self.network.environ(self.service)
        environ[f"{self.service.upper()}_HTTP_PORT"] = str(port)
        command = (sys.executable, "-m", "shared.cli", "run", self.service, "--role", role)
        name = f"{self.service}-{role}-{next(self._number)}"
        log = self.network.stack.run_dir / f"{name}.log"
        process = Process(Launch(name, command, log, stop_signal=signal.SIGTERM, env=environ))
        replica = Replica(process, role, f"http://127.0.0.1:{port}")
        await until(replica.is_ready, timeout_s=READY_S, what=f"{name} ready")
        return replica
