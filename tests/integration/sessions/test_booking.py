"""Taking, moving and giving up times over HTTP: nobody is in two places, and terms are kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from shared.events.sessions import SessionCancelled, SessionRescheduled, SessionScheduled
from tests.integration.sessions.meeting import (
    SECOND_MENTEE,
    agree,
    at_once,
    moved_to,
    second_pair,
    seen,
    served,
)
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, STRANGER, World
from tests.support.callers import as_

pytestmark = pytest.mark.stack

ROUNDS = 15


async def test_somebody_in_two_pairs_meets_one_of_them_at_a_time(world: World) -> None:
    other = await second_pair(world)
    await world.schedule(START + DAY)
    body = {"starts_at": (START + DAY + HOUR / 2).isoformat(), "duration_minutes": 60}

    refused = await world.post(SECOND_MENTEE, f"/v1/pairs/{other}/sessions", body)
    body["starts_at"] = (START + DAY + HOUR).isoformat()
    made = await world.post(SECOND_MENTEE, f"/v1/pairs/{other}/sessions", body)

    assert (refused.status_code, made.status_code) == (409, 201)
    assert refused.json()["type"].endswith("session-overlaps")


async def test_two_mentees_want_the_same_hour_of_their_mentor_and_one_gets_it(
    world: World,
) -> None:
    other = await second_pair(world)
    async with served(world) as address:
        for n in range(ROUNDS):
            body: dict[str, object] = {
                "starts_at": (START + (1 + n) * DAY).isoformat(),
                "duration_minutes": 60,
            }
            answers = await at_once(
                address,
                [
                    (MENTEE, f"/v1/pairs/{world.pair}/sessions", body),
                    (SECOND_MENTEE, f"/v1/pairs/{other}/sessions", body),
                    (MENTOR, f"/v1/pairs/{world.pair}/sessions", body),
                    (MENTOR, f"/v1/pairs/{other}/sessions", body),
                ],
            )
            assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]

    assert await world.types() == ["session.scheduled"] * ROUNDS


async def test_every_way_to_take_an_hour_waits_for_the_others(world: World) -> None:
    other = await second_pair(world)
    async with served(world) as address:
        for n in range(ROUNDS // 2):
            at = START + (20 + n) * DAY
            body: dict[str, object] = {"starts_at": at.isoformat(), "duration_minutes": 60}
            offered = await world.ok(MENTOR, f"/v1/pairs/{other}/proposals", {"slots": [body]})
            moving = await world.schedule(at + 2 * HOUR)
            series: dict[str, object] = {
                "starts_at_local": at.replace(tzinfo=None).isoformat(),
                "zone": "UTC",
                "duration_minutes": 60,
                "count": 1,
            }
            proposal = f"/v1/proposals/{offered['proposal_id']}"
            answers = await at_once(
                address,
                [
                    (SECOND_MENTEE, f"{proposal}/accept", {"slot": 1}),
                    (MENTEE, f"/v1/sessions/{moving}/reschedule", {"starts_at": at.isoformat()}),
                    (SECOND_MENTEE, f"/v1/pairs/{other}/series", series),
                    (MENTOR, f"/v1/pairs/{world.pair}/sessions", body),
                ],
            )
            await world.post(MENTOR, f"{proposal}/withdraw")

            assert sum(answer.is_success for answer in answers) == 1
            assert {answer.status_code for answer in answers if not answer.is_success} == {409}


_HOLD_MENTOR = """
    SELECT pg_advisory_xact_lock(
        hashtextextended(current_schema() || '.times.acme/' || $1, 0)
    )
"""
_END_WHO_WAITS = """
    SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
