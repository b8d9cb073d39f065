"""Facts to evidence: every fact insights reads is known, and says what it says about whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.insights.domain.evidence import (
    _READ,
    About,
    Evidence,
    Kind,
    from_us,
    observe,
    to_us,
)
from services.insights.domain.model import V1
from shared.errors import PoisonMessage
from shared.events.fact import Fact, PairFact
from shared.events.registry import FACTS
from shared.events.sessions import (
    CommitmentMade,
    CommitmentMissedTold,
    CommitmentMissedWarned,
    CommitmentWarned,
    SessionScheduled,
)
from shared.events.topics import INSIGHTS
from shared.ids import SessionId, new_id
from tests.unit.insights.facts import (
    ANN,
    BEN,
    EVE,
    START,
    agreed,
    answered,
    ended,
    event,
    held,
    kept,
    missed,
    promise,
    started,
    who,
)


@pytest.mark.parametrize(
    ("fact", "kind", "about", "detail"),
    [
        pytest.param(agreed(cadence_days=21), Kind.AGREEMENT_SIGNED, About.BOTH, 21, id="signed"),
        pytest.param(held(), Kind.SESSION_HELD_SAID_BOTH, About.BOTH, 0, id="held, both say so"),
        pytest.param(
            held(by=(BEN,)), Kind.SESSION_HELD_SAID_ONE, About.BOTH, 0, id="held, one says so"
        ),
        pytest.param(
            held(by=(BEN, BEN)), Kind.SESSION_HELD_SAID_ONE, About.BOTH, 0, id="one said it twice"
        ),
        pytest.param(kept(by=ANN), Kind.COMMITMENT_KEPT, About.MENTOR, 0, id="the mentor kept"),
        pytest.param(kept(by=BEN), Kind.COMMITMENT_KEPT, About.MENTEE, 0, id="the mentee kept"),
        pytest.param(missed(by=BEN), Kind.COMMITMENT_MISSED, About.MENTEE, 0, id="missed"),
        pytest.param(
            CommitmentMissedWarned(**promise(), warned_at=START),
            Kind.COMMITMENT_MISSED_WARNED, About.MENTOR, 0, id="missed, warned",
        ),
        pytest.param(
            CommitmentMissedTold(**promise(), told_at=START),
            Kind.COMMITMENT_MISSED_TOLD, About.MENTOR, 0, id="missed, told after",
        ),
        pytest.param(answered(True), Kind.LISTENED_YES, About.MENTOR, 0, id="she listened"),
        pytest.param(
            answered(False, "at_ease", by=ANN, about=BEN),
            Kind.AT_EASE_NO, About.MENTEE, 0, id="not at ease with the mentee",
        ),
        pytest.param(
            answered(False, "prepared"), Kind.PREPARED_NO, About.MENTOR, 0, id="not prepared"
        ),
        pytest.param(answered(True, "honest"), Kind.HONEST_YES, About.MENTOR, 0, id="honest"),
    ],
)  # fmt: skip
def test_a_fact_is_evidence(fact: PairFact, kind: Kind, about: About, detail: int) -> None:
    seen = event(fact, day=3)
    expected = Evidence(seen.event_id, to_us(START + timedelta(days=3)), kind, about, detail)
    found = observe(seen)
    assert found is not None
    assert found._replace(ref=0) == expected


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(started(), id="a pair began"),
        pytest.param(ended(), id="a pair ended"),
        pytest.param(CommitmentMade(**promise()), id="a promise is not a deed"),
        pytest.param(CommitmentWarned(**promise(), warned_at=START), id="a warning comes to light"),
        pytest.param(
            SessionScheduled(
                **who(),
                session_id=SessionId(new_id()),
                by=ANN,
                starts_at=START,
                duration_minutes=30,
            ),
            id="a plan is not a session",
        ),
    ],
)
def test_what_is_only_planned_is_no_evidence(fact: PairFact) -> None:
    assert observe(event(fact)) is None


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(kept(by=EVE), id="a stranger kept a promise"),
        pytest.param(held(by=(ANN, EVE)), id="a stranger confirms"),
        pytest.param(answered(True, by=EVE), id="a stranger answers"),
        pytest.param(answered(True, by=ANN, about=ANN), id="an answer about oneself"),
    ],
)
def test_a_fact_that_names_a_stranger_is_poison(fact: PairFact) -> None:
    with pytest.raises(PoisonMessage) as caught:
        observe(event(fact))
    assert caught.value.reason == "not_a_member"


def facts_read() -> list[type[Fact]]:
    read = [fact for fact in FACTS.values() if fact.topic in INSIGHTS.topics]
    return [fact for fact in read if issubclass(fact, PairFact)]


def test_every_fact_of_the_topics_it_reads_is_known_and_no_other() -> None:
    assert set(_READ) == set(facts_read())


def test_every_kind_of_evidence_has_a_weight() -> None:
    assert set(V1.rows) == set(Kind)


def test_the_numbers_that_are_stored_are_what_they_always_were() -> None:
    assert [(kind.value, kind.name) for kind in Kind][:4] == [
        (1, "AGREEMENT_SIGNED"),
        (2, "SESSION_HELD_SAID_ONE"),
        (3, "SESSION_HELD_SAID_BOTH"),
        (4, "COMMITMENT_KEPT"),
    ]
    assert {about.name: about.value for about in About} == {"MENTOR": 1, "MENTEE": 2, "BOTH": 3}


def test_times_keep_every_microsecond() -> None:
    at = START + timedelta(microseconds=1)
    assert from_us(to_us(at)) == at
