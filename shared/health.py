"""Health as ops need it: live by local progress alone, ready by what it takes to do the work.

Liveness never asks the broker or the database: a blip there must not restart a fleet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

import asyncpg
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.kafka.consumer import Consumer
from shared.kafka.delivery import Delivery
from shared.postgres.pool import UNAVAILABLE, Pool
from shared.postgres.schema import Expected
from shared.relay import Relay

MAX_POLL_AGE_S = 30.0
MAX_BATCH_AGE_S = 60.0

Check: TypeAlias = Callable[[], dict[str, object]]


def mount(app: FastAPI, pool: Pool, schema: Expected, *, ready: Check, live: Check) -> None:
    """Add /health/live, /health/ready and /metrics. A check's answer is healthy when `ok` is.

    Nobody is ready before the database has the schema that this release expects.
    """

    @app.get("/health/live", include_in_schema=False)
    async def _live() -> JSONResponse:
        found = live()
        return JSONResponse(found, 200 if found["ok"] else 503)

    @app.get("/health/ready", include_in_schema=False)
    async def _ready() -> JSONResponse:
        found = ready()
        try:
            await pool.fetchval("SELECT count(*) FROM consumer_offset")
            if lacks := await schema.lacks(pool):
                found = {**found, "ok": False, "schema": f"{lacks} is not applied"}
        except asyncpg.UndefinedTableError:
            found = {**found, "ok": False, "schema": "there is none: run trustfold migrate"}
        except UNAVAILABLE as error:
            found = {**found, "ok": False, "database": type(error).__name__}
        return JSONResponse(found, 200 if found["ok"] else 503)

    @app.get("/metrics", include_in_schema=False)
    async def _metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def worker_ready(consumer: Consumer, delivery: Delivery) -> dict[str, object]:
    """A worker is ready when it is assigned, hears the broker, and commits what it takes."""
    poll_age_s = consumer.poll_age_s()
    progress = delivery.progress
    busy_s = time.monotonic() - progress.busy_since if progress.busy_since else 0.0
    reasons = []
    if consumer.halted:
        reasons.append(consumer.halted)
    elif not consumer.assigned():
        reasons.append("no partition is assigned")
    if poll_age_s is not None and poll_age_s > MAX_POLL_AGE_S:
        reasons.append("the broker has not answered lately")
    if busy_s > MAX_BATCH_AGE_S:
        reasons.append("a batch cannot be committed")
    if progress.cap_reached:
        reasons.append("too many dead letters wait for a decision")
    return {
        "ok": not reasons,
        "reasons": reasons,
        "partitions": consumer.assigned(),
        "poll_age_s": poll_age_s,
        "commit_age_s": progress.committed_at and time.monotonic() - progress.committed_at,
        "lag": consumer.lag(),
    }


def relay_ready(relay: Relay) -> dict[str, object]:
    """A relay is ready while it leads or stands by; which one is told."""
    return {"ok": True, "leading": relay.leading}
