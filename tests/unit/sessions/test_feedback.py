"""Private answers: few, once, and only about a session that was held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.sessions.domain.feedback import (
    AlreadyAnswered,
    Answer,
    EnoughAnswered,
    SessionNotHeld,
    give,
)
from shared.errors import NotFound
from shared.events.sessions import FeedbackGiven, FeedbackItem
from shared.ids import PersonId
from tests.unit.sessions.given import DAY, MENTEE, MENTOR, NOW, PAIR, STRANGER, TENANT, scheduled

HELD = replace(scheduled(), state="held")


def answer(item: FeedbackItem, *, yes: bool = True, by: PersonId = MENTEE) -> Answer:
    return Answer(TENANT, HELD.session_id, by, item, yes, NOW + 2 * DAY)


def test_an_answer_is_about_the_other_side() -> None:
    (happened,) = give(PAIR, HELD, [], answer("honest", yes=False))

    assert isinstance(happened.fact, FeedbackGiven)
    assert (happened.fact.by, happened.fact.about) == (MENTEE, MENTOR)
    assert (happened.fact.answer, happened.at) == (False, NOW + 2 * DAY)


def test_the_same_answer_again_is_nothing_new_and_a_changed_one_is_refused() -> None:
    assert give(PAIR, HELD, [answer("honest")], answer("honest")) == ()
    with pytest.raises(AlreadyAnswered):
        give(PAIR, HELD, [answer("honest")], answer("honest", yes=False))


def test_a_third_item_is_one_too_many() -> None:
    given = [answer("honest"), answer("listened")]

    with pytest.raises(EnoughAnswered):
        give(PAIR, HELD, given, answer("at_ease"))


@pytest.mark.parametrize("state", ["scheduled", "lapsed", "released"])
def test_only_a_session_that_was_held_is_asked_about(state: str) -> None:
    with pytest.raises(SessionNotHeld):
        give(PAIR, replace(HELD, state=state), [], answer("honest"))  # type: ignore[arg-type]


def test_a_stranger_is_not_asked() -> None:
    with pytest.raises(NotFound):
        give(PAIR, HELD, [], answer("honest", by=STRANGER))
