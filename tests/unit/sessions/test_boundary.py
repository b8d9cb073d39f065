"""Boundaries: reminded, claimed, answered, settled; what each leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest

from services.sessions.domain import boundary as rules
from services.sessions.domain.boundary import (
    ANSWER_WITHIN,
    REMIND_AGAIN_AFTER,
    SETTLE_WITHIN,
    WORDS,
    Boundary,
    BoundaryNotNow,
    RemindedAlready,
    claim,
    close,
    confirm,
    contest,
    remind,
    require_due,
    resolve,
    standing,
    withdraw,
)
from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import PairEnded
from services.sessions.domain.presence import NEVER
from services.sessions.domain.thing import Reply
from shared.errors import Forbidden, NotFound, Rejected
from shared.events.sessions import BoundaryBreached, BoundaryReminded
from shared.ids import BoundaryId, PersonId, derived_id
from tests.unit.sessions.given import (
    DAY,
    ENDED,
    INSTANT,
    MENTEE,
    MENTOR,
    NOW,
    PAIR,
    STRANGER,
    told,
)

MANAGER = PersonId("hanna")
AT, CLAIMED_AT = NOW + DAY, NOW + 2 * DAY
ID = BoundaryId(derived_id("boundary"))


def reminded() -> Boundary:
    """The mentee has reminded the mentor of the hours."""
    return remind(PAIR, ID, MENTEE, "hours", NOW)[0]


def claimed() -> Boundary:
    return claim(PAIR, reminded(), MENTEE, CLAIMED_AT, AT)[0]


def contested() -> Boundary:
    return contest(PAIR, claimed(), MENTOR, CLAIMED_AT + DAY)[0]


def breached() -> Boundary:
    return confirm(PAIR, claimed(), MENTOR, CLAIMED_AT + DAY)[0]


def dismissed() -> Boundary:
    return resolve(PAIR, claimed(), MANAGER, CLAIMED_AT + DAY, "nothing")[0]


def test_a_reminder_is_a_fact_about_the_other_side() -> None:
    it, happened = remind(PAIR, ID, MENTEE, "topic", NOW)

    assert (it.state, it.reminded_by, it.about) == ("reminded", MENTEE, MENTOR)
    assert told(happened) == [("boundary.reminded", NOW)]
    fact = happened[0].fact
    assert isinstance(fact, BoundaryReminded)
    assert (fact.about, fact.term) == (MENTOR, "topic")


def test_every_term_is_asked_for_in_the_words_of_the_text() -> None:
    for words in WORDS.values():
        assert words.startswith("Trust also means respecting each other’s boundaries.")
    assert "comfort zone" in WORDS["topic"]
    assert "meeting times" in WORDS["hours"]
    assert "channels" in WORDS["channel"]


@pytest.mark.parametrize(
    ("now", "fine"),
    [
        pytest.param(NOW + REMIND_AGAIN_AFTER - INSTANT, False, id="within thirty days"),
        pytest.param(NOW + REMIND_AGAIN_AFTER, True, id="after thirty days"),
    ],
)
def test_the_same_is_reminded_again_after_thirty_days(now: datetime, fine: bool) -> None:
    require_due(None, now)
    if fine:
        require_due(reminded(), now)
        return
    with pytest.raises(RemindedAlready, match=f"claim it with boundary {ID}") as refused:
        require_due(reminded(), now)
    assert refused.value.allowed == ("claim",)


def test_who_waits_for_an_answer_is_told_so_instead_of_reminding() -> None:
    with pytest.raises(RemindedAlready, match="waits for an answer") as refused:
        require_due(claimed(), CLAIMED_AT)
    assert refused.value.allowed == ("withdraw",)


def test_a_claim_is_no_fact_and_the_accused_has_the_word_for_fourteen_days() -> None:
    it, happened = claim(PAIR, reminded(), MENTEE, CLAIMED_AT, AT)

    assert (it.state, happened) == ("claimed", ())
    assert it.reply == Reply(MENTOR, "pair", CLAIMED_AT + ANSWER_WITHIN)


def test_who_is_away_has_as_long_once_they_are_back() -> None:
    away = Member(MENTOR, away=(Away(date(2026, 3, 6), date(2026, 3, 16)),))
    for_good = Member(MENTOR, away=(Away(date(2026, 3, 6), None),))

    later = claim(replace(PAIR, mentor=away), reminded(), MENTEE, CLAIMED_AT, AT)[0]
    never = claim(replace(PAIR, mentor=for_good), reminded(), MENTEE, CLAIMED_AT, AT)[0]

    assert later.sweep_at == CLAIMED_AT + ANSWER_WITHIN + 10 * DAY
    assert (never.sweep_at, never.reply) == (NEVER, Reply(MENTOR, "pair", None))


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(NOW - INSTANT, id="before the reminder"),
        pytest.param(CLAIMED_AT + INSTANT, id="ahead"),
    ],
)
def test_only_what_happened_after_the_reminder_is_claimed(at: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        claim(PAIR, reminded(), MENTEE, CLAIMED_AT, at)
    assert refused.value.field == "happened_at"


@pytest.mark.parametrize("settled", [breached, dismissed])
def test_what_is_settled_is_not_claimed_again_but_what_came_later_is(
    settled: Callable[[], Boundary],
) -> None:
    now = CLAIMED_AT + 3 * DAY
    with pytest.raises(Rejected) as refused:
        claim(PAIR, settled(), MENTEE, now, AT)
    assert refused.value.field == "happened_at"

    it, happened = claim(PAIR, settled(), MENTEE, now, AT + INSTANT)

    assert (it.state, happened) == ("claimed", ())


def test_what_the_accused_confirms_happened_when_it_did() -> None:
    it, happened = confirm(PAIR, claimed(), MENTOR, CLAIMED_AT + DAY)

    assert (it.state, it.breached_at, it.reply) == ("breached", AT, None)
    assert told(happened) == [("boundary.breached", AT)]
    fact = happened[0].fact
    assert isinstance(fact, BoundaryBreached)
    assert (fact.about, fact.confirmed_by) == (MENTOR, "both")
    assert confirm(PAIR, it, MENTOR, CLAIMED_AT + 2 * DAY) == (it, ())


def test_what_is_contested_only_a_manager_settles_or_the_claimant_takes_back() -> None:
    it = contested()

    assert (it.reply, it.sweep_at) == (None, CLAIMED_AT + DAY + SETTLE_WITHIN)
    with pytest.raises(BoundaryNotNow) as refused:
        confirm(PAIR, it, MENTOR, CLAIMED_AT + DAY)
    assert refused.value.allowed == ()
    assert withdraw(PAIR, it, MENTEE, CLAIMED_AT + DAY)[0].state == "reminded"
    settled, happened = resolve(PAIR, it, MANAGER, CLAIMED_AT + DAY, "breached")
    assert (settled.state, told(happened)) == ("breached", [("boundary.breached", AT)])
    fact = happened[0].fact
    assert isinstance(fact, BoundaryBreached)
    assert fact.confirmed_by == "manager"


def test_a_manager_may_find_nothing_in_it_and_that_is_no_fact() -> None:
    it, happened = resolve(PAIR, contested(), MANAGER, CLAIMED_AT + 2 * DAY, "nothing")

    assert (it.state, it.breached_at, happened) == ("dismissed", None, ())


@pytest.mark.parametrize("of", [claimed, contested])
def test_what_is_not_settled_in_time_is_dismissed_swept_or_not(
    of: Callable[[], Boundary],
) -> None:
    it = of()

    assert standing(it, it.sweep_at - INSTANT) is it
    assert close(PAIR, it) == (standing(it, it.sweep_at), ())
    assert standing(it, it.sweep_at).state == "dismissed"
    with pytest.raises(BoundaryNotNow, match="dismissed"):
        withdraw(PAIR, it, MENTEE, it.sweep_at)


def test_nobody_speaks_for_another() -> None:
    for do in (withdraw, confirm, contest):
        with pytest.raises(NotFound):
            do(PAIR, claimed(), STRANGER, CLAIMED_AT)
    for do, by in ((withdraw, MENTOR), (confirm, MENTEE), (contest, MENTEE)):
        with pytest.raises(Forbidden):
            do(PAIR, claimed(), by, CLAIMED_AT)
    with pytest.raises(Forbidden):
        claim(PAIR, reminded(), MENTOR, CLAIMED_AT, AT)
    for side in (MENTOR, MENTEE):
        with pytest.raises(Forbidden):
            resolve(PAIR, claimed(), side, CLAIMED_AT, "breached")


def test_an_ended_pair_reminds_and_claims_no_more_but_still_answers() -> None:
    with pytest.raises(PairEnded):
        remind(ENDED, ID, MENTEE, "hours", NOW)
    with pytest.raises(PairEnded):
        claim(ENDED, reminded(), MENTEE, CLAIMED_AT, AT)
    assert confirm(ENDED, claimed(), MENTOR, CLAIMED_AT)[0].state == "breached"


def test_the_revision_is_not_a_rules_business() -> None:
    it = replace(claimed(), revision=7)

    assert rules.confirm(PAIR, it, MENTOR, CLAIMED_AT)[0].revision == 7
