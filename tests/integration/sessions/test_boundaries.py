"""Boundaries over HTTP: a polite reminder first, a breach only when somebody confirms it."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from services.sessions.sweeper import sweep
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted
from shared.events.sessions import BoundaryBreached, BoundaryReminded, ReplyRequested
from tests.integration.sessions.meeting import agree
from tests.integration.sessions.world import (
    DAY,
    HOUR,
    MENTEE,
    MENTOR,
    START,
    STRANGER,
    TENANT,
    World,
)

pytestmark = pytest.mark.stack

JUDGE = "hanna"
AT = START + 2 * DAY
CLAIMED_AT = START + 3 * DAY
WITHIN = timedelta(days=14)


async def reminded(world: World, term: str = "hours") -> str:
    """The mentee has reminded the mentor."""
    made = await world.ok(MENTEE, f"/v1/pairs/{world.pair}/boundaries", {"term": term})
    return f"/v1/boundaries/{made['boundary_id']}"


async def claimed(world: World) -> str:
    path = await reminded(world)
    world.clock.at = CLAIMED_AT
    await world.ok(MENTEE, f"{path}/claim", {"happened_at": AT.isoformat()})
    return path


async def contested(world: World) -> str:
    path = await claimed(world)
    world.clock.at = CLAIMED_AT + DAY
    await world.ok(MENTOR, f"{path}/contest")
    return path


async def test_a_reminder_is_published_at_once_in_words_of_nobody(world: World) -> None:
    made = await world.ok(MENTEE, f"/v1/pairs/{world.pair}/boundaries", {"term": "channel"})

    assert (made["state"], made["about"], made["allowed"]) == ("reminded", MENTOR, ["claim"])
    assert "honoring agreed-upon communication channels" in made["words"]
    (event,) = await world.published()
    assert isinstance(event.fact, BoundaryReminded)
    assert (event.fact.about, event.fact.term, event.occurred_at) == (MENTOR, "channel", START)


async def test_what_is_confirmed_is_a_breach_as_of_when_it_happened(world: World) -> None:
    path = await claimed(world)
    assert await world.types() == ["boundary.reminded", "reply.requested"]
    asked = (await world.published())[-1].fact
    assert isinstance(asked, ReplyRequested)
    assert (asked.of, asked.about, asked.until) == (MENTOR, "pair", CLAIMED_AT + WITHIN)
    waiting = (await world.view(MENTOR))["waiting_for_you"]
    assert [each["what"] for each in waiting] == ["boundary"]

    world.clock.at = CLAIMED_AT + DAY
    confirmed = await world.ok(MENTOR, f"{path}/confirm")
    await world.ok(MENTOR, f"{path}/confirm")

    assert (confirmed["state"], confirmed["allowed"]) == ("breached", [])
    breached, settled = (await world.published())[2:]
    assert isinstance(breached.fact, BoundaryBreached)
    assert (breached.fact.about, breached.fact.confirmed_by) == (MENTOR, "both")
    assert breached.occurred_at == AT
    assert (settled.fact.type, settled.occurred_at) == ("reply.settled", CLAIMED_AT + DAY)


async def test_what_is_contested_waits_for_a_manager_of_neither_side(world: World) -> None:
    path = await contested(world)
    held = (await world.get(MENTEE, path)).json()
    assert (held["state"], held["allowed"]) == ("contested", ["withdraw"])
    body = {"outcome": "breached"}
    disputes = (await world.get(JUDGE, "/v1/disputes", role="manager")).json()["disputes"]
    mine = (await world.get(MENTOR, "/v1/disputes", role="manager")).json()["disputes"]

    a_side = await world.post(MENTEE, f"{path}/resolve", body, role="manager")
    a_member = await world.post(JUDGE, f"{path}/resolve", body)
    elsewhere = await world.post(JUDGE, f"{path}/resolve", body, role="manager", tenant="globex")
    judged = await world.post(JUDGE, f"{path}/resolve", body, role="manager")
    again = await world.post(JUDGE, f"{path}/resolve", body, role="manager")

    assert [(each["kind"], each["pair_id"]) for each in disputes] == [("boundary", str(world.pair))]
    assert mine == []
    answers = (a_side, a_member, elsewhere, judged, again)
    assert [each.status_code for each in answers] == [403, 403, 404, 200, 409]
    assert again.json()["allowed"] == []
    fact = (await world.published())[-1].fact
    assert isinstance(fact, BoundaryBreached)
    assert fact.confirmed_by == "manager"


async def test_silence_settles_nothing_so_a_manager_need_not_wait_for_the_accused(
    world: World,
) -> None:
    path = await claimed(world)

    judged = await world.post(JUDGE, f"{path}/resolve", {"outcome": "nothing"}, role="manager")

    assert (judged.status_code, judged.json()["state"]) == (200, "dismissed")
    assert await world.told() == ["boundary.reminded"]


@pytest.mark.parametrize("swept", [True, False], ids=["swept in time", "not swept"])
async def test_what_nobody_settles_in_time_is_no_evidence(world: World, swept: bool) -> None:
    path = await claimed(world)
    world.clock.at = CLAIMED_AT + WITHIN - timedelta(microseconds=1)
    assert await world.sweep() == 0
    world.clock.at = CLAIMED_AT + WITHIN
    if swept:
        assert await world.sweep() == 1

    late = await world.post(MENTOR, f"{path}/confirm")
    shown = (await world.get(MENTEE, path)).json()
    await world.sweep()

    assert late.status_code == 409
    assert "dismissed" in late.json()["detail"]
    assert (shown["state"], shown["allowed"]) == ("dismissed", ["claim"])
    assert await world.told() == ["boundary.reminded"]
    assert await world.last() == ("reply.settled", CLAIMED_AT + WITHIN)


async def test_what_is_contested_and_never_settled_is_no_evidence_either(world: World) -> None:
    path = await contested(world)
    world.clock.at = CLAIMED_AT + DAY + WITHIN
    assert await world.sweep() == 1

    assert (await world.get(MENTEE, path)).json()["state"] == "dismissed"
    assert await world.told() == ["boundary.reminded"]


async def test_taken_back_it_is_as_before(world: World) -> None:
    path = await contested(world)

    back = await world.ok(MENTEE, f"{path}/withdraw")
    judged = await world.post(JUDGE, f"{path}/resolve", {"outcome": "breached"}, role="manager")

    assert (back["state"], back["happened_at"], back["allowed"]) == ("reminded", None, ["claim"])
    assert judged.status_code == 409
    assert await world.told() == ["boundary.reminded"]


async def test_after_a_breach_only_what_happened_later_can_be_claimed(world: World) -> None:
    path = await claimed(world)
    await world.ok(MENTOR, f"{path}/confirm")
    world.clock.at = CLAIMED_AT + 5 * DAY

    same = await world.post(MENTEE, f"{path}/claim", {"happened_at": AT.isoformat()})
    later = CLAIMED_AT + DAY
    again = await world.ok(MENTEE, f"{path}/claim", {"happened_at": later.isoformat()})
    await world.ok(MENTOR, f"{path}/confirm")

    assert same.status_code == 422
    assert same.json()["errors"][0]["field"] == "happened_at"
    assert again["state"] == "claimed"
    at = [
        each.occurred_at
        for each in await world.published()
        if each.fact.type == "boundary.breached"
    ]
    assert at == [AT, later]


@pytest.mark.parametrize(
    "at",
    [START - timedelta(microseconds=1), CLAIMED_AT + HOUR],
    ids=["before the reminder", "ahead"],
)
async def test_only_what_happened_after_the_reminder_can_be_claimed(
    world: World, at: object
) -> None:
    path = await reminded(world)
    world.clock.at = CLAIMED_AT

    refused = await world.post(MENTEE, f"{path}/claim", {"happened_at": str(at)})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "happened_at"


async def test_the_same_reminder_within_a_month_names_what_to_do_instead(world: World) -> None:
    path = await reminded(world)
    place = f"/v1/pairs/{world.pair}/boundaries"
    world.clock.at = START + 30 * DAY - timedelta(microseconds=1)

    again = await world.post(MENTEE, place, {"term": "hours"})
    other_term = await world.post(MENTEE, place, {"term": "topic"})
    other_side = await world.post(MENTOR, place, {"term": "hours"})
    world.clock.at = START + 30 * DAY
    later = await world.post(MENTEE, place, {"term": "hours"})

    answers = (again, other_term, other_side, later)
    assert [each.status_code for each in answers] == [409, 201, 201, 201]
    assert again.json()["allowed"] == ["claim"]
    assert path.rpartition("/")[2] in again.json()["detail"]
    listed = (await world.get(MENTOR, place)).json()["boundaries"]
    assert sorted(each["term"] for each in listed) == ["hours", "hours", "hours", "topic"]


async def test_the_same_reminder_twice_at_once_is_one(world: World) -> None:
    place = f"/v1/pairs/{world.pair}/boundaries"

    answers = await asyncio.gather(
        *(world.post(MENTEE, place, {"term": "hours"}) for _ in range(6))
    )

    assert sorted(each.status_code for each in answers) == [201, *[409] * 5]
    assert await world.told() == ["boundary.reminded"]


async def test_nobody_speaks_for_another_and_a_stranger_finds_nothing(world: World) -> None:
    path = await claimed(world)
    happened = {"happened_at": AT.isoformat()}

    wrong = [
        await world.post(MENTOR, f"{path}/claim", happened),
        await world.post(MENTOR, f"{path}/withdraw"),
        await world.post(MENTEE, f"{path}/confirm"),
        await world.post(MENTEE, f"{path}/contest"),
    ]
    strange = [
        await world.get(STRANGER, path),
        await world.get(MENTEE, path, tenant="globex"),
        await world.get(STRANGER, f"/v1/pairs/{world.pair}/boundaries"),
        await world.post(STRANGER, f"{path}/claim", happened),
        await world.post(STRANGER, f"{path}/confirm"),
        await world.post(STRANGER, f"/v1/pairs/{world.pair}/boundaries", {"term": "hours"}),
    ]

    assert [each.status_code for each in wrong] == [403] * 4
    assert [each.status_code for each in strange] == [404] * 6


async def test_a_fact_carries_no_words_of_ones_own(world: World) -> None:
    place = f"/v1/pairs/{world.pair}/boundaries"

    refused = await world.post(MENTEE, place, {"term": "tom_is_rude"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "body.term"


async def test_an_ended_pair_is_not_reminded_but_still_answers(world: World) -> None:
    path = await claimed(world)
    await world.end_pairs(CLAIMED_AT)

    new = await world.post(MENTEE, f"/v1/pairs/{world.pair}/boundaries", {"term": "topic"})
    answered = await world.post(MENTOR, f"{path}/confirm")

    assert (new.status_code, answered.status_code) == (409, 200)
    assert new.json()["type"].endswith("pair-ended")


async def test_the_clock_of_a_claim_stands_still_while_the_accused_is_away(world: World) -> None:
    path = await claimed(world)
    leave = {"person_id": MENTOR, "leave_id": "l-1", "started_on": date(2026, 3, 8)}
    await world.deliver(PersonLeaveStarted(**leave))
    assert (await world.get(MENTOR, path)).json()["open_until"].startswith("9999")

    back = date(2026, 4, 5)
    await world.deliver(PersonLeaveEnded(**leave, back_on=back))
    world.clock.at = CLAIMED_AT + 30 * DAY

    assert await world.sweep() == 0
    ends = (await world.get(MENTOR, path)).json()["open_until"]
    assert ends == (CLAIMED_AT + WITHIN + 28 * DAY).isoformat().replace("+00:00", "Z")


async def test_a_retry_claims_once_and_a_stale_answer_is_refused(world: World) -> None:
    path = await reminded(world)
    world.clock.at = CLAIMED_AT
    body = {"happened_at": AT.isoformat()}
    seen = (await world.get(MENTOR, path)).headers["ETag"]

    first = await world.post(MENTEE, f"{path}/claim", body, key="k")
    again = await world.post(MENTEE, f"{path}/claim", body, key="k")
    stale = await world.post(MENTOR, f"{path}/contest", match=seen)

    assert (first.status_code, again.status_code, stale.status_code) == (200, 200, 412)
    assert (await world.types()).count("reply.requested") == 1


async def test_boundaries_are_behind_row_level_security(world: World) -> None:
    await agree(world)
    await reminded(world)
    async with world.pool.acquire() as conn:
        unseen = await conn.fetchval("SELECT count(*) FROM boundary")

    assert unseen == 0
    assert await world.look("SELECT FROM boundary WHERE tenant = $1", TENANT)


async def test_an_outage_gives_the_accused_their_time_back(world: World) -> None:
    path = await claimed(world)
    await sweep(world.pool, CLAIMED_AT + DAY, outage_after=HOUR)

    world.clock.at = CLAIMED_AT + 4 * DAY
    while await sweep(world.pool, world.clock.at, outage_after=HOUR):
        pass

    ends = (await world.get(MENTOR, path)).json()["open_until"]
    assert ends == (CLAIMED_AT + WITHIN + 3 * DAY).isoformat().replace("+00:00", "Z")
