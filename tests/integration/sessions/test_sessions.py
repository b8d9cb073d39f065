"""Sessions over HTTP, against a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.events.sessions import SessionHeld
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, World

pytestmark = pytest.mark.stack


async def test_a_session_is_held_once_both_have_confirmed(world: World) -> None:
    session = await world.schedule(START + DAY)
    assert await world.types() == ["session.scheduled"]

    world.clock.at = START + DAY + 5 * HOUR
    await world.ok(MENTOR, f"/v1/sessions/{session}/confirm")
    assert await world.types() == ["session.scheduled"]
    held = await world.ok(MENTEE, f"/v1/sessions/{session}/confirm")

    assert held["state"] == "held"
    assert await world.last() == ("session.held", START + DAY + HOUR)
    fact = (await world.published())[-1].fact
    assert isinstance(fact, SessionHeld)
    assert fact.confirmed_by == (MENTOR, MENTEE)


async def test_confirming_before_the_planned_end_is_no_fact_about_the_future(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + DAY + timedelta(minutes=40)

    await world.ok(MENTOR, f"/v1/sessions/{session}/confirm")
    await world.ok(MENTEE, f"/v1/sessions/{session}/confirm")

    assert await world.last() == ("session.held", world.clock.at)


async def test_confirming_before_the_start_is_refused(world: World) -> None:
    session = await world.schedule(START + DAY)

    refused = await world.post(MENTOR, f"/v1/sessions/{session}/confirm")

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("session-not-started")


async def test_confirming_after_the_time_to_confirm_is_refused_swept_or_not(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + DAY + HOUR + timedelta(hours=72)

    before = await world.post(MENTOR, f"/v1/sessions/{session}/confirm")
    await world.sweep()
    after = await world.post(MENTOR, f"/v1/sessions/{session}/confirm")

    assert (before.status_code, before.json()) == (after.status_code, after.json())
    assert before.json()["type"].endswith("session-closed")


async def test_both_confirming_at_once_holds_the_session_once(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + 2 * DAY

    answers = await asyncio.gather(
        *(world.post(who, f"/v1/sessions/{session}/confirm") for who in (MENTOR, MENTEE) * 3)
    )

    assert {answer.status_code for answer in answers} == {200}
    assert await world.types() == ["session.scheduled", "session.held"]


async def test_one_of_many_overlapping_sessions_asked_for_at_once_is_set(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/sessions"
    slots = [START + DAY + n * timedelta(minutes=10) for n in range(5)]

    answers = await asyncio.gather(
        *(
            world.post(who, path, {"starts_at": at.isoformat(), "duration_minutes": 60})
            for at in slots
            for who in (MENTOR, MENTEE)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert await world.types() == ["session.scheduled"]


async def test_sessions_that_only_touch_do_not_overlap(world: World) -> None:
    await world.schedule(START + DAY, 60)
    await world.schedule(START + DAY + HOUR, 60)
    await world.schedule(START + DAY - HOUR, 60)

    assert await world.types() == ["session.scheduled"] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"starts_at": "2026-03-02T08:59:59Z"}, "starts_at", id="in the past"),
        pytest.param({"starts_at": "2026-03-02T09:00:00Z"}, "starts_at", id="now"),
        pytest.param({"starts_at": "2027-04-02T09:00:00Z"}, "starts_at", id="over a year ahead"),
        pytest.param({"starts_at": "2026-03-03T09:00:00"}, "body.starts_at", id="without a zone"),
        pytest.param({"starts_at": "9999-12-31T23:59:59-23:00"}, "body.starts_at", id="no UTC"),
        pytest.param({"duration_minutes": 4}, "body.duration_minutes", id="too short"),
        pytest.param({"note": "hello"}, "body.note", id="a field nobody knows"),
    ],
)
async def test_a_bad_session_is_refused_with_its_field(
    world: World, body: dict[str, object], field: str
) -> None:
    good = {"starts_at": (START + DAY).isoformat(), "duration_minutes": 60}

    refused = await world.post(MENTOR, f"/v1/pairs/{world.pair}/sessions", {**good, **body})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field


async def test_a_time_in_another_zone_is_published_in_utc(world: World) -> None:
    body = {"starts_at": "2026-03-03T18:30:00+05:30", "duration_minutes": 30}

    made = await world.ok(MENTOR, f"/v1/pairs/{world.pair}/sessions", body)

    assert made["starts_at"] == "2026-03-03T13:00:00Z"


async def test_a_retry_with_the_same_key_creates_once(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/sessions"
    body = {"starts_at": (START + DAY).isoformat(), "duration_minutes": 60}

    answers = await asyncio.gather(*(world.post(MENTOR, path, body, key="k1") for _ in range(5)))
    other = await world.post(MENTOR, path, {**body, "duration_minutes": 30}, key="k1")

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["session_id"] for answer in answers}) == 1
    assert await world.types() == ["session.scheduled"]
    assert other.status_code == 409
    assert other.json()["type"].endswith("key-reused")
