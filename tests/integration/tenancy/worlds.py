"""Each service with something of one tenant in it: who could be asked about, by name of the path.

Holds no test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from services.insights.measuring import measure
from services.insights.surfacing import surface
from shared.clock import Clock, FixedClock
from shared.postgres.pool import Pool
from tests.integration.identity.every_service import built
from tests.integration.insights.programmes import SPRING, after, always, begin
from tests.integration.insights.test_measures import COMPANY, busy
from tests.integration.matching import serving as matching
from tests.integration.notifications import test_http_fuzz as notifications
from tests.integration.notifications.test_api import BO, caller
from tests.integration.sessions import serving as sessions
from tests.support.databases import Databases
from tests.support.serving import Serving
from tests.unit.notifications.builders import MENTEE, MENTOR
from tests.unit.notifications.builders import START as NOTIFIED

Ids = Mapping[str, Sequence[str]]
TENANT = "acme"
NOW = after(2026, 8)


@dataclass(frozen=True, slots=True)
class World:
    """A running service, the document of its API, and the ids of what `acme` has there."""

    serving: Serving
    api: FastAPI
    ids: Ids


@contextmanager
def world_of(service: str, databases: Databases) -> Iterator[World]:
    """The service with a life in it."""
    with _WORLDS[service](databases) as world:
        yield world


@contextmanager
def _matching(databases: Databases) -> Iterator[World]:
    with matching.serving_matching(databases).running() as serving:
        things = matching.Things(serving, "one")
        things.fill()
        yield World(serving, matching.build(None, FixedClock(NOTIFIED)), things.ids)


@contextmanager
def _sessions(databases: Databases) -> Iterator[World]:
    with sessions.serving_sessions(databases).running() as serving:
        things = sessions.Things(serving, "mentor-one", "mentee-one")
        things.fill()
        ids = {**things.ids, "person": ["mentor-one", "mentee-one"]}
        yield World(serving, sessions.build(None, FixedClock(NOTIFIED)), ids)


@contextmanager
def _notifications(databases: Databases) -> Iterator[World]:
    with Serving(databases, "notifications", notifications.api_of, NOTIFIED).running() as serving:
        serving.do(notifications.fill)
        inbox = serving.ask("GET", f"/v1/people/{MENTEE}/inbox", dict(BO), None)["items"]
        wish = {"url": "https://hooks.example/in", "types": ["*"]}
        boss = {**caller("boss", "manager"), "Idempotency-Key": "one"}
        made = serving.ask("POST", "/v1/endpoints", boss, wish)
        ids = {
            "person": [MENTEE, MENTOR],
            "message": [each["message_id"] for each in inbox],
            "endpoint": [str(made["endpoint_id"])],
            "workflow": ["pair_started", "session_held"],
            "language": ["en", "de"],
        }
        yield World(serving, notifications.api, ids)


@contextmanager
def _insights(databases: Databases) -> Iterator[World]:
    def api(pool: Pool, _: Clock) -> FastAPI:
        return built("insights", pool).api

    with Serving(databases, "insights", api, NOW).running() as serving:
        serving.do(_live)
        document = built("insights", None).api  # type: ignore[arg-type]
        ids: Ids = {
            "pair": [str(each.pair_id) for each in COMPANY],
            "programme": [str(SPRING)],
            "person": [each.mentor for each in COMPANY],
        }
        yield World(serving, document, ids)


async def _live(pool: Pool) -> None:
    events = [*begin(COMPANY), *busy(COMPANY)]
    async with pool.acquire() as conn, conn.transaction():
        await built("insights", pool).apply(conn, events, NOW)
    while await surface(pool):
        pass
    while await measure(pool, FixedClock(NOW), always):
        pass


_WORLDS = {
    "matching": _matching,
    "sessions": _sessions,
    "notifications": _notifications,
    "insights": _insights,
}
