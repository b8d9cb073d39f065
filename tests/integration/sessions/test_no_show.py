"""No-shows and disputes over HTTP: what is said, who is waited for, what becomes public when."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.events.sessions import ReplyRequested, SessionHeld, SessionMissed
from tests.integration.sessions.meeting import seen
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, World

pytestmark = pytest.mark.stack

AT = START + DAY
CLAIMED_AT = AT + HOUR / 2
JUDGE = "hanna"


async def claimed(world: World) -> str:
    """A session of which the mentor says that the mentee was not there."""
    session = await world.schedule(AT)
    world.clock.at = CLAIMED_AT
    await world.ok(MENTOR, f"/v1/sessions/{session}/no-show", {"who": "other"})
    return session


async def disputed(world: World) -> str:
    session = await claimed(world)
    world.clock.at = AT + HOUR
    await world.ok(MENTEE, f"/v1/sessions/{session}/dispute")
    return session


async def test_a_claim_is_between_the_two_until_it_is_settled(world: World) -> None:
    session = await claimed(world)

    assert await world.types() == ["session.scheduled", "reply.requested"]
    asked = (await world.published())[-1].fact
    assert isinstance(asked, ReplyRequested)
    assert (asked.of, asked.about) == (MENTEE, "session")
    assert asked.until == CLAIMED_AT + timedelta(hours=72)
    assert (await seen(world, session, MENTEE))["allowed"] == ["no-show", "dispute"]
    assert (await seen(world, session, MENTOR))["allowed"] == ["withdraw"]
    waiting = (await world.view(MENTEE))["waiting_for_you"]
    assert [(each["what"], each["id"]) for each in waiting] == [("session", session)]


async def test_an_admitted_claim_is_a_miss_as_of_the_start(world: World) -> None:
    session = await claimed(world)
    world.clock.at = AT + DAY

    missed = await world.ok(MENTEE, f"/v1/sessions/{session}/no-show", {"who": "me"})

    assert (missed["state"], missed["missed_by"]) == ("missed", [MENTEE])
    events = (await world.published())[2:]
    assert [(event.fact.type, event.occurred_at) for event in events] == [
        ("session.missed", AT),
        ("reply.settled", AT + DAY),
    ]
    assert missed["allowed"] == ["repair"]


async def test_a_claim_nobody_answers_stands_however_late_the_sweeper_comes(world: World) -> None:
    session = await claimed(world)
    world.clock.at = CLAIMED_AT + timedelta(hours=72) - timedelta(microseconds=1)
    assert await world.sweep() == 0
    world.clock.at = CLAIMED_AT + 30 * DAY

    late = await world.post(MENTEE, f"/v1/sessions/{session}/dispute")
    assert (await seen(world, session))["state"] == "missed"
    assert await world.sweep() == 1
    swept = await world.post(MENTEE, f"/v1/sessions/{session}/dispute")

    assert (late.status_code, late.json()) == (swept.status_code, swept.json())
    assert late.json()["allowed"] == ["repair"]
    events = (await world.published())[2:]
    assert [(event.fact.type, event.occurred_at) for event in events] == [
        ("session.missed", AT),
        ("reply.settled", CLAIMED_AT + timedelta(hours=72)),
    ]
    assert isinstance(events[0].fact, SessionMissed)
    assert events[0].fact.missed_by == (MENTEE,)


async def test_who_was_not_there_says_so_and_both_can(world: World) -> None:
    session = await world.schedule(AT)
    world.clock.at = AT + HOUR
    path = f"/v1/sessions/{session}/no-show"

    await world.ok(MENTEE, path, {"who": "me"})
    await world.ok(MENTEE, path, {"who": "me"})
    await world.ok(MENTOR, path, {"who": "me"})
    await world.sweep()

    facts = [event.fact for event in await world.published()]
    assert [fact.type for fact in facts] == ["session.scheduled", *["session.missed"] * 2]
    absent = [fact.missed_by for fact in facts if isinstance(fact, SessionMissed)]
    assert absent == [(MENTEE,), (MENTOR,)]
    assert (await seen(world, session))["missed_by"] == [MENTEE, MENTOR]


async def test_a_dispute_is_settled_by_a_manager_of_neither_side(world: World) -> None:
    session = await disputed(world)
    assert "session.missed" not in await world.types()
    waiting = (await world.get(JUDGE, "/v1/disputes", role="manager")).json()["disputes"]
    path, body = f"/v1/sessions/{session}/resolve", {"outcome": "held"}

    a_side = await world.post(MENTOR, path, body, role="manager")
    a_member = await world.post(JUDGE, path, body)
    elsewhere = await world.post(JUDGE, path, body, role="manager", tenant="globex")
    judged = await world.post(JUDGE, path, body, role="manager")
    again = await world.post(JUDGE, path, body, role="manager")

    assert waiting == [
        {
            "kind": "session",
            "id": session,
            "pair_id": str(world.pair),
            "since": "2026-03-03T10:00:00Z",
        }
    ]
    assert (a_side.status_code, a_member.status_code, elsewhere.status_code) == (403, 403, 404)
    assert (judged.status_code, judged.json()["state"]) == (200, "held")
    assert (again.status_code, again.json()["type"][-14:]) == (409, "session-closed")
    fact = (await world.published())[-1].fact
    assert isinstance(fact, SessionHeld)
    assert fact.confirmed_by == (MENTEE,)
    assert (await world.get(JUDGE, "/v1/disputes", role="manager")).json()["disputes"] == []


async def test_disputes_are_for_managers_and_never_ones_own(world: World) -> None:
    await disputed(world)

    assert (await world.get(MENTOR, "/v1/disputes")).status_code == 403
    own = await world.get(MENTOR, "/v1/disputes", role="manager")
    other = await world.get(JUDGE, "/v1/disputes", role="manager", tenant="globex")
    assert own.json() == other.json() == {"disputes": []}


async def test_promises_that_are_disputed_wait_there_too(world: World) -> None:
    session = await disputed(world)
    promise = await world.promise(world.clock.at + DAY)
    for who, word in ((MENTOR, "accept"), (MENTEE, "claim-done"), (MENTOR, "dispute")):
        await world.ok(who, f"/v1/commitments/{promise}/{word}")

    waiting = (await world.get(JUDGE, "/v1/disputes?limit=5", role="manager")).json()["disputes"]
    own = (await world.get(MENTEE, "/v1/disputes", role="manager")).json()["disputes"]

    assert {(each["kind"], each["id"]) for each in waiting} == {
        ("session", session),
        ("commitment", promise),
    }
    assert own == []


async def test_a_judge_can_say_who_it_was(world: World) -> None:
    session = await disputed(world)
    path = f"/v1/sessions/{session}/resolve"

    stranger = await world.post(
        JUDGE, path, {"outcome": "missed", "missed_by": ["eve"]}, role="manager"
    )
    judged = await world.post(
        JUDGE, path, {"outcome": "missed", "missed_by": [MENTOR]}, role="manager"
    )

    assert stranger.json()["errors"][0]["field"] == "missed_by"
    assert judged.json()["missed_by"] == [MENTOR]


async def test_a_dispute_nobody_settles_is_no_evidence_after_a_fortnight(world: World) -> None:
    session = await disputed(world)
    world.clock.at = AT + HOUR + 14 * DAY - timedelta(microseconds=1)
    assert await world.sweep() == 0
    world.clock.at = AT + HOUR + 14 * DAY

    assert await world.sweep() == 1

    assert (await seen(world, session))["state"] == "lapsed"
    assert await world.types() == ["session.scheduled", "reply.requested", "reply.settled"]


async def test_a_claim_taken_back_lets_the_session_be_held(world: World) -> None:
    session = await claimed(world)

    back = await world.ok(MENTOR, f"/v1/sessions/{session}/withdraw")
    await world.ok(MENTOR, f"/v1/sessions/{session}/confirm")
    held = await world.ok(MENTEE, f"/v1/sessions/{session}/confirm")

    assert (back["state"], back["claimed_by"], held["state"]) == ("scheduled", None, "held")
    assert (await world.types())[1:] == ["reply.requested", "reply.settled", "session.held"]


async def test_of_words_that_contradict_each_other_at_once_one_settles_it(world: World) -> None:
    for n in range(8):
        session = await world.schedule(world.clock.at + DAY)
        world.clock.at += DAY + HOUR
        path = f"/v1/sessions/{session}"
        await world.ok(MENTEE, f"{path}/confirm")
        before = len(await world.types())

        answers = await asyncio.gather(
            world.post(MENTOR, f"{path}/confirm"),
            world.post(MENTOR, f"{path}/no-show", {"who": "me"}),
            world.post(MENTOR, f"{path}/no-show", {"who": "other"}),
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409, 409], n
        outcomes = (await world.types())[before:]
        assert outcomes in (["session.held"], ["session.missed"], [])


async def test_what_may_not_be_done_is_refused_with_what_may(world: World) -> None:
    session = await world.schedule(AT)
    path = f"/v1/sessions/{session}"
    early = await world.post(MENTOR, f"{path}/no-show", {"who": "other"})
    world.clock.at = AT + HOUR
    started = await world.post(MENTOR, f"{path}/cancel")
    for who in (MENTOR, MENTEE):
        await world.ok(who, f"{path}/confirm")
    held = await world.post(MENTOR, f"{path}/no-show", {"who": "me"})

    problems = [answer.json() for answer in (early, started, held)]
    assert [(each["type"].rpartition(":")[2], each["allowed"]) for each in problems] == [
        ("session-not-started", ["reschedule", "cancel"]),
        ("session-started", ["confirm", "no-show"]),
        ("session-closed", ["feedback"]),
    ]
    assert problems[2]["detail"] == "it is held; you can give feedback"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("no-show", {"who": "them"}, "body.who"),
        ("no-show", {}, "body.who"),
        ("resolve", {"outcome": "guilty"}, "body.outcome"),
        ("reschedule", {"starts_at": "tomorrow"}, "body.starts_at"),
    ],
)
async def test_a_word_that_is_none_is_named(
    world: World, path: str, body: dict[str, object], field: str
) -> None:
    session = await world.schedule(AT)

    role = "manager" if path == "resolve" else "participant"
    refused = await world.post(MENTOR, f"/v1/sessions/{session}/{path}", body, role=role)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field
