"""A goal's states: who may say what, what is published of it, and what time makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from services.sessions.domain import goal as rules_of
from services.sessions.domain.goal import (
    ANSWER_WITHIN,
    CORRECT_WITHIN,
    MAX_OPEN_GOALS,
    Goal,
    GoalNotNow,
    State,
    TooManyGoals,
    Wording,
)
from services.sessions.domain.goal_progress import MAX_STEPS, Step, TooManySteps, progress
from services.sessions.domain.member import Member
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.presence import NEVER
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.sessions import GoalProgressed, GoalSet
from shared.ids import GoalId, PersonId, derived_id
from tests.unit.sessions.given import (
    DAY,
    ENDED,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    told,
)

ID = GoalId(derived_id("goal"))
WORDING = Wording("Give a talk about herons", "forty people in the room", date(2026, 6, 1))
LAPSES = NOW + ANSWER_WITHIN
VERBS: dict[str, Callable[..., Decision[Goal]]] = {
    "agree": lambda pair, goal, by, now: rules_of.agree(pair, goal, by, now, goal.revision),
    "decline": rules_of.decline,
    "withdraw": rules_of.withdraw,
    "drop": rules_of.drop,
}


def proposed(wording: Wording = WORDING) -> Goal:
    """The mentee's, before the mentor."""
    return rules_of.propose(PAIR, ID, MENTEE, wording, NOW)[0]


def agreed(wording: Wording = WORDING) -> Goal:
    return rules_of.agree(PAIR, proposed(wording), MENTOR, NOW, 1)[0]


def at(far: float, note: str | None = None) -> Step:
    return Step(MENTEE, far, note)


def reached() -> Goal:
    return progress(PAIR, agreed(), at(1), NOW, 0)[0]


def test_a_proposal_waits_for_the_other_side_and_is_no_fact() -> None:
    goal, happened = rules_of.propose(PAIR, ID, MENTEE, WORDING, NOW)

    assert (goal.state, goal.sweep_at, happened) == ("proposed", LAPSES, ())
    assert goal.reply == Reply(MENTOR, "pair", LAPSES)


@pytest.mark.parametrize("measure", ["forty people", None])
def test_the_fact_says_whether_they_will_know_and_none_of_the_words(measure: str | None) -> None:
    goal, happened = rules_of.agree(
        PAIR, proposed(replace(WORDING, measure=measure)), MENTOR, NOW + DAY, 1
    )

    assert (goal.state, goal.reply, goal.sweep_at) == ("open", None, NEVER)
    assert told(happened) == [("goal.set", NOW + DAY)]
    assert isinstance(happened[0].fact, GoalSet)
    assert happened[0].fact.measurable is (measure is not None)
    said = happened[0].fact.model_dump_json()
    assert not any(word in said for word in ("herons", "forty", "2026-06"))


def test_only_the_other_side_answers_and_only_who_proposed_takes_it_back() -> None:
    for verb, person in (("agree", MENTEE), ("decline", MENTEE), ("withdraw", MENTOR)):
        with pytest.raises(Forbidden):
            VERBS[verb](PAIR, proposed(), person, NOW)
    for rule in VERBS.values():
        with pytest.raises(NotFound):
            rule(PAIR, agreed(), STRANGER, NOW)


@pytest.mark.parametrize(
    ("verb", "person", "state"),
    [
        ("agree", MENTOR, "open"),
        ("decline", MENTOR, "declined"),
        ("withdraw", MENTEE, "withdrawn"),
    ],
)
def test_to_say_it_again_is_no_change_and_no_error(
    verb: str, person: PersonId, state: State
) -> None:
    goal, _ = VERBS[verb](PAIR, proposed(), person, NOW)

    assert goal.state == state
    assert VERBS[verb](PAIR, goal, person, NOW + DAY) == (goal, ())


@pytest.mark.parametrize("state", ["declined", "withdrawn", "lapsed", "dropped", "released"])
def test_what_is_over_is_over_for_both(state: State) -> None:
    goal = replace(agreed(), state=state)

    for person in (MENTOR, MENTEE):
        assert rules_of.allowed(goal, person, NOW) == ()
    with pytest.raises(GoalNotNow) as refused:
        progress(PAIR, goal, at(0.5), NOW, 0)
    assert refused.value.allowed == ()
    assert state in str(refused.value)
    with pytest.raises(GoalNotNow):
        rules_of.edit(PAIR, goal, MENTEE, NOW, {"words": "x"})


