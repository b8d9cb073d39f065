"""The broker and the database behind one interface: embedded, external or in containers.

Holds no topic and no schema: whoever starts a stack creates what it needs in it.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from deploy.local import external
from deploy.local.errors import StackError
from deploy.local.kafka import KafkaCluster
from deploy.local.places import keeps_run_dirs, new_run_dir, remove
from deploy.local.postgres import PostgresServer
from deploy.local.process import OnDeath

START_ATTEMPTS = 3
PORT_TAKEN = "in use"

__all__ = ["Part", "Stack", "StackError", "StackOptions"]


class Part(Protocol):
    """What the stack needs of a broker or database it started itself."""

    @property
    def failure(self) -> StackError | None:
        """The death nobody asked for, if there was one."""

    def launch(self) -> None:
        """Begin to start."""

    def wait_ready(self) -> None:
        """Return when clients can use it; StackError when that does not come."""

    def release(self) -> None:
        """Begin to end."""

    def close(self) -> None:
        """End, and return when it is gone."""


@dataclass(frozen=True)
class StackOptions:
    """What to start. A part named by TRUSTFOLD_KAFKA or TRUSTFOLD_POSTGRES is never started."""

    nodes: int = 1
    kafka: bool = True
    postgres: bool = True
    containers: bool = False
    kafka_port: int | None = None  # the first node's; another one when it is taken
    postgres_port: int | None = None


class Stack:
    """A running broker and database. A context manager; `close` may be called twice.

    What it started ends with this process, however this process ends. Two stacks on one machine
    share nothing but the cache of downloads.
    """

    def __init__(self, options: StackOptions, environ: Mapping[str, str]) -> None:
        """Prepare; use `Stack.start`."""
        self.run_dir: Path = new_run_dir()
        self.kafka: KafkaCluster | None = None
        self.postgres: PostgresServer | None = None
        self.kafka_bootstrap = ""
        self.postgres_dsn = ""
        self._options = options
        self._environ = environ
        self._parts: list[Part] = []
        self._callbacks: list[OnDeath] = []
        self._lock = threading.Lock()
        self._failure: StackError | None = None
        self._closed = False

    @classmethod
    def start(
        cls, options: StackOptions | None = None, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Start what the options ask for and return when all of it is ready.

        Raises StackError, with the last lines of the log, when a part does not start;
        nothing is left running then.
        """
        options = options or StackOptions()
        environ = os.environ if environ is None else environ
        for attempt in range(1, START_ATTEMPTS + 1):
            stack = cls(options, environ)
            try:
                stack._start()
            except BaseException as error:
                stack.close()
                # Someone took a port between our choice and its use: choose again.
                taken = isinstance(error, StackError) and PORT_TAKEN in str(error).lower()
                if not taken or attempt == START_ATTEMPTS:
                    raise
                continue
            return stack
        raise AssertionError("unreachable")

    def _start(self) -> None:
        atexit.register(self.close)
        if self._options.kafka:
            self._choose_kafka()
        if self._options.postgres:
            self._choose_postgres()
        # The broker is the slower one: the database is made while the broker starts.
        for part in self._parts:
            part.launch()
        for part in self._parts:
            part.wait_ready()
        self._read_addresses()

    def _choose_kafka(self) -> None:
        given = self._environ.get(external.KAFKA_VARIABLE)
        if given:
            self.kafka_bootstrap = external.checked_kafka(given)
        elif self._options.containers:
            from deploy.local.containers import KafkaContainerPart

            self._parts.append(KafkaContainerPart())
        else:
            self.kafka = KafkaCluster(
                self.run_dir,
                nodes=self._options.nodes,
                on_death=self._died,
                cleans=self._cleans(),
                first_port=self._options.kafka_port,
            )
            self._parts.append(self.kafka)

    def _choose_postgres(self) -> None:
        given = self._environ.get(external.POSTGRES_VARIABLE)
        if given:
            self.postgres_dsn = external.checked_postgres(given)
        elif self._options.containers:
            from deploy.local.containers import PostgresContainerPart

            self._parts.append(PostgresContainerPart())
        else:
            self.postgres = PostgresServer(
                self.run_dir,
                on_death=self._died,
                cleans=self._cleans(),
                port=self._options.postgres_port,
            )
            self._parts.append(self.postgres)

    def _read_addresses(self) -> None:
        for part in self._parts:
            self.kafka_bootstrap = getattr(part, "bootstrap", self.kafka_bootstrap)
            dsn: Callable[[], str] | None = getattr(part, "dsn", None)
            self.postgres_dsn = dsn() if dsn else self.postgres_dsn

    def check(self) -> None:
        """Raise StackError with the last lines of its log if a part died unasked."""
        for part in self._parts:
            if part.failure:
                raise part.failure

    def on_death(self, callback: OnDeath) -> None:
        """Call `callback(error)` once, from a thread, when a part dies unasked; now if it has."""
        with self._lock:
            self._callbacks.append(callback)
            failure = self._failure
        if failure:
            callback(failure)

    def _died(self, error: StackError) -> None:
        with self._lock:
            if self._failure or self._closed:
                return
            self._failure = error
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(error)

    def close(self) -> None:
        """End everything this stack started and remove its run directory."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for part in self._parts:
            part.release()
        for part in self._parts:
            part.close()
        if not keeps_run_dirs():
            remove(self.run_dir)
        atexit.unregister(self.close)

    def _cleans(self) -> tuple[Path, ...]:
        return () if keeps_run_dirs() else (self.run_dir,)

    def __enter__(self) -> Self:
        """Return the running stack."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
