"""Asking for a new match: either side may, and what comes of it does not say which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.matching.domain.decision import Decision
from services.matching.domain.pair import Actor, Pair, end, rematch
from shared.errors import Conflict, Forbidden, NotFound, Rejected
from shared.events.matching import PairEnded
from shared.ids import PersonId
from tests.unit.matching.builders import MENTEE, MENTOR, NOW, PAIR

ACCEPTED = replace(PAIR, state="accepted", mentor_accepted=True, mentee_accepted=True)
STARTED = replace(ACCEPTED, state="started", started_at=NOW)


@pytest.mark.parametrize("pair", [ACCEPTED, STARTED], ids=["accepted", "started"])
def test_whoever_asks_the_decision_is_the_same(pair: Pair) -> None:
    by_mentor, by_mentee = (rematch(pair, Actor(who, False), NOW) for who in (MENTOR, MENTEE))

    assert by_mentor == by_mentee
    assert (by_mentor.thing.state, by_mentor.thing.end_reason) == ("ended", "rematched")
    (fact,) = by_mentor.facts
    assert isinstance(fact, PairEnded)
    assert fact.reason == "rematched"


def test_asking_again_by_either_changes_nothing() -> None:
    ended = rematch(STARTED, Actor(MENTOR, False), NOW).thing

    for who in (MENTOR, MENTEE):
        assert rematch(ended, Actor(who, False), NOW) == Decision(ended)


@pytest.mark.parametrize("state", ["proposed", "declined", "withdrawn", "expired", "ended"])
def test_only_an_accepted_or_running_pair_is_matched_anew(state: str) -> None:
    pair = replace(PAIR, state=state, end_reason="completed" if state == "ended" else None)  # type: ignore[arg-type]

    with pytest.raises(Conflict):
        rematch(pair, Actor(MENTEE, False), NOW)


def test_it_is_for_the_two_alone() -> None:
    with pytest.raises(Forbidden):
        rematch(STARTED, Actor(PersonId("boss"), True), NOW)
    with pytest.raises(NotFound):
        rematch(STARTED, Actor(PersonId("eve"), False), NOW)


def test_it_cannot_be_had_by_an_end_that_remembers_its_key() -> None:
    with pytest.raises(Rejected) as refused:
        end(STARTED, Actor(MENTOR, False), NOW, "rematched")
    assert refused.value.field == "reason"