"""


async def test_a_booking_that_is_cut_off_leaves_nothing_and_can_be_asked_for_again(
    world: World,
) -> None:
    path = f"/v1/pairs/{world.pair}/sessions"
    body = {"starts_at": (START + DAY).isoformat(), "duration_minutes": 60}
    async with world.pool.acquire() as conn, conn.transaction():
        await conn.execute(_HOLD_MENTOR, MENTOR)
        asked = asyncio.create_task(world.post(MENTEE, path, body, key="k"))
        async with asyncio.timeout(20):
            while not await conn.fetch(_END_WHO_WAITS):
                assert not asked.done(), "it did not wait for the mentor's other bookings"
    cut_off = await asked

    assert cut_off.status_code == 503
    assert await world.types() == []
    again = await world.post(MENTEE, path, body, key="k")
    assert again.status_code == 201
    assert await world.types() == ["session.scheduled"]


async def test_what_is_committed_is_there_after_a_restart(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + DAY + HOUR / 2
    said = await world.ok(MENTOR, f"/v1/sessions/{session}/no-show", {"who": "other"})
    await world.pool.expire_connections()

    async with served(world) as address, httpx.AsyncClient(base_url=address) as client:
        headers = as_(MENTOR)
        found = (await client.get(f"/v1/sessions/{session}", headers=headers)).json()

    local = ("starts_at_local", "starts_at_partner")
    assert {**said, **dict.fromkeys(local)} == {**found, **dict.fromkeys(local)}


async def test_a_moved_session_is_published_and_frees_its_time(world: World) -> None:
    session = await world.schedule(START + 3 * DAY)
    path = f"/v1/sessions/{session}/reschedule"

    moved = await world.ok(MENTEE, path, {"starts_at": (START + 5 * DAY).isoformat()})
    await world.schedule(START + 3 * DAY)
    back = await world.post(MENTEE, path, {"starts_at": (START + 3 * DAY).isoformat()})

    assert (moved["sequence"], moved["state"]) == (1, "scheduled")
    assert back.status_code == 409
    fact = (await world.published())[1].fact
    assert isinstance(fact, SessionRescheduled)
    assert (fact.previous_starts_at, fact.starts_at) == (START + 3 * DAY, START + 5 * DAY)
    assert (fact.by, fact.with_notice) == (MENTEE, True)


async def test_a_session_may_be_moved_into_its_own_time(world: World) -> None:
    session = await world.schedule(START + DAY)
    half_an_hour_later = {"starts_at": (START + DAY + HOUR / 2).isoformat()}

    moved = await world.ok(MENTOR, f"/v1/sessions/{session}/reschedule", half_an_hour_later)

    assert moved["starts_at"] == "2026-03-03T09:30:00Z"


async def test_a_called_off_session_is_published_once_and_frees_its_time(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + timedelta(hours=12)

    cancelled = await world.ok(MENTEE, f"/v1/sessions/{session}/cancel")
    again = await world.ok(MENTEE, f"/v1/sessions/{session}/cancel")
    await world.schedule(START + DAY)

    assert cancelled["state"] == again["state"] == "cancelled"
    facts = [event.fact for event in await world.published()]
    assert [fact.type for fact in facts] == [
        "session.scheduled",
        "session.cancelled",
        "session.scheduled",
    ]
    assert isinstance(facts[1], SessionCancelled)
    assert (facts[1].by, facts[1].with_notice) == (MENTEE, False)


async def test_the_agreed_notice_is_the_one_that_counts(world: World) -> None:
    await agree(world, notice_hours=2)
    session = await world.schedule(START + DAY)
    world.clock.at = START + DAY - 3 * HOUR

    await world.ok(MENTEE, f"/v1/sessions/{session}/cancel")

    fact = (await world.published())[-1].fact
    assert isinstance(fact, SessionCancelled)
    assert fact.with_notice


async def test_a_channel_outside_the_agreement_is_refused_with_the_term_and_the_way_round(
    world: World,
) -> None:
    await agree(world)
    body = {"starts_at": (START + DAY).isoformat(), "duration_minutes": 60, "channel": "phone"}

    refused = await world.post(MENTOR, f"/v1/pairs/{world.pair}/sessions", body)
    session = await world.schedule(START + DAY)
    kept = await world.post(MENTOR, f"/v1/sessions/{session}/reschedule", body)

    for answer in (refused, kept):
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("breaks-agreement")
        assert answer.json()["errors"][0]["field"] == "channel"
        assert answer.json()["allowed"] == ["propose"]


async def test_a_session_knows_its_channel_and_so_does_its_fact(world: World) -> None:
    body = {"starts_at": (START + DAY).isoformat(), "duration_minutes": 60, "channel": "video"}

    made = await world.ok(MENTOR, f"/v1/pairs/{world.pair}/sessions", body)

    assert (await seen(world, made["session_id"]))["channel"] == "video"
    (fact,) = (event.fact for event in await world.published())
    assert isinstance(fact, SessionScheduled)
    assert fact.channel == "video"


async def test_who_moves_house_meets_at_the_same_instant_and_another_local_time(
    world: World,
) -> None:
    await moved_to(world, maria="Europe/Berlin", tom="America/New_York")
    session = await world.schedule(START + DAY)
    before = await seen(world, session)

    world.clock.at = START + HOUR
    await moved_to(world, maria="Pacific/Apia")
    after = await seen(world, session)

    assert before["starts_at"] == after["starts_at"] == "2026-03-03T09:00:00Z"
    assert before["starts_at_local"] == "2026-03-03T10:00:00+01:00"
    assert after["starts_at_local"] == "2026-03-03T22:00:00+13:00"
    assert before["starts_at_partner"] == after["starts_at_partner"] == "2026-03-03T04:00:00-05:00"


async def test_sessions_are_read_by_page_and_by_state(world: World) -> None:
    ids = [await world.schedule(START + n * DAY) for n in range(1, 6)]
    await world.ok(MENTOR, f"/v1/sessions/{ids[1]}/cancel")
    path = f"/v1/pairs/{world.pair}/sessions"

    pages, cursor = [], ""
    while cursor is not None:
        answer = await world.get(MENTEE, f"{path}?limit=2{cursor and '&cursor=' + cursor}")
        pages.append([each["session_id"] for each in answer.json()["sessions"]])
        cursor = answer.json()["next_cursor"]
    called_off = (await world.get(MENTEE, f"{path}?state=cancelled")).json()["sessions"]

    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert [each["session_id"] for each in called_off] == [ids[1]]


async def test_a_page_shows_what_time_has_closed_before_anybody_has_swept(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + 10 * DAY
    path = f"/v1/pairs/{world.pair}/sessions"

    for _ in range(2):
        assert (await seen(world, session))["state"] == "lapsed"
        assert (await world.get(MENTOR, f"{path}?state=scheduled")).json()["sessions"] == []
        await world.sweep()


async def test_a_stranger_finds_nothing_and_learns_nothing(world: World) -> None:
    session = await world.schedule(START + DAY)
    at = {"starts_at": (START + 2 * DAY).isoformat()}

    answers = [
        await world.get(STRANGER, f"/v1/sessions/{session}"),
        await world.get(STRANGER, f"/v1/pairs/{world.pair}/sessions"),
        await world.get(STRANGER, f"/v1/pairs/{world.pair}/slots"),
        await world.get(STRANGER, f"/v1/pairs/{world.pair}/proposals"),
        await world.post(STRANGER, f"/v1/sessions/{session}/reschedule", at),
        await world.post(STRANGER, f"/v1/sessions/{session}/cancel"),
        await world.post(STRANGER, f"/v1/sessions/{session}/no-show", {"who": "other"}),
        await world.post(STRANGER, f"/v1/sessions/{session}/dispute"),
        await world.get(MENTOR, f"/v1/sessions/{session}", tenant="globex"),
    ]

    assert {answer.status_code for answer in answers} == {404}
