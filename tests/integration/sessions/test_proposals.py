"""Proposals of times over HTTP: one is picked and booked, and that allows what it breaks, once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.events.sessions import ReplyRequested, SessionScheduled
from tests.integration.sessions.meeting import agree, seen
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, World

pytestmark = pytest.mark.stack

FIRST, LAST = START + DAY, START + 3 * DAY


def slot(at: datetime) -> dict[str, object]:
    return {"starts_at": at.isoformat(), "duration_minutes": 60}


async def proposed(world: World, *, channel: str | None = None) -> str:
    """Two times that the mentor puts before the mentee."""
    body = {"slots": [slot(LAST), slot(FIRST)], "channel": channel}
    made = await world.ok(MENTOR, f"/v1/pairs/{world.pair}/proposals", body)
    return str(made["proposal_id"])


async def test_one_of_the_times_is_picked_and_booked(world: World) -> None:
    proposal = await proposed(world)
    requested = (await world.published())[-1].fact
    assert isinstance(requested, ReplyRequested)
    assert (requested.of, requested.about, requested.until) == (MENTEE, "session", LAST)

    accepted = await world.ok(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 2})
    again = await world.ok(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 2})

    assert (accepted["state"], accepted["picked"]) == ("accepted", 2)
    assert accepted == again
    assert await world.types() == ["reply.requested", "session.scheduled", "reply.settled"]
    fact = (await world.published())[1].fact
    assert isinstance(fact, SessionScheduled)
    assert (fact.by, fact.starts_at) == (MENTOR, FIRST)
    session = await seen(world, accepted["session_id"])
    assert (session["state"], session["allowed_by"]) == ("scheduled", None)


async def test_who_picks_a_time_allows_what_it_breaks_this_once(world: World) -> None:
    await agree(world)
    body = {**slot(FIRST), "channel": "phone"}
    refused = await world.post(MENTOR, f"/v1/pairs/{world.pair}/sessions", body)
    proposal = await proposed(world, channel="phone")

    accepted = await world.ok(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 2})

    session = await seen(world, accepted["session_id"])
    assert refused.status_code == 409
    assert (session["allowed_by"], session["broken_term"]) == (MENTEE, "channel")
    once = await world.post(
        MENTOR, f"/v1/pairs/{world.pair}/sessions", {**body, "starts_at": LAST.isoformat()}
    )
    assert once.status_code == 409


async def test_a_time_that_was_taken_meanwhile_is_refused_and_the_others_are_left(
    world: World,
) -> None:
    proposal = await proposed(world)
    await world.schedule(FIRST)

    taken = await world.post(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 2})
    free = await world.post(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 1})

    assert (taken.status_code, free.status_code) == (409, 200)
    assert taken.json()["type"].endswith("session-overlaps")


async def test_of_two_who_pick_different_times_at_once_one_is_heard(world: World) -> None:
    proposal = await proposed(world)
    path = f"/v1/proposals/{proposal}/accept"

    answers = await asyncio.gather(
        *(world.post(MENTEE, path, {"slot": 1 + n % 2}) for n in range(8)),
        world.post(MENTOR, f"/v1/proposals/{proposal}/withdraw"),
    )

    picked = {answer.json()["picked"] for answer in answers if answer.is_success}
    assert len(picked) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    assert (await world.types()).count("session.scheduled") == len(picked - {None})


@pytest.mark.parametrize(("who", "word"), [(MENTEE, "decline"), (MENTOR, "withdraw")])
async def test_a_no_or_a_second_thought_settles_it(world: World, who: str, word: str) -> None:
    proposal = await proposed(world)

    settled = await world.ok(who, f"/v1/proposals/{proposal}/{word}")
    late = await world.post(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 1})

    assert settled["allowed"] == []
    assert (late.status_code, late.json()["allowed"]) == (409, [])
    assert await world.types() == ["reply.requested", "reply.settled"]


async def test_a_proposal_lapses_when_its_last_time_begins_swept_or_not(world: World) -> None:
    proposal = await proposed(world)
    world.clock.at = LAST - timedelta(microseconds=1)
    assert await world.sweep() == 0
    begun = await world.post(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 2})
    assert (begun.status_code, begun.json()["allowed"]) == (409, ["accept", "decline"])
    world.clock.at = LAST + 9 * DAY

    said = []
    for _ in range(2):
        said.append(await world.post(MENTEE, f"/v1/proposals/{proposal}/accept", {"slot": 1}))
        view = await world.get(MENTOR, f"/v1/proposals/{proposal}")
        assert view.json()["state"] == "lapsed"
        await world.sweep()

    assert said[0].json() == said[1].json()
    events = await world.published()
    assert [(event.fact.type, event.occurred_at) for event in events] == [
        ("reply.requested", START),
        ("reply.settled", LAST),
    ]


async def test_what_waits_is_listed_until_the_pair_ends(world: World) -> None:
    proposal = await proposed(world)
    path = f"/v1/pairs/{world.pair}/proposals"

    before = (await world.get(MENTEE, path)).json()["proposals"]
    await world.end_pairs(START + HOUR)
    after = (await world.get(MENTEE, path)).json()["proposals"]

    assert [each["proposal_id"] for each in before] == [proposal]
    assert before[0]["allowed"] == ["accept", "decline"]
    assert after == []
    assert await world.types() == ["reply.requested", "reply.settled"]


async def test_the_same_key_proposes_once(world: World) -> None:
    path, body = f"/v1/pairs/{world.pair}/proposals", {"slots": [slot(FIRST)]}

    answers = await asyncio.gather(*(world.post(MENTOR, path, body, key="k") for _ in range(6)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["proposal_id"] for answer in answers}) == 1
    assert await world.types() == ["reply.requested"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slots": []}, "body.slots"),
        ({"slots": [slot(FIRST)] * 6}, "body.slots"),
        ({"slots": [slot(FIRST)] * 2}, "slots"),
        ({"slots": [slot(START)]}, "starts_at"),
        ({"slots": [slot(FIRST)], "channel": "Not A Code"}, "body.channel"),
    ],
)
async def test_a_bad_proposal_is_refused_with_its_field(
    world: World, body: dict[str, object], field: str
) -> None:
    refused = await world.post(MENTOR, f"/v1/pairs/{world.pair}/proposals", body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field