def test_clients_are_told_what_they_may_do() -> None:
    assert rules_of.allowed(proposed(), MENTEE, NOW) == ("withdraw", "edit")
    assert rules_of.allowed(proposed(), MENTOR, NOW) == ("agree", "decline", "edit")
    for person in (MENTOR, MENTEE):
        assert rules_of.allowed(agreed(), person, NOW) == ("edit", "progress", "drop")
        assert rules_of.allowed(reached(), person, NOW) == ("progress",)


def test_what_nobody_answers_lapses_at_its_time_and_that_is_no_fact() -> None:
    assert rules_of.standing(proposed(), LAPSES - INSTANT).state == "proposed"
    assert rules_of.standing(proposed(), LAPSES).state == "lapsed"
    with pytest.raises(GoalNotNow):
        rules_of.agree(PAIR, proposed(), MENTOR, LAPSES, 1)
    goal, happened = rules_of.close(PAIR, proposed())
    assert (goal.state, goal.reply, goal.sweep_at, happened) == ("lapsed", None, NEVER, ())
    assert rules_of.standing(agreed(), LAPSES + DAY) == agreed()


def test_who_rewords_what_waits_for_them_asks_the_other_side() -> None:
    goal, happened = rules_of.edit(PAIR, proposed(), MENTOR, NOW + DAY, {"measure": "ten people"})

    assert happened == ()
    assert (goal.proposed_by, goal.answered_by) == (MENTOR, MENTEE)
    assert goal.reply == Reply(MENTEE, "pair", NOW + DAY + ANSWER_WITHIN)
    assert (goal.words_by, goal.measure_by) == (MENTEE, MENTOR)
    with pytest.raises(Forbidden):
        rules_of.agree(PAIR, goal, MENTOR, NOW + DAY, goal.revision)
    assert rules_of.agree(PAIR, goal, MENTEE, NOW + DAY, goal.revision)[0].state == "open"


def test_who_rewords_their_own_gives_nobody_more_time() -> None:
    goal, _ = rules_of.edit(PAIR, proposed(), MENTEE, NOW + DAY, {"words": "Two talks"})

    assert goal == replace(proposed(), wording=replace(WORDING, words="Two talks"))


def test_what_is_agreed_stays_so_in_other_words_and_each_keeps_what_they_wrote() -> None:
    goal, happened = rules_of.edit(PAIR, agreed(), MENTOR, NOW, {"words": "Two", "due_on": None})

    assert (goal.state, goal.wording, happened) == (
        "open",
        Wording("Two", "forty people in the room"),
        (),
    )
    assert (goal.words_by, goal.measure_by) == (MENTOR, MENTEE)
    without, _ = rules_of.edit(PAIR, goal, MENTOR, NOW, {"measure": None})
    assert (without.wording.measure, without.measure_by) == (None, None)
    same = rules_of.edit(PAIR, goal, MENTEE, NOW, {"words": "Two"})
    assert same == (goal, ())


@pytest.mark.parametrize(
    ("due_on", "allowed"),
    [
        pytest.param(date(2026, 3, 1), False, id="yesterday"),
        pytest.param(date(2026, 3, 2), True, id="today"),
        pytest.param(date(2027, 3, 3), True, id="as far ahead as one plans"),
        pytest.param(date(2027, 3, 4), False, id="too far ahead"),
        pytest.param(date.max, False, id="the last day there is"),
    ],
)
def test_a_goal_is_for_a_day_to_come(due_on: date, allowed: bool) -> None:
    wording = replace(WORDING, due_on=due_on)

    if allowed:
        assert proposed(wording).wording.due_on == due_on
    else:
        for refused in (
            lambda: proposed(wording),
            lambda: rules_of.edit(PAIR, agreed(), MENTOR, NOW, {"due_on": due_on}),
        ):
            with pytest.raises(Rejected) as error:
                refused()
            assert error.value.field == "due_on"


def test_today_is_where_the_one_who_asks_is() -> None:
    tokyo = replace(PAIR, mentee=Member(MENTEE, "Asia/Tokyo"))
    evening = NOW + 8 * HOUR  # 02:00 of the 3rd in Tokyo
    wording = replace(WORDING, due_on=date(2026, 3, 2))

    with pytest.raises(Rejected):
        rules_of.propose(tokyo, ID, MENTEE, wording, evening)
    assert rules_of.propose(tokyo, ID, MENTOR, wording, evening)[0].wording.due_on


def test_a_day_that_has_passed_is_no_reason_to_refuse_other_words() -> None:
    late = NOW + 200 * DAY

    assert rules_of.edit(PAIR, agreed(), MENTOR, late, {"words": "x"})[0].wording.words == "x"


