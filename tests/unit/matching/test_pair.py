"""The life of a pair: which moves there are, who may make them, and what is announced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.matching.domain import pair as life
from services.matching.domain.decision import Decision
from services.matching.domain.pair import Actor, MovedOn, Pair, State
from shared.errors import Conflict, Forbidden, NotFound
from shared.events.matching import PairAccepted, PairDeclined, PairEnded, PairExpired, PairStarted
from tests.unit.matching.builders import MENTEE, MENTOR, NOW, PAIR, manager, member

LATER = NOW + timedelta(days=1)
Move = Callable[[Pair, Actor, datetime], Decision[Pair]]


def end(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    return life.end(pair, actor, now, "completed")


MOVES: dict[str, Move] = {
    "accept": life.accept,
    "decline": life.decline,
    "start": life.start,
    "end": end,
}
BOTH_SAID_YES = replace(
    PAIR, state="accepted", mentor_accepted=True, mentee_accepted=True, accepted_at=LATER
)
RUNNING = replace(BOTH_SAID_YES, state="started", started_at=NOW)


def in_state(state: State) -> Pair:
    told = state not in ("proposed", "declined", "withdrawn", "expired")
    return replace(PAIR, state=state, mentor_accepted=told, mentee_accepted=told)


def test_the_first_yes_is_announced_and_the_pair_waits_for_the_second() -> None:
    decision = life.accept(PAIR, member(MENTEE), LATER)
    assert decision.thing == replace(PAIR, mentee_accepted=True)
    (fact,) = decision.facts
    assert isinstance(fact, PairAccepted)
    assert fact.by == MENTEE


def test_the_second_yes_makes_the_pair_accepted() -> None:
    waiting = replace(PAIR, mentor_accepted=True)
    decision = life.accept(waiting, member(MENTEE), LATER)
    assert decision.thing == BOTH_SAID_YES
    assert [type(fact) for fact in decision.facts] == [PairAccepted]


def test_a_pair_starts_once_both_said_yes() -> None:
    decision = life.start(BOTH_SAID_YES, member(MENTOR), NOW)
    assert decision.thing == RUNNING
    (fact,) = decision.facts
    assert isinstance(fact, PairStarted)
    assert (fact.started_at, fact.programme_id) == (NOW, PAIR.programme_id)


def test_a_no_ends_a_proposal_even_after_the_first_yes() -> None:
    waiting = replace(PAIR, mentor_accepted=True)
    decision = life.decline(waiting, member(MENTOR), LATER)
    assert decision.thing.state == "declined"
    assert [type(fact) for fact in decision.facts] == [PairDeclined]


def test_an_end_says_when_and_why() -> None:
    (fact,) = end(RUNNING, member(MENTOR), LATER).facts
    assert isinstance(fact, PairEnded)
    assert (fact.ended_at, fact.reason) == (LATER, "completed")


@pytest.mark.parametrize(
    ("state", "possible"),
    [
        pytest.param("proposed", {"accept", "decline"}, id="a proposal is answered"),
        pytest.param("accepted", {"accept", "decline", "start"}, id="an accepted pair begins"),
        pytest.param("started", {"accept", "start", "end"}, id="a running pair ends"),
        pytest.param("ended", {"end"}, id="an ended pair stays ended"),
        pytest.param("declined", {"decline"}, id="a no stays a no"),
        pytest.param("withdrawn", set(), id="a withdrawn proposal is gone"),
        pytest.param("expired", set(), id="so is one that was not answered in time"),
    ],
)
def test_every_other_move_is_a_conflict(state: State, possible: set[str]) -> None:
    for name, move in MOVES.items():
        if name in possible:
            move(in_state(state), member(MENTOR), LATER)
        else:
            with pytest.raises(Conflict):
                move(in_state(state), member(MENTOR), LATER)


@pytest.mark.parametrize(
    ("move", "done"),
    [
        pytest.param("accept", replace(PAIR, mentor_accepted=True), id="a yes said twice"),
        pytest.param("accept", RUNNING, id="a yes said again after the start"),
        pytest.param("decline", replace(PAIR, state="declined"), id="a no said twice"),
        pytest.param("start", RUNNING, id="started twice"),
        pytest.param("end", replace(RUNNING, state="ended", ended_at=NOW), id="ended twice"),
    ],
)
def test_doing_it_again_changes_nothing_and_says_nothing(move: str, done: Pair) -> None:
    assert MOVES[move](done, member(MENTOR), LATER) == Decision(done)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_stranger_does_not_learn_that_the_pair_exists(move: Move) -> None:
    with pytest.raises(NotFound):
        move(BOTH_SAID_YES, member("a-stranger"), LATER)


@pytest.mark.parametrize("name", ["accept", "decline"])
def test_nobody_answers_for_a_member(name: str) -> None:
    with pytest.raises(Forbidden):
        MOVES[name](PAIR, manager(), LATER)


def test_a_manager_may_start_and_end_a_pair() -> None:
    assert life.start(BOTH_SAID_YES, manager(), NOW).thing == RUNNING
    assert end(RUNNING, manager(), LATER).thing.state == "ended"


@pytest.mark.parametrize(
    ("before", "after", "announced"),
    [
        pytest.param("proposed", "withdrawn", [PairExpired], id="a proposal is withdrawn"),
        pytest.param("accepted", "withdrawn", [PairExpired], id="so is one that did not begin"),
        pytest.param("started", "ended", [PairEnded], id="a running pair ends"),
        pytest.param("ended", "ended", [], id="what has ended stays as it was"),
        pytest.param("declined", "declined", [], id="a no stays a no"),
    ],
)
def test_when_a_member_leaves(before: State, after: State, announced: list[type]) -> None:
    decision = life.close_for_leaver(in_state(before), LATER)
    assert decision.thing.state == after
    assert [type(fact) for fact in decision.facts] == announced
    if before != after:
        assert decision.thing.end_reason == "person_left"


UNTIL = NOW + timedelta(days=7)
ASK = replace(PAIR, asked_by=MENTEE, mentee_accepted=True, answer_until=UNTIL)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_from_its_time_on_a_proposal_is_over_whoever_comes(move: Move) -> None:
    with pytest.raises(MovedOn) as refused:
        move(ASK, member(MENTOR), UNTIL)
    assert refused.value.allowed == ()
    assert life.by_now(ASK, UNTIL).state == "expired"
    assert life.by_now(ASK, UNTIL - MOMENT) == ASK


def test_what_has_expired_is_dated_when_it_did() -> None:
    decision = life.expire(ASK, UNTIL + timedelta(days=90))
    assert (decision.thing.state, decision.thing.ended_at) == ("expired", UNTIL)
    (fact,) = decision.facts
    assert isinstance(fact, PairExpired)
    assert (fact.expired_at, fact.reason) == (UNTIL, "not_answered")
    assert life.expire(decision.thing, UNTIL) == Decision(decision.thing)
    assert life.expire(ASK, UNTIL - MOMENT) == Decision(ASK)


@pytest.mark.parametrize("state", ["accepted", "started", "ended", "declined", "withdrawn"])
def test_only_what_waits_for_an_answer_expires(state: State) -> None:
    pair = replace(in_state(state), answer_until=UNTIL)
    assert life.expire(pair, UNTIL + timedelta(days=90)) == Decision(pair)


def test_an_ask_is_taken_back_by_who_asked_before_it_is_answered() -> None:
    decision = life.take_back(ASK, member(MENTEE), LATER)
    assert (decision.thing.state, decision.thing.end_reason) == ("withdrawn", "withdrawn")
    (fact,) = decision.facts
    assert isinstance(fact, PairExpired)
    assert fact.reason == "withdrawn"
    assert life.take_back(decision.thing, member(MENTEE), LATER) == Decision(decision.thing)
    for nobody in (member(MENTOR), manager()):
        with pytest.raises(Forbidden):
            life.take_back(ASK, nobody, LATER)
    with pytest.raises(Forbidden):
        life.take_back(PAIR, member(MENTEE), LATER)
    answered = life.accept(ASK, member(MENTOR), LATER).thing
    for over, at in ((ASK, UNTIL), (answered, LATER)):
        with pytest.raises(MovedOn):
            life.take_back(over, member(MENTEE), at)


def test_who_asked_does_not_say_no_to_themselves() -> None:
    with pytest.raises(MovedOn) as refused:
        life.decline(ASK, member(MENTEE), LATER)
    assert refused.value.allowed == ("withdraw",)


@pytest.mark.parametrize(
    ("pair", "mentor", "mentee", "overseer"),
    [
        pytest.param(PAIR, {"accept", "decline"}, {"accept", "decline"}, set(), id="proposed"),
        pytest.param(ASK, {"accept", "decline"}, {"withdraw"}, set(), id="an ask"),
        pytest.param(
            replace(PAIR, mentee_accepted=True), {"accept", "decline"}, {"decline"}, set(), id="yes"
        ),
        pytest.param(
            BOTH_SAID_YES,
            {"decline", "start", "rematch"},
            {"decline", "start", "rematch"},
            {"start"},
            id="accepted",
        ),
        pytest.param(RUNNING, {"end", "rematch"}, {"end", "rematch"}, {"end"}, id="started"),
        pytest.param(in_state("declined"), set(), set(), set(), id="declined"),
    ],
)
def test_what_can_be_done_is_what_is_said(
    pair: Pair, mentor: set[str], mentee: set[str], overseer: set[str]
) -> None:
    readers = ((member(MENTOR), mentor), (member(MENTEE), mentee), (manager(), overseer))
    for actor, actions in readers:
        assert set(life.possible(pair, actor, LATER)) == actions


def test_a_leaver_does_not_take_what_was_over_before() -> None:
    decision = life.close_for_leaver(ASK, UNTIL + timedelta(days=1))
    assert (decision.thing.state, decision.thing.ended_at) == ("expired", UNTIL)
