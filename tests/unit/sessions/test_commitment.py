"""What the two say about a promise until it is kept or missed: who, when, what it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.sessions.domain import promises
from services.sessions.domain.commitment import (
    Commitment,
    CommitmentClosed,
    CommitmentDue,
    CommitmentNotDue,
    CommitmentTold,
    NotNow,
    Promise,
    TooManyCommitments,
    close,
    ended,
    require_room,
)
from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair, PairEnded
from services.sessions.domain.promises import Wish
from services.sessions.domain.rules import MAX_AHEAD, MAX_OPEN_COMMITMENTS, Rules
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Forbidden, NotFound, Rejected
from shared.events.sessions import CommitmentMade
from tests.unit.sessions.given import (
    DAY,
    DUE,
    ENDED,
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

AWAY = replace(PAIR, mentor=replace(PAIR.mentor, away=(Away(date(2026, 3, 4), date(2026, 3, 6)),)))


@pytest.mark.parametrize(
    ("due_at", "allowed"),
    [
        pytest.param(NOW, False, id="due now is not ahead"),
        pytest.param(NOW + INSTANT, True, id="due in an instant"),
        pytest.param(NOW + MAX_AHEAD, True, id="due in a year"),
        pytest.param(NOW + MAX_AHEAD + INSTANT, False, id="due in more than a year"),
    ],
)
def test_a_promise_is_about_the_coming_year(due_at: datetime, allowed: bool) -> None:
    if allowed:
        assert made(due_at).sweep_at == due_at + GRACE
    else:
        with pytest.raises(Rejected) as refused:
            made(due_at)
        assert refused.value.field == "due_at"


def test_a_promise_names_its_maker_and_size_and_never_its_title() -> None:
    promise = Promise(DUE, "a secret", "large")
    _, happened = promises.make(PAIR, made().commitment_id, MENTEE, promise, NOW, Rules())

    (fact,) = happened
    assert isinstance(fact.fact, CommitmentMade)
    assert (fact.fact.by, fact.fact.due_at, fact.fact.size) == (MENTEE, DUE, "large")
    assert fact.at == NOW
    assert "secret" not in fact.fact.model_dump_json()


def test_nothing_is_promised_in_an_ended_pair_or_by_a_stranger() -> None:
    with pytest.raises(PairEnded):
        promises.make(ENDED, made().commitment_id, MENTEE, Promise(DUE), NOW, Rules())
    with pytest.raises(NotFound):
        promises.make(PAIR, made().commitment_id, STRANGER, Promise(DUE), NOW, Rules())


def test_one_side_has_room_for_so_many_open_promises() -> None:
    require_room(MAX_OPEN_COMMITMENTS - 1)
    with pytest.raises(TooManyCommitments):
        require_room(MAX_OPEN_COMMITMENTS)


def test_days_end_at_the_last_minute_of_ones_own_day_and_leave_holidays_out() -> None:
    holiday = frozenset({date(2026, 3, 3)})
    auckland = Member(MENTEE, zone="Pacific/Auckland", holidays=holiday)

    # 9:00 on the 2nd in London is 22:00 in Auckland; the 3rd is a holiday there.
    promise = promises.promise_of(Wish(1, "read it", "small"), auckland, NOW)

    assert promise == Promise(datetime(2026, 3, 4, 10, 59, tzinfo=UTC), "read it", "small")


def test_a_leave_that_is_known_moves_the_due_time_at_once_and_what_was_said_stays() -> None:
    moved = made(DUE, AWAY)

    assert (moved.due_at, moved.promised_for) == (DUE + 2 * DAY, DUE)


def test_a_grace_counts_neither_leave_nor_holidays_of_either() -> None:
    holiday = replace(PAIR, mentor=replace(PAIR.mentor, holidays=frozenset({(DUE + DAY).date()})))

    assert made(DUE, holiday).sweep_at == DUE + GRACE + DAY


def test_a_promise_waits_for_the_other_side_until_it_is_due() -> None:
    assert made().reply == Reply(MENTOR, "commitment", DUE)


@pytest.mark.parametrize(
    ("rule", "by", "state", "published"),
    [
        pytest.param(promises.accept, MENTOR, "open", ["commitment.accepted"], id="accepted"),
        pytest.param(promises.decline, MENTOR, "declined", ["commitment.declined"], id="declined"),
        pytest.param(promises.withdraw, MENTEE, "withdrawn", [], id="withdrawn, which is no fact"),
    ],
)
def test_a_promise_is_answered_once_and_before_due(
    rule: Callable[..., Decision[Commitment]], by: str, state: str, published: list[str]
) -> None:
    person, other = (MENTOR, MENTEE) if by == MENTOR else (MENTEE, MENTOR)
    answered, happened = rule(PAIR, made(), person, DUE - INSTANT)

    assert (answered.state, answered.reply) == (state, None)
    assert told(happened) == [(name, DUE - INSTANT) for name in published]
    assert rule(PAIR, answered, person, DUE - INSTANT) == (answered, ())
    with pytest.raises(Forbidden):
        rule(PAIR, made(), other, NOW)
    with pytest.raises(CommitmentDue):
        rule(PAIR, made(), person, DUE)
    with pytest.raises(NotFound):
        rule(PAIR, made(), STRANGER, NOW)


def test_what_nobody_took_cannot_be_missed() -> None:
    lapsed, happened = close(PAIR, made())

    assert (lapsed.state, lapsed.reply, happened) == ("lapsed", None, ())


@pytest.mark.parametrize("verb", ["warn", "tell"])
def test_about_what_nobody_took_there_is_nothing_to_warn_of_or_tell(verb: str) -> None:
    with pytest.raises(NotNow) as refused:
        getattr(promises, verb)(PAIR, made(), MENTEE, NOW + HOUR)
    assert refused.value.allowed == ("withdraw",)
    assert "withdraw" in str(refused.value)


def test_to_say_that_it_was_kept_is_a_yes_to_all_of_it() -> None:
    kept, happened = promises.keep(PAIR, made(), MENTOR, DUE + DAY, DUE)

    assert (kept.state, kept.reply) == ("kept", None)
    assert told(happened) == [("commitment.kept", DUE)]


@pytest.mark.parametrize(
    ("now", "kept_at", "expected"),
    [
        pytest.param(DUE - DAY, None, DUE - DAY, id="said before due"),
        pytest.param(DUE, None, DUE, id="said at the very instant"),
        pytest.param(DUE + INSTANT, None, CommitmentDue, id="said after due, without when"),
        pytest.param(DUE + DAY, DUE, DUE, id="said after due, that it came in time"),
        pytest.param(DUE + DAY, DUE + INSTANT, CommitmentDue, id="said to have come too late"),
        pytest.param(DUE + GRACE - INSTANT, DUE, DUE, id="said at the end of the grace"),
        pytest.param(DUE + GRACE, DUE, CommitmentClosed, id="said when the grace is over"),
        pytest.param(NOW + DAY, NOW + DAY + INSTANT, Rejected, id="said to have come tomorrow"),
        pytest.param(NOW + DAY, NOW - INSTANT, Rejected, id="said to have come before it was made"),
    ],
)
def test_keeping(
    now: datetime, kept_at: datetime | None, expected: datetime | type[Rejected]
) -> None:
    if isinstance(expected, datetime):
        kept, happened = promises.keep(PAIR, promised(), MENTOR, now, kept_at)
        assert (kept.state, kept.kept_at) == ("kept", expected)
        assert told(happened) == [("commitment.kept", expected)]
    else:
        with pytest.raises(expected):
            promises.keep(PAIR, promised(), MENTOR, now, kept_at)


def test_nobody_says_of_their_own_promise_that_it_was_kept() -> None:
    with pytest.raises(Forbidden):
        promises.keep(PAIR, promised(), MENTEE, NOW, None)


def test_who_told_that_it_was_not_kept_is_believed() -> None:
    late, _ = promises.tell(PAIR, promised(), MENTEE, DUE + HOUR)

    with pytest.raises(CommitmentTold):
        promises.keep(PAIR, late, MENTOR, DUE + 2 * HOUR, DUE)


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        pytest.param(DUE - INSTANT, None, id="just before due"),
        pytest.param(DUE, CommitmentDue, id="at due it is too late to warn"),
        pytest.param(DUE + GRACE, CommitmentClosed, id="when the grace is over"),
    ],
)
def test_warning(now: datetime, refused: type[Conflict] | None) -> None:
    if refused:
        with pytest.raises(refused):
            promises.warn(PAIR, promised(), MENTEE, now)
    else:
        warned, happened = promises.warn(PAIR, promised(), MENTEE, now)
        assert (warned.state, told(happened)) == ("open", [("commitment.warned", now)])


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        pytest.param(DUE - INSTANT, CommitmentNotDue, id="before due there is nothing to tell"),
        pytest.param(DUE, None, id="at due"),
        pytest.param(DUE + GRACE - INSTANT, None, id="at the end of the grace"),
        pytest.param(DUE + GRACE, CommitmentClosed, id="when the grace is over"),
    ],
)
def test_telling(now: datetime, refused: type[Conflict] | None) -> None:
    if refused:
        with pytest.raises(refused):
            promises.tell(PAIR, promised(), MENTEE, now)
    else:
        late, happened = promises.tell(PAIR, promised(), MENTEE, now)
        assert (late.told_at, happened) == (now, ())


def test_only_the_maker_warns_and_tells() -> None:
    with pytest.raises(Forbidden):
        promises.warn(PAIR, promised(), MENTOR, NOW)
    with pytest.raises(Forbidden):
        promises.tell(PAIR, promised(), MENTOR, DUE)


def test_a_warning_outweighs_a_later_word() -> None:
    warned, _ = promises.warn(PAIR, promised(), MENTEE, NOW)
    both, _ = promises.tell(PAIR, warned, MENTEE, DUE + HOUR)

    _, happened = close(PAIR, both)

    assert told(happened) == [("commitment.missed_warned", DUE)]


def test_the_receiver_lets_go_before_due_and_nothing_is_missed() -> None:
    it, happened = promises.release(PAIR, promised(), MENTOR, DUE - INSTANT)

    assert (it.state, it.reply) == ("released", None)
    assert told(happened) == [("commitment.released", DUE - INSTANT)]
    assert close(PAIR, it) == (it, ())
    with pytest.raises(CommitmentDue):
        promises.release(PAIR, promised(), MENTOR, DUE)


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "not swept yet"])
def test_the_receiver_says_that_they_heard_of_a_miss(swept: bool) -> None:
    missed, before = close(PAIR, promised()) if swept else (promised(), ())
    heard = DUE + GRACE + DAY

    it, happened = promises.acknowledge(PAIR, missed, MENTOR, heard)

    assert (it.state, it.acknowledged_at) == ("missed", heard)
    assert told((*before, *happened)) == [
        ("commitment.missed", DUE + GRACE),
        ("commitment.acknowledged", heard),
    ]
    assert promises.acknowledge(PAIR, it, MENTOR, heard + DAY) == (it, ())


def test_of_what_was_not_missed_there_is_nothing_to_hear() -> None:
    with pytest.raises(NotNow) as refused:
        promises.acknowledge(PAIR, promised(), MENTOR, DUE + GRACE - INSTANT)
    assert refused.value.allowed == ("keep",)


@pytest.mark.parametrize(("due_after_end", "state"), [(HOUR, "released"), (timedelta(0), "made")])
def test_the_end_of_the_pair_lets_go_of_what_is_due_later(
    due_after_end: timedelta, state: str
) -> None:
    over: Pair = replace(PAIR, ended_at=DUE)

    it, happened = ended(over, made(DUE + due_after_end))

    assert (it.state, happened) == (state, ())
    assert (it.reply is None) == (state == "released")
