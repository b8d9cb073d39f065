"""Whatever is asked over HTTP is answered as documented: never a 5xx, every refusal a problem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from services.notifications.app import build
from services.notifications.subscribers import HANDLERS
from shared.clock import Clock, FixedClock
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import settings_for
from tests.integration.notifications.test_api import BO, ZOE, caller
from tests.support.databases import Databases
from tests.support.fuzz import FEW, MANY, Target, ask, bounded, documented
from tests.support.serving import Serving
from tests.unit.notifications.builders import MENTEE, MENTOR, START, happened, held, joined, started

BOSS = caller("boss", "manager")
# It has no end, as its clients have none.
ENDLESS = "/v1/people/{person_id}/inbox/stream"


def api_of(pool: Pool | None, clock: Clock) -> FastAPI:
    """The service's API; without a database, for its document alone."""
    api = build(settings_for(25), pool, clock).api  # type: ignore[arg-type]
    api.openapi()["paths"].pop(ENDLESS, None)
    return api


api = api_of(None, FixedClock(START))
quick, long = documented(api, thorough=False), documented(api, thorough=True)


@pytest.fixture(scope="module")
def target(databases: Databases) -> Iterator[Target]:
    with Serving(databases, "notifications", api_of, START).running() as serving:
        serving.do(fill)
        inbox = serving.ask("GET", f"/v1/people/{MENTEE}/inbox", dict(BO), None)["items"]
        made = serving.ask(
            "POST",
            "/v1/endpoints",
            {**BOSS, "Idempotency-Key": "one"},
            {"url": "https://hooks.example/in", "types": ["*"]},
        )
        ids = {
            "person": [MENTEE, MENTOR],
            "message": [each["message_id"] for each in inbox],
            "endpoint": [str(made["endpoint_id"])],
            "workflow": ["pair_started", "session_held"],
            "language": ["en", "de", "nl"],
        }
        callers = [BO, ZOE, BOSS, caller("robot", "service")]
        yield Target(serving.url, START, ids, callers)


async def fill(pool: Pool) -> None:
    """Two people with something in their inboxes."""
    events = [happened(fact) for fact in (joined(MENTEE, "Bo"), joined(MENTOR, "Zoë"))]
    async with pool.acquire() as conn, conn.transaction():
        await per_fact(HANDLERS)(conn, [*events, happened(started()), happened(held())], START)


@quick.parametrize()  # type: ignore[untyped-decorator]
@bounded(FEW)
def test_what_is_asked_is_answered_as_documented(case: Any, target: Target) -> None:
    ask(case, target)


@pytest.mark.full
@long.parametrize()  # type: ignore[untyped-decorator]
@bounded(MANY)
def test_what_is_asked_at_length_is_answered_as_documented(case: Any, target: Target) -> None:
    ask(case, target)
