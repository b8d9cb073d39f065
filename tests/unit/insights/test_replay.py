"""A whole log heard fact by fact: what it says of each pair, leaves included, in any order."""

from __future__ import annotations

import random
from datetime import date

import pytest

from services.insights.domain.evidence import About, Kind
from services.insights.domain.replay import Replay, counts, fold_log
from shared.errors import PoisonMessage
from shared.events.envelope import Event, new_event
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted, PersonLeft
from shared.ids import PersonId, new_id
from tests.unit.insights.facts import (
    ACME,
    ANN,
    BEN,
    EVE,
    PAIR,
    START,
    agreed,
    ended,
    event,
    held,
    kept,
    missed,
    started,
)

LEFT, BACK = date(2026, 3, 9), date(2026, 4, 9)


def told(fact: PersonLeaveStarted | PersonLeaveEnded | PersonLeft) -> Event:
    return new_event(fact, event_id=new_id(), tenant=ACME, service="hr", now=START)


def away(who: PersonId = ANN, on: date = LEFT, leave: str = "one") -> Event:
    return told(PersonLeaveStarted(person_id=who, leave_id=leave, started_on=on))


def returned(who: PersonId = ANN, on: date = LEFT, leave: str = "one") -> Event:
    ends = PersonLeaveEnded(person_id=who, leave_id=leave, started_on=on, back_on=BACK)
    return told(ends)


def heard(*events: Event) -> Replay:
    log = Replay()
    for each in events:
        log.hear(each)
    return log


def kinds(log: Replay) -> list[tuple[int, int]]:
    return sorted((item.kind, item.about) for item in log.evidence((ACME, PAIR)))


@pytest.mark.parametrize(
    ("who", "about"),
    [
        pytest.param(ANN, About.MENTOR, id="the mentor's"),
        pytest.param(BEN, About.MENTEE, id="the mentee's"),
    ],
)
def test_a_leave_is_evidence_of_each_pair_of_the_person(who: PersonId, about: About) -> None:
    log = heard(away(who), event(kept(), 1), returned(who))
    assert kinds(log) == [
        (Kind.COMMITMENT_KEPT, About.MENTOR),
        (Kind.LEAVE_STARTED, about),
        (Kind.LEAVE_ENDED, about),
    ]


def test_a_leave_of_somebody_else_is_not() -> None:
    assert kinds(heard(away(EVE), event(kept(), 1))) == [(Kind.COMMITMENT_KEPT, About.MENTOR)]


def test_the_first_telling_of_a_leave_stands() -> None:
    log = heard(event(held(), 1), away(on=LEFT), returned(on=date(2026, 3, 1)))
    (first, *_) = [i for i in log.evidence((ACME, PAIR)) if i.kind == Kind.LEAVE_STARTED]
    (alone, *_) = [i for i in heard(event(held(), 1), away(on=LEFT)).evidence((ACME, PAIR))
                   if i.kind == Kind.LEAVE_STARTED]  # fmt: skip
    assert first == alone


@pytest.mark.parametrize("fact", [started(), ended()], ids=["began", "ended"])
def test_a_pair_that_began_or_ended_is_there_though_nothing_was_observed(fact: object) -> None:
    log = heard(event(fact, 0))  # type: ignore[arg-type]
    assert list(log.pairs()) == [(ACME, PAIR)]
    assert log.evidence((ACME, PAIR)) == []
    assert fold_log([event(fact, 0)]) == {}  # type: ignore[arg-type]


def test_a_fact_that_names_a_stranger_is_refused_and_leaves_nothing() -> None:
    log = Replay()
    with pytest.raises(PoisonMessage):
        log.hear(event(kept(by=EVE), 1))
    assert list(log.pairs()) == []


def test_the_fold_of_a_log_knows_no_order_and_no_repetition() -> None:
    log = [event(agreed(), 1), event(held(), 9), away(), event(missed(), 40), returned()]
    log += [event(kept(), day) for day in range(50, 200, 14)]
    folded = fold_log(log)
    for seed in range(20):
        again = [*log, *random.Random(seed).sample(log, len(log) // 3)]
        random.Random(seed).shuffle(again)
        assert fold_log(again) == folded
        assert counts(again) == counts(log) == {PAIR: len(log)}


def test_time_stands_still_while_somebody_is_away() -> None:
    log = [event(missed(), 1), event(kept(), 60)]
    without, within = fold_log(log)[PAIR], fold_log([*log, away(), returned()])[PAIR]
    assert within.about_mentor.score < without.about_mentor.score
