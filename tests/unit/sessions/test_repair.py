"""Putting a miss right: promised by who missed it, delivered, acknowledged; or broken, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from services.sessions.domain import misses
from services.sessions.domain import repair as rules_of
from services.sessions.domain.commitment import close as close_commitment
from services.sessions.domain.member import Away
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.repair import (
    ANSWER_WITHIN,
    REPAIR_WITHIN,
    Miss,
    NotMissed,
    Repair,
    RepairGoesOn,
    RepairNotNow,
    RepairOver,
    Wish,
)
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import Reply
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.sessions import RepairDelivered, RepairPromised
from shared.ids import RepairId, derived_id
from tests.unit.sessions.given import (
    DAY,
    DUE,
    ENDED,
    GRACE,
    HOUR,
    INSTANT,
    MENTEE,
    MENTOR,
    PAIR,
    STRANGER,
    promised,
    scheduled,
    told,
)

MISSED = close_commitment(PAIR, promised())[0]
MISS = Miss(MISSED.commitment_id, (MENTEE,), DUE)
NOW = DUE + GRACE + DAY
MENDED = DUE + 7 * DAY
ID = RepairId(derived_id("repair"))


def wish(due_at: datetime = MENDED) -> Wish:
    return Wish(MENTEE, MISS.missed, due_at, "by Friday, promised")


def repair(due_at: datetime = MENDED) -> Repair:
    return rules_of.promise(PAIR, ID, wish(due_at), MISS, NOW, Rules())[0]


def delivered(at: datetime = MENDED) -> Repair:
    return rules_of.deliver(PAIR, repair(), MENTEE, at, None)[0]


def test_what_was_missed_can_be_put_right_and_what_was_not_cannot() -> None:
    session = replace(scheduled(), state="missed", missed_by=(MENTEE, MENTOR))

    assert misses.of_commitment(MISSED) == MISS
    assert misses.of_session(session) == Miss(
        session.session_id, (MENTEE, MENTOR), session.slot.starts_at
    )
    for state in ("open", "kept", "shown_false", "unconfirmed", "released"):
        with pytest.raises(NotMissed):
            misses.of_commitment(replace(MISSED, state=state))
    with pytest.raises(NotMissed):
        misses.of_session(scheduled())


def test_a_promise_to_put_it_right_says_so_and_keeps_its_words_to_itself() -> None:
    it, happened = rules_of.promise(PAIR, ID, wish(), MISS, NOW, Rules())

    assert (it.state, it.sweep_at, it.reply) == ("promised", MENDED + GRACE, None)
    (each,) = happened
    assert isinstance(each.fact, RepairPromised)
    assert (each.fact.by, each.fact.repairs, each.at) == (MENTEE, MISS.missed, NOW)
    assert "Friday" not in each.fact.model_dump_json()


@pytest.mark.parametrize(
    ("due_at", "allowed"),
    [
        pytest.param(NOW, False, id="now is not ahead"),
        pytest.param(NOW + INSTANT, True, id="in an instant"),
        pytest.param(DUE + REPAIR_WITHIN, True, id="as late as counts"),
        pytest.param(DUE + REPAIR_WITHIN + INSTANT, False, id="too late to count"),
    ],
)
def test_a_repair_is_due_while_it_counts(due_at: datetime, allowed: bool) -> None:
    if allowed:
        assert repair(due_at).wish.due_at == due_at
    else:
        with pytest.raises(Rejected) as refused:
            repair(due_at)
        assert refused.value.field == "due_at"


def test_the_time_in_which_a_repair_counts_stands_still_during_a_leave() -> None:
    leave = Away(date(2026, 3, 10), date(2026, 3, 13))
    away = replace(PAIR, mentor=replace(PAIR.mentor, away=(leave,)))
    late = wish(DUE + REPAIR_WITHIN + 3 * DAY)

    assert rules_of.promise(away, ID, late, MISS, NOW, Rules())[0].state == "promised"


def test_nothing_is_promised_in_an_ended_pair_or_by_a_stranger() -> None:
    with pytest.raises(PairEnded):
        rules_of.promise(ENDED, ID, wish(), MISS, NOW, Rules())
    with pytest.raises(NotFound):
        rules_of.promise(PAIR, ID, replace(wish(), by=STRANGER), MISS, NOW, Rules())


@pytest.mark.parametrize(
    ("earlier", "refused"),
    [
        pytest.param([], None, id="the first"),
        pytest.param(["promised"], RepairGoesOn, id="one is promised"),
        pytest.param(["claimed"], RepairGoesOn, id="one waits for an answer"),
        pytest.param(["delivered"], RepairOver, id="it was put right"),
        pytest.param(["unacknowledged"], RepairOver, id="it was, as one side says"),
        pytest.param(["broken"], None, id="once more after a broken one"),
        pytest.param(["broken", "broken"], RepairOver, id="not a third time"),
    ],
)
def test_a_miss_is_put_right_once(
    earlier: list[rules_of.State], refused: type[Exception] | None
) -> None:
    before = [replace(repair(), state=state) for state in earlier]

    if refused:
        with pytest.raises(refused):
            rules_of.require_again(MISS, MENTEE, before)
    else:
        rules_of.require_again(MISS, MENTEE, before)


def test_only_who_missed_it_puts_it_right_and_each_their_own_part() -> None:
    both = Miss(MISS.missed, (MENTEE, MENTOR), DUE)

    with pytest.raises(Forbidden):
        rules_of.require_again(MISS, MENTOR, [])
    rules_of.require_again(both, MENTOR, [repair()])


def test_a_delivery_waits_for_the_other_side_and_is_no_fact() -> None:
    it, happened = rules_of.deliver(PAIR, repair(), MENTEE, MENDED, None)

    assert (it.state, it.delivered_at, happened) == ("claimed", MENDED, ())
    assert it.reply == Reply(MENTOR, "repair", MENDED + ANSWER_WITHIN)
    assert rules_of.deliver(PAIR, it, MENTEE, MENDED + HOUR, None) == (it, ())


@pytest.mark.parametrize("when", [NOW - INSTANT, MENDED + INSTANT])
def test_a_delivery_came_after_the_promise_and_not_tomorrow(when: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        rules_of.deliver(PAIR, repair(), MENTEE, MENDED, when)
    assert refused.value.field == "delivered_at"


def test_what_both_say_was_put_right_is_a_fact_of_when_both_had_said_so() -> None:
    it, happened = rules_of.acknowledge(PAIR, delivered(), MENTOR, MENDED + DAY)

    assert (it.state, it.reply) == ("delivered", None)
    assert told(happened) == [("repair.delivered", MENDED + DAY)]
    assert isinstance(happened[0].fact, RepairDelivered)
    assert (happened[0].fact.missed_due_at, happened[0].fact.delivered_at) == (DUE, MENDED)
    assert rules_of.acknowledge(PAIR, it, MENTOR, MENDED + 2 * DAY) == (it, ())


def test_who_says_not_yet_leaves_it_promised_and_time_to_deliver() -> None:
    early, happened = rules_of.not_yet(PAIR, delivered(NOW + HOUR), MENTOR, NOW + DAY, Rules())
    late, _ = rules_of.not_yet(PAIR, delivered(), MENTOR, MENDED + 5 * DAY, Rules())

    assert (early, happened) == (repair(), ())
    assert (late.state, late.sweep_at) == ("promised", MENDED + 5 * DAY + GRACE)


def test_a_repair_that_nobody_speaks_of_is_broken_when_the_grace_is_over() -> None:
    it, happened = rules_of.close(PAIR, repair())

    assert (it.state, told(happened)) == ("broken", [("repair.broken", MENDED + GRACE)])
    with pytest.raises(RepairNotNow) as refused:
        rules_of.deliver(PAIR, repair(), MENTEE, MENDED + GRACE, None)
    assert refused.value.allowed == ()


def test_a_delivery_that_nobody_answers_is_no_fact_either_way() -> None:
    it, happened = rules_of.close(PAIR, delivered())

    assert (it.state, it.reply, happened) == ("unacknowledged", None, ())
    with pytest.raises(RepairNotNow):
        rules_of.acknowledge(PAIR, delivered(), MENTOR, MENDED + ANSWER_WITHIN)


def test_who_promised_delivers_and_the_other_side_answers() -> None:
    with pytest.raises(Forbidden):
        rules_of.deliver(PAIR, repair(), MENTOR, MENDED, None)
    for answer in ("acknowledge", "not_yet"):
        rest = [Rules()] if answer == "not_yet" else []
        with pytest.raises(Forbidden):
            getattr(rules_of, answer)(PAIR, delivered(), MENTEE, MENDED, *rest)
        with pytest.raises(RepairNotNow) as refused:
            getattr(rules_of, answer)(PAIR, repair(), MENTOR, MENDED, *rest)
        assert refused.value.allowed == ()
    with pytest.raises(NotFound):
        rules_of.deliver(PAIR, repair(), STRANGER, MENDED, None)


def test_clients_are_told_what_they_may_do() -> None:
    assert rules_of.allowed(repair(), MENTEE, NOW) == ("deliver",)
    assert rules_of.allowed(repair(), MENTOR, NOW) == ()
    assert rules_of.allowed(delivered(), MENTEE, MENDED) == ()
    assert rules_of.allowed(delivered(), MENTOR, MENDED) == ("acknowledge", "not-yet")
    assert rules_of.allowed(repair(), MENTEE, MENDED + GRACE) == ()


def test_the_end_of_the_pair_lets_go_of_what_is_due_later() -> None:
    before, after = replace(PAIR, ended_at=MENDED - HOUR), replace(PAIR, ended_at=MENDED)

    assert rules_of.ended(before, repair())[0].state == "released"
    assert rules_of.ended(after, repair())[0].state == "promised"
