"""A promise claimed to be kept: answered, disputed, settled; published only once it is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.sessions.domain import claims, promises
from services.sessions.domain.commitment import (
    SETTLE_WITHIN,
    Commitment,
    CommitmentClosed,
    CommitmentDue,
    CommitmentTold,
    NotNow,
    close,
    ended,
)
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import Reply
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.sessions import CommitmentShownFalse
from shared.ids import PersonId
from tests.unit.sessions.given import (
    DAY,
    DUE,
    GRACE,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    made,
    promised,
    told,
)

MANAGER = PersonId("ines")
DONE = DUE - DAY


def claimed(now: datetime = DONE, done_at: datetime | None = None) -> Commitment:
    return claims.claim_done(PAIR, promised(), MENTEE, now, done_at, Rules())[0]


def disputed(now: datetime = DUE) -> Commitment:
    return claims.dispute(PAIR, claimed(), MENTOR, now)[0]


def test_a_claim_waits_for_the_receiver_and_is_no_fact() -> None:
    it, happened = claims.claim_done(PAIR, promised(), MENTEE, DONE, None, Rules())

    assert (it.state, it.reply) == ("claimed", Reply(MENTOR, "commitment", DUE + GRACE))
    assert happened == ()
    assert claims.claim_done(PAIR, it, MENTEE, DONE + HOUR, None, Rules()) == (it, ())


@pytest.mark.parametrize(
    ("now", "done_at", "refused"),
    [
        pytest.param(DUE + HOUR, None, CommitmentDue, id="done now is done late"),
        pytest.param(DUE + HOUR, DUE + INSTANT, CommitmentDue, id="done after it was due"),
        pytest.param(DONE, DONE + INSTANT, Rejected, id="done tomorrow"),
        pytest.param(DONE, NOW - INSTANT, Rejected, id="done before it was promised"),
        pytest.param(DUE + GRACE, DUE, CommitmentClosed, id="claimed when the grace is over"),
    ],
)
def test_what_was_done_by_due_is_claimed_within_the_grace(
    now: datetime, done_at: datetime | None, refused: type[Rejected]
) -> None:
    with pytest.raises(refused):
        claimed(now, done_at)


def test_only_who_promised_claims_and_not_what_nobody_took_or_they_told_of() -> None:
    late, _ = promises.tell(PAIR, promised(), MENTEE, DUE)

    with pytest.raises(Forbidden):
        claims.claim_done(PAIR, promised(), MENTOR, DONE, None, Rules())
    with pytest.raises(NotNow):
        claims.claim_done(PAIR, made(), MENTEE, DONE, None, Rules())
    with pytest.raises(CommitmentTold):
        claims.claim_done(PAIR, late, MENTEE, DUE + HOUR, DUE, Rules())


def test_who_agrees_says_that_it_was_kept_when_it_was_done() -> None:
    kept, happened = promises.keep(PAIR, claimed(), MENTOR, DUE + DAY, None)

    assert (kept.state, kept.reply) == ("kept", None)
    assert told(happened) == [("commitment.kept", DONE)]


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        pytest.param(DONE, DUE + GRACE, id="early: until it would have closed anyway"),
        pytest.param(DUE + HOUR, DUE + HOUR + GRACE, id="late: a grace from the claim on"),
    ],
)
def test_a_claim_that_nobody_answers_is_no_evidence_and_can_be_answered_in_time(
    at: datetime, closes: datetime
) -> None:
    it = claimed(at, DONE)

    assert it.sweep_at == closes
    assert promises.keep(PAIR, it, MENTOR, closes - INSTANT, None)[0].state == "kept"
    over, happened = close(PAIR, it)
    assert (over.state, over.reply, happened) == ("unconfirmed", None, ())


def test_the_maker_takes_a_claim_back_and_it_is_as_open_as_before() -> None:
    it, happened = claims.take_back(PAIR, claimed(DUE + HOUR, DONE), MENTEE, DUE + DAY)

    assert (it, happened) == (promised(), ())
    assert told(close(PAIR, it)[1]) == [("commitment.missed", DUE + GRACE)]


def test_a_claim_is_not_taken_back_once_it_would_have_closed_or_is_disputed() -> None:
    with pytest.raises(CommitmentDue):
        claims.take_back(PAIR, claimed(DUE + HOUR, DONE), MENTEE, DUE + GRACE)
    with pytest.raises(NotNow) as refused:
        claims.take_back(PAIR, disputed(), MENTEE, DUE)
    assert refused.value.allowed == ("admit",)


def test_a_dispute_waits_for_the_maker_and_is_no_fact() -> None:
    it, happened = claims.dispute(PAIR, claimed(), MENTOR, DUE)

    assert (it.state, it.reply) == ("disputed", Reply(MENTEE, "commitment", DUE + SETTLE_WITHIN))
    assert happened == ()
    with pytest.raises(Forbidden):
        claims.dispute(PAIR, claimed(), MENTEE, DUE)
    with pytest.raises(NotNow):
        claims.dispute(PAIR, promised(), MENTOR, DONE)


def test_what_both_say_was_false_is_shown_false() -> None:
    it, happened = claims.admit(PAIR, disputed(), MENTEE, DUE + DAY)

    assert (it.state, it.reply) == ("shown_false", None)
    assert told(happened) == [("commitment.shown_false", DUE + DAY)]
    assert isinstance(happened[0].fact, CommitmentShownFalse)
    assert happened[0].fact.confirmed_by == "both"
    assert claims.admit(PAIR, it, MENTEE, DUE + 2 * DAY) == (it, ())


def test_who_disputed_may_say_that_it_was_done_after_all() -> None:
    it, happened = promises.keep(PAIR, disputed(), MENTOR, DUE + 5 * DAY, None)

    assert (it.state, told(happened)) == ("kept", [("commitment.kept", DONE)])


@pytest.mark.parametrize(
    ("outcome", "state", "published"),
    [
        pytest.param("kept", "kept", [("commitment.kept", DONE)], id="it was done"),
        pytest.param(
            "false", "shown_false", [("commitment.shown_false", DUE + DAY)], id="it was not"
        ),
        pytest.param("nothing", "unsettled", [], id="nobody can tell"),
    ],
)
def test_a_manager_of_neither_side_settles_a_dispute(
    outcome: claims.Outcome, state: str, published: list[tuple[str, datetime]]
) -> None:
    it, happened = claims.resolve(PAIR, disputed(), MANAGER, DUE + DAY, outcome)

    assert (it.state, it.reply, told(happened)) == (state, None, published)
    for side in (MENTOR, MENTEE):
        with pytest.raises(Forbidden):
            claims.resolve(PAIR, disputed(), side, DUE + DAY, outcome)
    with pytest.raises(NotNow):
        claims.resolve(PAIR, claimed(), MANAGER, DUE, outcome)


def test_a_dispute_that_nobody_settles_is_no_evidence() -> None:
    over, happened = close(PAIR, disputed())

    assert (over.state, over.reply, happened) == ("unsettled", None, ())
    with pytest.raises(CommitmentClosed):
        claims.admit(PAIR, disputed(), MENTEE, DUE + SETTLE_WITHIN)


def test_the_end_of_the_pair_leaves_a_dispute_to_be_settled() -> None:
    over = replace(PAIR, ended_at=DUE - timedelta(days=2))

    assert ended(over, disputed())[0].state == "disputed"
    assert ended(over, claimed())[0].state == "released"


def test_a_stranger_finds_nothing_to_say() -> None:
    with pytest.raises(NotFound):
        claims.dispute(PAIR, claimed(), STRANGER, DUE)
    with pytest.raises(NotFound):
        claims.take_back(PAIR, claimed(), STRANGER, DUE)
