"""Runs one service: its API, its worker, its relay, or all in one process, until told to stop.

SIGTERM and SIGINT stop it in order: no new requests, the batch in hand finished, the relay's too.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from shared import gauges, health, metrics, tracing
from shared.audit.recording import Recorder
from shared.clock import Clock, FileClock, SystemClock
from shared.edge import edged
from shared.heads import BoundedHttp
from shared.http import new_api
from shared.identity.believing import Believing
from shared.kafka.consumer import Consumer
from shared.kafka.delivery import Delivery, Limits
from shared.kafka.producer import Producer
from shared.logging import logger
from shared.postgres.pool import Pool, open_pool
from shared.postgres.schema import Expected
from shared.postgres.tenancy import acting_for_all
from shared.relay import Relay
from shared.service import Loop, Service
from shared.settings import ServiceSettings
from shared.watching import Watching

Role = Literal["api", "worker", "relay"]
ROLES: tuple[Role, ...] = ("api", "worker", "relay")

REDRIVE_EVERY_S = 1.0
RECHECK_EVERY_S = 2.0
ENDS_EVERY_S = 1.0
# Records. Fewer are on their way at any moment of a busy day: that is not being behind.
BEHIND = 500
LOOP_RETRY_S = 1.0
WATCH_EVERY_S = 5.0
HTTP_STOP_TIMEOUT_S = 10
# A batch keeps thousands of small objects alive for a moment: Python's default threshold of 700
# collects in the middle of each, which cost a third of decoding (docs/benchmarks.md).
COLLECT_AFTER = 100_000
EXIT_STALLED = 75
# A beat is late when the event loop was blocked for this long.
MAX_BEAT_AGE_S = 30.0

log = logger("runtime")


def clock_of(settings: ServiceSettings) -> Clock:
    """The machine's clock, or the virtual one the settings name."""
    return FileClock(settings.clock_file) if settings.clock_file else SystemClock()


