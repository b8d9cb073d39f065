"""Private answers: one question at a time, few, once, and only about a session that was held."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from services.sessions.domain.feedback import (
    ITEMS,
    OPEN_FOR,
    AlreadyAnswered,
    Answer,
    Asked,
    NotAsked,
    QuestionsClosed,
    SessionNotHeld,
    give,
    question,
    theirs,
)
from shared.errors import NotFound
from shared.events.sessions import FeedbackGiven, FeedbackItem
from shared.ids import PersonId
from tests.unit.sessions.given import (
    DAY,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    TENANT,
    scheduled,
)

HELD = replace(scheduled(), state="held")
FIRST = Asked(HELD, 0, ())
LATER = NOW + 2 * DAY


def answer(
    item: FeedbackItem, *, yes: bool = True, by: PersonId = MENTEE, shared: bool = False
) -> Answer:
    return Answer(TENANT, HELD.session_id, by, item, yes, LATER, shared)


def after(*answers: Answer) -> Asked:
    return Asked(HELD, 0, answers)


def test_an_answer_is_about_the_other_side() -> None:
    (happened,) = give(PAIR, FIRST, answer("honest", yes=False, shared=True))

    assert isinstance(happened.fact, FeedbackGiven)
    assert (happened.fact.by, happened.fact.about) == (MENTEE, MENTOR)
    assert (happened.fact.answer, happened.fact.shared, happened.at) == (False, True, LATER)


def test_over_four_sessions_each_side_is_asked_each_item_first_once_and_second_once() -> None:
    for person in (MENTOR, MENTEE):
        first, second = Counter[str](), Counter[str]()
        for held in range(4):
            item = question(PAIR, Asked(HELD, held, ()), person, LATER)
            assert item is not None
            first[item] += 1
            another = question(PAIR, Asked(HELD, held, (answer(item, by=person),)), person, LATER)
            assert another is not None
            second[another] += 1
        assert first == second == Counter(ITEMS)


def test_there_is_one_question_at_a_time() -> None:
    assert question(PAIR, FIRST, MENTEE, LATER) == "honest"

    with pytest.raises(NotAsked) as refused:
        give(PAIR, FIRST, answer("at_ease"))
    assert (refused.value.field, refused.value.allowed) == ("item", ("honest",))
    assert question(PAIR, after(answer("honest")), MENTEE, LATER) == "at_ease"


def test_the_same_answer_again_is_nothing_new_and_a_changed_one_is_refused() -> None:
    assert give(PAIR, after(answer("honest")), answer("honest")) == ()
    with pytest.raises(AlreadyAnswered):
        give(PAIR, after(answer("honest")), answer("honest", yes=False))


def test_what_was_private_is_not_shared_by_saying_it_again() -> None:
    with pytest.raises(AlreadyAnswered):
        give(PAIR, after(answer("honest")), answer("honest", shared=True))


@pytest.mark.parametrize("held", range(1, 8))
def test_nothing_is_asked_twice_however_many_earlier_sessions_turn_out_to_be_held(
    held: int,
) -> None:
    asked = replace(after(answer("honest")), held_before=held)

    assert question(PAIR, asked, MENTEE, LATER) not in (None, "honest")


def test_two_questions_are_enough() -> None:
    asked = after(answer("honest"), answer("at_ease"))

    assert question(PAIR, asked, MENTEE, LATER) is None
    with pytest.raises(QuestionsClosed):
        give(PAIR, asked, answer("listened"))


def test_who_has_not_answered_is_still_asked_once_after_the_other_has() -> None:
    asked = after(answer("honest"))

    assert question(PAIR, asked, MENTOR, LATER) == "listened"
    both = after(answer("honest"), answer("listened", by=MENTOR))
    assert question(PAIR, both, MENTOR, LATER) is None
    assert question(PAIR, both, MENTEE, LATER) is None


def test_questions_close_after_a_fortnight() -> None:
    end = HELD.slot.ends_at + OPEN_FOR

    assert question(PAIR, FIRST, MENTEE, end - INSTANT) == "honest"
    assert question(PAIR, FIRST, MENTEE, end) is None


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        pytest.param([], [], id="nothing of nothing"),
        pytest.param([answer("honest", yes=False)], [], id="a private answer is not seen"),
        pytest.param([answer("honest", shared=True)], ["honest"], id="a shared one is"),
        pytest.param(
            [answer("honest", yes=False), answer("at_ease", shared=True)],
            ["at_ease"],
            id="of two the one that is shared",
        ),
        pytest.param(
            [answer("honest"), answer("at_ease"), answer("listened", by=MENTOR)],
            ["honest", "at_ease"],
            id="all of it once both have answered",
        ),
    ],
)
def test_what_the_other_side_sees(answers: list[Answer], seen: list[str]) -> None:
    assert [each.item for each in theirs(PAIR, after(*answers), MENTOR)] == seen


@pytest.mark.parametrize("state", ["scheduled", "lapsed", "released", "missed", "cancelled"])
def test_only_a_session_that_was_held_is_asked_about(state: str) -> None:
    session = replace(HELD, state=state)  # type: ignore[arg-type]

    assert question(PAIR, Asked(session, 0, ()), MENTEE, LATER) is None
    with pytest.raises(SessionNotHeld):
        give(PAIR, Asked(session, 0, ()), answer("honest"))


def test_a_stranger_is_not_asked() -> None:
    with pytest.raises(NotFound):
        give(PAIR, FIRST, answer("honest", by=STRANGER))