def test_both_say_how_far_it_is_and_the_number_is_a_fact() -> None:
    goal, happened = progress(PAIR, agreed(), Step(MENTOR, 0.4, "nearly"), NOW + DAY, 0)

    assert (goal.state, goal.progress, goal.moved_at) == ("open", 0.4, NOW + DAY)
    assert told(happened) == [("goal.progressed", NOW + DAY)]
    assert isinstance(happened[0].fact, GoalProgressed)
    assert happened[0].fact.progress == 0.4
    assert "nearly" not in happened[0].fact.model_dump_json()


def test_at_one_it_is_reached_and_for_two_weeks_that_can_be_put_right() -> None:
    last = NOW + CORRECT_WITHIN - INSTANT

    assert (reached().state, reached().reached_at) == ("reached", NOW)
    back, happened = progress(PAIR, reached(), at(0.8), last, 1)
    assert (back.state, back.reached_at, told(happened)) == (
        "open",
        None,
        [("goal.progressed", last)],
    )
    with pytest.raises(GoalNotNow) as refused:
        progress(PAIR, reached(), at(0.8), NOW + CORRECT_WITHIN, 1)
    assert refused.value.allowed == ()


def test_a_note_on_what_was_reached_gives_no_more_time_to_put_it_right() -> None:
    noted, happened = progress(PAIR, reached(), at(1, "we did it"), NOW + DAY, 1)

    assert (noted.state, noted.reached_at, happened) == ("reached", NOW, ())


def test_to_say_what_is_so_publishes_nothing_and_moves_only_with_a_note() -> None:
    goal, _ = progress(PAIR, agreed(), at(0.5), NOW, 0)

    assert progress(PAIR, goal, at(0.5), NOW + DAY, 1) == (goal, ())
    noted, happened = progress(PAIR, goal, at(0.5, "stuck"), NOW + DAY, 1)
    assert (noted.moved_at, happened) == (NOW + DAY, ())
    with pytest.raises(NotFound):
        progress(PAIR, goal, Step(STRANGER, 0.5), NOW, 1)


def test_nobody_says_how_far_a_goal_is_that_is_not_agreed_on() -> None:
    for far in (0.0, 0.5):
        with pytest.raises(GoalNotNow) as refused:
            progress(PAIR, proposed(), at(far), NOW, 0)
        assert refused.value.allowed == ("withdraw", "edit")


def test_there_is_an_end_to_goals_and_to_what_is_said_of_one() -> None:
    rules_of.require_room(MAX_OPEN_GOALS - 1)
    with pytest.raises(TooManyGoals):
        rules_of.require_room(MAX_OPEN_GOALS)
    progress(PAIR, agreed(), at(0.5), NOW, MAX_STEPS - 1)
    with pytest.raises(TooManySteps):
        progress(PAIR, agreed(), at(0.5), NOW, MAX_STEPS)


def test_either_side_lets_go_of_a_goal_and_that_is_no_fact() -> None:
    for person in (MENTOR, MENTEE):
        goal, happened = rules_of.drop(PAIR, agreed(), person, NOW)
        assert (goal.state, happened) == ("dropped", ())
        assert rules_of.drop(PAIR, goal, MENTOR, NOW) == (goal, ())
    with pytest.raises(GoalNotNow) as refused:
        rules_of.drop(PAIR, proposed(), MENTOR, NOW)
    assert refused.value.allowed == ("agree", "decline", "edit")


def test_the_end_of_the_pair_lets_go_of_what_was_not_reached() -> None:
    assert rules_of.ended(ENDED, agreed())[0].state == "released"
    asked, happened = rules_of.ended(ENDED, proposed())
    assert (asked.state, asked.reply, happened) == ("released", None, ())
    assert rules_of.ended(ENDED, reached()) == (reached(), ())
    late = replace(PAIR, ended_at=LAPSES)
    assert rules_of.ended(late, proposed())[0].state == "lapsed"
    assert rules_of.ended(PAIR, agreed()) == (agreed(), ())


def test_nothing_new_is_wanted_in_a_pair_that_has_ended() -> None:
    with pytest.raises(PairEnded):
        rules_of.propose(ENDED, ID, MENTEE, WORDING, NOW)
    with pytest.raises(PairEnded):
        rules_of.agree(ENDED, proposed(), MENTOR, NOW, 1)
    with pytest.raises(PairEnded):
        rules_of.edit(ENDED, agreed(), MENTOR, NOW, {"words": "x"})
    with pytest.raises(PairEnded):
        progress(ENDED, agreed(), at(0.5), NOW, 0)
    with pytest.raises(NotFound):
        rules_of.propose(PAIR, ID, STRANGER, WORDING, NOW)