async def run(
    name: str,
    settings: ServiceSettings,
    build: Callable[[Pool, Clock], Service],
    roles: frozenset[Role],
) -> None:
    """Run the service until SIGTERM or SIGINT. Raises what made starting impossible."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    clock = clock_of(settings)
    tracing.configure(name, settings.traces_url, settings.traces_share)
    pool = await open_pool(settings.dsn, service=name, size=settings.pool_size)
    process = _Process(build(pool, clock), settings, pool, clock, roles)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    try:
        await process.run(stopping)
    finally:
        await asyncio.wait_for(pool.close(), HTTP_STOP_TIMEOUT_S)
        await tracing.close()


class _Process:
    """The parts of one process, in the order they start."""

    def __init__(
        self,
        service: Service,
        settings: ServiceSettings,
        pool: Pool,
        clock: Clock,
        roles: frozenset[Role],
    ) -> None:
        self._service = service
        self._settings = settings
        self._pool, self._clock = pool, clock
        self._roles = roles
        self._beat = time.monotonic()
        self._stopping = asyncio.Event()
        limits = Limits(settings.handler_attempts, settings.dead_letter_cap)
        self._delivery = Delivery(service.group.name, pool, service.apply, clock, limits)
        self._delivery.on_commit = service.committed
        self._consumer = Consumer(
            service.group,
            self._delivery,
            bootstrap=settings.broker,
            namespace=settings.namespace,
            max_batch=settings.max_batch,
            suffix=settings.group_suffix,
        )
        producer = Producer(settings.broker, client_id=f"trustfold-{service.name}-relay")
        self._relay = Relay(service.name, pool, producer, namespace=settings.namespace)
        api = service.api if "api" in roles else new_api(service.name, "Health only")
        health.mount(api, pool, Expected(service.name), ready=self._ready, live=self._live)
        self._believing = Believing(settings.identity_file) if "api" in roles else None
        self._recorder = Recorder(service.name, pool)
        sign_in = self._believing.around if self._believing else _as_it_is
        edge = edged(api, sign_in, self._recorder, clock, settings)
        self._server = _server(Watching(edge, service.name), settings)
        metrics.DEAD_LETTER_CAP.labels(service.group.name).set(settings.dead_letter_cap)
        metrics.begin(service.name, service.group.name, [loop.name for loop in self._loops()])

    async def run(self, stopping: asyncio.Event) -> None:
        """Start everything, wait, stop everything; a part that fails stops the whole."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._server.serve())
            background = [group.create_task(self._watch())]
            if "api" in self._roles and self._service.serve is not None:
                background.append(group.create_task(self._service.serve(self._stopping)))
            if "relay" in self._roles:
                group.create_task(self._relay.run())
            if "worker" in self._roles:
                await self._consumer.start()
            background += [group.create_task(self._repeat(loop)) for loop in self._loops()]
            log.info("started", action="start", roles=sorted(self._roles))
            await stopping.wait()
            log.info("stopping", action="stop")
            self._server.should_exit = True
            self._stopping.set()
            for loop in self._service.loops:
                if loop.wake is not None:
                    loop.wake.set()
            if "worker" in self._roles:
                await self._consumer.stop()
            self._relay.stop()
            await asyncio.gather(*background)
        await self._recorder.aclose()
        if self._service.close is not None:
            await self._service.close()
        if self._believing is not None:
            await self._believing.aclose()

    def _loops(self) -> list[Loop]:
        """The service's own, and those of every worker and relay."""
        service, loops = self._service, list[Loop]()
        if "worker" in self._roles:
            loops += [
                *service.loops,
                Loop("redrive", REDRIVE_EVERY_S, self._delivery.redrive),
                Loop("recheck", RECHECK_EVERY_S, self._consumer.recheck),
                Loop("measure_service", gauges.EVERY_S, self._measure),
            ]
            note = service.note_ends
            if note is not None:
                loops.append(Loop("ends", ENDS_EVERY_S, lambda: note(self._consumer.ends())))
        if "relay" in self._roles:
            step = partial(gauges.measure_delivery, self._pool, service.name, service.group.name)
            loops.append(Loop("measure_delivery", gauges.EVERY_S, step))
        return loops

    async def _measure(self) -> None:
        if self._service.measure is not None:
            async with acting_for_all(self._pool) as conn:
                await self._service.measure(conn, self._clock.now())

    async def _repeat(self, loop: Loop) -> None:
        while not self._stopping.is_set():
            started, more = time.monotonic(), False
            if loop.wake is not None:
                loop.wake.clear()
            try:
                more = bool(await loop.step())
            except Exception as error:  # the edge: a step that fails is tried again
                metrics.LOOP_FAILURES.labels(self._service.name, loop.name).inc()
                log.warning("step failed", action="loop", loop=loop.name, error=repr(error)[:200])
                await self._pause(max(loop.every_s, LOOP_RETRY_S))
                continue
            took_s = time.monotonic() - started
            share = loop.share if self._consumer.lag() > BEHIND else 1.0
            rest_s = took_s * (1 / share - 1)
            if not more:
                await self._pause(loop.every_s, loop.wake)
                rest_s = max(rest_s + took_s, loop.gather_s) - (time.monotonic() - started)
            if rest_s > 0:
                await self._pause(rest_s)

    async def _watch(self) -> None:
        """Beat for liveness, and end a process whose consumer is stuck in spite of work to do."""
        stalled_since: float | None = None
        while not self._stopping.is_set():
            self._beat = time.monotonic()
            idle = self._delivery.progress.busy_since is None
            stuck = self._consumer.halted or (idle and self._consumer.lag() > 0)
            behind = "worker" in self._roles and stuck
            stalled_since = (stalled_since or self._beat) if behind else None
            committed_at = self._delivery.progress.committed_at or 0.0
            since = max(stalled_since or self._beat, committed_at)
            if stalled_since and self._beat - since > self._settings.stall_timeout_s:
                log.error("the consumer is stuck behind the log; leaving", action="watchdog")
                os._exit(EXIT_STALLED)
            if "worker" in self._roles:
                await self._consumer.hint()  # the last batch may have come too soon after a hint
            await self._pause(WATCH_EVERY_S)

    def _live(self) -> dict[str, object]:
        age_s = time.monotonic() - self._beat
        return {"ok": age_s < MAX_BEAT_AGE_S + WATCH_EVERY_S, "beat_age_s": round(age_s, 3)}

    def _ready(self) -> dict[str, object]:
        # The pid tells a launcher that it is its own child that answers on the port.
        found: dict[str, object] = {"ok": not self._stopping.is_set(), "pid": os.getpid()}
        if "worker" in self._roles:
            worker = health.worker_ready(self._consumer, self._delivery)
            found = {**found, **worker, "ok": bool(worker["ok"]) and bool(found["ok"])}
        if "relay" in self._roles:
            found["relay"] = health.relay_ready(self._relay)
        return found

    async def _pause(self, delay_s: float, wake: asyncio.Event | None = None) -> None:
        """Return after a time; at once when stopping, or when what may wake us is set."""
        try:
            await asyncio.wait_for((wake or self._stopping).wait(), delay_s)
        except TimeoutError:
            return


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the runtime decides the order of stopping."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _as_it_is(app: ASGIApp) -> ASGIApp:
    return app


def _server(app: ASGIApp, settings: ServiceSettings) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            http=BoundedHttp,
            timeout_graceful_shutdown=HTTP_STOP_TIMEOUT_S,
        )
    )
