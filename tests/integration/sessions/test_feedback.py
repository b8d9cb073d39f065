"""Private answers over HTTP, against a real database: given once, shown to nobody."""

from __future__ import annotations

import asyncio

import pytest

from shared.events import topics
from tests.integration.sessions.world import DAY, MENTEE, MENTOR, START, STRANGER, World

pytestmark = pytest.mark.stack


@pytest.fixture
async def held(world: World) -> str:
    """The path of the answers after a session that was held."""
    session = await world.schedule(START + DAY)
    world.clock.at = START + 2 * DAY
    for who in (MENTOR, MENTEE):
        await world.ok(who, f"/v1/sessions/{session}/confirm")
    return f"/v1/sessions/{session}/feedback"


async def test_an_answer_goes_to_the_internal_topic_and_names_whom_it_is_about(
    world: World, held: str
) -> None:
    await world.ok(MENTEE, held, {"item": "listened", "answer": False})

    event = (await world.published())[-1]
    assert event.fact.topic is topics.FEEDBACK
    assert event.occurred_at == world.clock.at
    assert event.fact.model_dump(include={"by", "about", "item", "answer"}) == {
        "by": MENTEE,
        "about": MENTOR,
        "item": "listened",
        "answer": False,
    }


async def test_nothing_that_anybody_can_read_changes_with_an_answer(
    world: World, held: str
) -> None:
    async def everything() -> list[str]:
        paths = ["/v1/pairs", f"/v1/pairs/{world.pair}", f"/v1/pairs/{world.pair}/history"]
        return [(await world.get(who, path)).text for who in (MENTOR, MENTEE) for path in paths]

    before = await everything()
    await world.ok(MENTEE, held, {"item": "at_ease", "answer": False})

    assert await everything() == before


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
    await world.ok(MENTOR, held, {"item": "prepared", "answer": True})

    assert sorted(answer.status_code for answer in answers) == [204, 204, 409, 409]
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
