"""The whole network on one machine: an executable diagram of the system. Holds no service's rule.

topics, schemas, roles -> four services (API, worker and relay in one process each) -> gateway
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from deploy.local import page
from deploy.local.gateway import Gateway
from deploy.local.issuer import Issuer
from deploy.local.places import free_ports
from deploy.local.process import Launch, OnDeath, Process
from deploy.local.stack import Stack
from shared.events.topics import every_topic
from shared.kafka.admin import create_topics
from shared.postgres.migrate import migrate

ROOT = Path(__file__).parents[2]
SERVICES = ("matching", "sessions", "notifications", "insights")
HOST = "127.0.0.1"
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 40.0
PROBE_TIMEOUT_S = 2.0
FIRST_PORT = 8101
SENDER = "no-reply@mentoring.example"


@dataclass(frozen=True)
class NetworkOptions:
    """How to run the services. `environ` is added to each service's own, `{SERVICE}_{NAME}`; with
    `page` insights serves its page, which is built first.
    """

    clock_file: Path | None = None
    smtp: tuple[str, int] | None = None
    namespace: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    issuer: Callable[[], Issuer] = Issuer
    python: tuple[str, ...] = (sys.executable,)
    page: bool = False


class Network:
    """Four running services on a stack. A context manager; nothing outlives this process."""

    def __init__(
        self, stack: Stack, options: NetworkOptions, on_death: OnDeath | None = None
    ) -> None:
        """Choose ports and passwords, and start the identity provider; no service runs yet."""
        self.stack = stack
        self.issuer = options.issuer()
        self._identity_file = self.issuer.write_file(
            stack.run_dir / f"issuer-{self.issuer.port}.json"
        )
        self._options = options
        self._on_death = on_death
        self._ports = dict(zip(SERVICES, free_ports(len(SERVICES), FIRST_PORT), strict=True))
        self._passwords = {service: secrets.token_urlsafe(18) for service in SERVICES}
        self._running: dict[str, Process] = {}
        self.gateway = Gateway(self.url)

    def start(self, say: Callable[[str], None] = lambda _: None) -> Self:
        """Create topics and schemas, start every service, return when all are ready."""
        say("topics and schemas")
        asyncio.run(self.prepare())
        say("services")
        for service in SERVICES:
            self.launch(service)
        for service in SERVICES:
            self.wait_ready(service)
        self.gateway.start()
        return self

    async def prepare(self) -> None:
        """Create topics, roles and schemas. What is there already stays."""
        stack, namespace = self.stack, self._options.namespace
        await create_topics(stack.kafka_bootstrap, every_topic(), namespace=namespace)
        for service in SERVICES:
            folder = ROOT / "services" / service / "migrations"
            await migrate(stack.postgres_dsn, self.dsn(service), service=service, migrations=folder)

    def launch(self, service: str, *roles: str) -> Process:
        """Start one service's process, without waiting; all roles unless some are named."""
        chosen = [part for role in roles for part in ("--role", role)]
        command = (*self._options.python, "-m", "shared.cli", "run", service, *chosen)
        log = self.stack.run_dir / f"{service}.log"
        launch = Launch(
            service, command, log, stop_signal=signal.SIGTERM, env=self.environ(service)
        )
        self._running[service] = Process(launch, on_death=self._on_death)
        return self._running[service]

    def wait_ready(self, service: str) -> None:
        """Return when the service says it is ready; StackError with its log otherwise."""
        url, process = f"{self.url(service)}/health/ready", self._running[service]
        process.until(lambda: _answers(url, process.pid), READY_TIMEOUT_S, "ready")

    def kill(self, service: str) -> None:
        """End a service the way a power cut does."""
        self._running[service].signal(signal.SIGKILL)
        self._running[service].wait(STOP_TIMEOUT_S)

    def stop(self, service: str) -> int:
        """Stop a service in order and return its exit code."""
        self._running[service].signal(signal.SIGTERM)
        return self._running[service].wait(STOP_TIMEOUT_S)

    def url(self, service: str) -> str:
        """The service's HTTP address."""
        return f"http://{HOST}:{self._ports[service]}"

    def pid(self, service: str) -> int:
        """The process id of a started service."""
        return self._running[service].pid

    def log_tail(self, service: str) -> str:
        """The last lines of a service's log."""
        return self._running[service].log_tail()

    def dsn(self, service: str) -> str:
        """The DSN of the service's own role."""
        parts = urlsplit(self.stack.postgres_dsn)
        host = parts.netloc.rpartition("@")[2]
        own = f"trustfold_{service}:{self._passwords[service]}@{host}"
        return urlunsplit(parts._replace(netloc=own))

    def environ(self, service: str) -> dict[str, str]:
        """The environment of a service's process."""
        options, prefix = self._options, f"{service.upper()}_"
        own = {
            "POSTGRES": self.dsn(service),
            "KAFKA": self.stack.kafka_bootstrap,
            "NAMESPACE": options.namespace,
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(self._ports[service]),
            "IDENTITY_FILE": str(self._identity_file),
        }
        if options.clock_file:
            own["CLOCK_FILE"] = str(options.clock_file)
        if service == "insights":
            own |= {"PAGE_URL": self.gateway.url}
            own |= {"PAGE_DIR": str(page.built())} if options.page else {}
        if service == "notifications":
            # Nobody listens there unless the options say so: mail then waits until it expires.
            host, port = options.smtp or (HOST, 9)
            own |= {"SMTP_HOST": host, "SMTP_PORT": str(port), "SMTP_STARTTLS": "false"}
            own["SENDER"] = SENDER
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        named = {prefix + name: value for name, value in own.items()}
        return {**inherited, "PYTHONPATH": str(ROOT), **named, **options.environ}

    def close(self) -> None:
        """Stop every service in order."""
        for process in self._running.values():
            process.release()
        for process in self._running.values():
            process.close()
        self.gateway.close()
        self.issuer.close()

    def __enter__(self) -> Self:
        """Return the network."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def _answers(url: str, pid: int) -> bool:
    """Whether that very process is ready: a stranger may have taken the port first."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_S) as answer:
            return bool(json.load(answer).get("pid") == pid)
    except (OSError, ValueError):
        return False
