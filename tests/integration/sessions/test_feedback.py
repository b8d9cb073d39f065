"""Private answers over HTTP, against a real database: given once, shown to nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.events import topics
from tests.integration.sessions.world import DAY, MENTEE, MENTOR, START, STRANGER, World

pytestmark = pytest.mark.stack


async def held_session(world: World) -> str:
    session = await world.schedule(START + DAY)
    world.clock.at = START + 2 * DAY
    for who in (MENTOR, MENTEE):
        await world.ok(who, f"/v1/sessions/{session}/confirm")
    return session


@pytest.fixture
async def held(world: World) -> str:
    """The path of the answers after a session that was held."""
    return f"/v1/sessions/{await held_session(world)}/feedback"


async def test_an_answer_goes_to_the_internal_topic_and_names_whom_it_is_about(
    world: World, held: str
) -> None:
    await world.ok(MENTEE, held, {"item": "honest", "answer": False})

    event = (await world.published())[-1]
    assert event.fact.topic is topics.FEEDBACK
    assert event.occurred_at == world.clock.at
    assert event.fact.model_dump(include={"by", "about", "item", "answer"}) == {
        "by": MENTEE,
        "about": MENTOR,
        "item": "honest",
        "answer": False,
    }


async def gets(world: World, who: str, session: str) -> dict[str, tuple[int, bytes, list[Any]]]:
    """Every route that only reads, as `who` sees it: status, body and headers."""
    document = (await world.http.get("/openapi.json")).json()
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    found = {}
    for path in paths:
        url = path.replace("{pair}", str(world.pair)).replace("{session}", session)
        answer = await world.get(who, url)
        found[path] = (answer.status_code, answer.content, sorted(answer.headers.items()))
    return found


@pytest.mark.parametrize("gives", [(False,), (False, False)], ids=["one answer", "two answers"])
async def test_whatever_was_answered_in_private_the_partner_reads_the_same_bytes(
    world: World, gives: tuple[bool, ...]
) -> None:
    session = await held_session(world)
    path = f"/v1/sessions/{session}/feedback"
    before = await gets(world, MENTOR, session)

    for yes in gives:
        item = (await world.get(MENTEE, f"/v1/sessions/{session}/question")).json()["item"]
        await world.ok(MENTEE, path, {"item": item, "answer": yes})

    assert await gets(world, MENTOR, session) == before
    assert {"/v1/sessions/{session}/feedback", "/v1/sessions/{session}", "/v1/pairs/{pair}"} <= set(
        before
    )


async def test_both_see_both_answers_once_both_have_answered(world: World, held: str) -> None:
    await world.ok(MENTEE, held, {"item": "honest", "answer": False})
    blind = (await world.get(MENTOR, held)).json()

    await world.ok(MENTOR, held, {"item": "listened", "answer": True})

    honest = {"item": "honest", "answer": False, "shared": False}
    listened = {"item": "listened", "answer": True, "shared": False}
    assert blind == {"yours": [], "theirs": []}
    assert (await world.get(MENTOR, held)).json() == {"yours": [listened], "theirs": [honest]}
    assert (await world.get(MENTEE, held)).json() == {"yours": [honest], "theirs": [listened]}
    late = await world.post(MENTEE, held, {"item": "at_ease", "answer": False})
    assert (late.status_code, late.json()["allowed"]) == (409, [])


async def test_a_shared_answer_is_seen_at_once_and_says_so_to_insights(
    world: World, held: str
) -> None:
    await world.ok(MENTEE, held, {"item": "honest", "answer": True, "share": True})

    assert (await world.get(MENTOR, held)).json()["theirs"] == [
        {"item": "honest", "answer": True, "shared": True}
    ]
    assert (await world.published())[-1].fact.model_dump()["shared"] is True


async def test_what_is_not_asked_now_is_refused_and_what_is_asked_is_named(
    world: World, held: str
) -> None:
    refused = await world.post(MENTEE, held, {"item": "at_ease", "answer": True})

    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["honest"]
    assert refused.json()["errors"][0]["field"] == "item"


async def test_an_answer_given_again_is_published_once(world: World, held: str) -> None:
    body = {"item": "honest", "answer": True}

    answers = await asyncio.gather(*(world.post(MENTEE, held, body) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {204}
    assert (await world.types()).count("feedback.given") == 1


async def test_of_two_different_answers_at_once_one_counts(world: World, held: str) -> None:
    answers = await asyncio.gather(
        *(world.post(MENTEE, held, {"item": "honest", "answer": yes}) for yes in (True, False))
    )

    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert (await world.types()).count("feedback.given") == 1


async def test_a_session_asks_each_side_for_at_most_two_answers(world: World, held: str) -> None:
    items = ("listened", "honest", "prepared", "at_ease")

    answers = await asyncio.gather(
        *(world.post(MENTEE, held, {"item": item, "answer": True}) for item in items)
    )
    await world.ok(MENTEE, held, {"item": "at_ease", "answer": True})
    await world.ok(MENTOR, held, {"item": "listened", "answer": True})

    assert sorted(answer.status_code for answer in answers)[-2:] == [409, 409]
    assert (await world.types()).count("feedback.given") == 3


async def test_there_is_no_feedback_before_the_session_was_held(world: World) -> None:
    session = await world.schedule(START + DAY)

    refused = await world.post(
        MENTEE, f"/v1/sessions/{session}/feedback", {"item": "listened", "answer": True}
    )

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("session-not-held")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"item": "liked", "answer": True}, id="an item nobody asks for"),
        pytest.param({"item": "honest", "answer": "yes"}, id="an answer that is no yes or no"),
        pytest.param({"item": "honest", "answer": True, "why": "..."}, id="prose"),
    ],
)
async def test_feedback_is_binary_and_nothing_else(
    world: World, held: str, body: dict[str, object]
) -> None:
    assert (await world.post(MENTEE, held, body)).status_code == 422


async def test_a_stranger_cannot_tell_a_session_from_none(world: World, held: str) -> None:
    body = {"item": "honest", "answer": True}
    nowhere = f"/v1/sessions/{world.pair}/feedback"

    real, none = await world.post(STRANGER, held, body), await world.post(STRANGER, nowhere, body)

    assert (real.status_code, real.text) == (404, none.text)
