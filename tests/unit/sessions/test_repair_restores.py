"""What sessions publishes about a repair, folded by the trust model: it visibly restores trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from services.insights.domain.evidence import observe, to_us
from services.insights.domain.model import V1, Facet
from services.insights.domain.trust import FacetTrust, fold
from services.sessions.domain import claims, promises
from services.sessions.domain import repair as rules_of
from services.sessions.domain.commitment import Promise, close
from services.sessions.domain.happened import Happened
from services.sessions.domain.misses import of_commitment
from services.sessions.domain.repair import REPAIR_WITHIN, Repair, Wish
from services.sessions.domain.rules import Rules
from shared.events.envelope import new_event
from shared.ids import CommitmentId, PersonId, RepairId, derived_id, new_id
from tests.unit.sessions.given import DAY, DUE, GRACE, HOUR, MENTEE, MENTOR, NOW, PAIR, promised

MISSED, MISS = close(PAIR, promised())
KNOWN = DUE + GRACE + HOUR
LATER = DUE + 30 * DAY


def facet_of(happened: Sequence[Happened], facet: Facet, at: datetime = LATER) -> FacetTrust:
    """What is thought of one facet of the mentee, as of one instant."""
    events = [
        new_event(each.fact, event_id=new_id(), tenant=each.tenant, service="sessions", now=each.at)
        for each in happened
    ]
    evidence = [seen for event in events if (seen := observe(event)) is not None]
    return fold(evidence, V1, to_us(at)).about_mentee.facets[facet]


def against(happened: Sequence[Happened]) -> float:
    """What speaks against the mentee's reliability, weighed long after."""
    return facet_of(happened, Facet.R).s


def score(happened: Sequence[Happened]) -> float:
    return facet_of(happened, Facet.R).score


def repair(n: int, now: datetime, due_at: datetime) -> tuple[Repair, tuple[Happened, ...]]:
    id_ = RepairId(derived_id("repair", str(n)))
    wish = Wish(MENTEE, MISSED.commitment_id, due_at)
    return rules_of.promise(PAIR, id_, wish, of_commitment(MISSED), now, Rules())


def deliver(it: Repair, at: datetime) -> tuple[Happened, ...]:
    it, _ = rules_of.deliver(PAIR, it, MENTEE, at, None)
    return rules_of.acknowledge(PAIR, it, MENTOR, at)[1]


def test_a_miss_put_right_costs_a_quarter_of_what_it_did_and_a_promise_alone_three() -> None:
    it, promised_again = repair(1, KNOWN, DUE + 7 * DAY)
    done = deliver(it, DUE + 6 * DAY)
    cost = against(MISS)

    assert against((*MISS, *promised_again)) == pytest.approx(cost * 0.75)
    assert against((*MISS, *promised_again, *done)) == pytest.approx(cost * 0.25)
    mended = score((*MISS, *promised_again, *done))
    assert mended > score((*MISS, *promised_again)) > score(MISS)


def test_a_broken_repair_gives_nothing_back_and_one_put_right_after_it_half() -> None:
    it, first = repair(1, KNOWN, KNOWN + DAY)
    _, broken = rules_of.close(PAIR, it)
    again, second = repair(2, KNOWN + 4 * DAY, DUE + 10 * DAY)
    done = deliver(again, DUE + 9 * DAY)
    cost = against(MISS)

    assert against((*MISS, *first, *broken)) == pytest.approx(cost)
    assert against((*MISS, *first, *broken, *second)) == pytest.approx(cost)
    assert against((*MISS, *first, *broken, *second, *done)) == pytest.approx(cost * 0.5)


def test_what_nobody_answered_keeps_what_the_promise_gave_back_and_no_more() -> None:
    it, promised_again = repair(1, KNOWN, DUE + 7 * DAY)
    claimed, said = rules_of.deliver(PAIR, it, MENTEE, DUE + 6 * DAY, None)
    _, over = rules_of.close(PAIR, claimed)

    assert against((*MISS, *promised_again, *said, *over)) == pytest.approx(against(MISS) * 0.75)


def test_the_latest_repair_that_can_be_promised_still_counts_when_it_comes_by_then() -> None:
    it, promised_again = repair(1, KNOWN, DUE + REPAIR_WITHIN)
    done = deliver(it, DUE + REPAIR_WITHIN)
    late = deliver(it, DUE + REPAIR_WITHIN + HOUR)
    cost = against(MISS)

    assert against((*MISS, *promised_again, *done)) == pytest.approx(cost * 0.25)
    assert against((*MISS, *promised_again, *late)) == pytest.approx(cost * 0.75)


def test_a_claim_shown_false_costs_honesty_and_an_unanswered_one_nothing() -> None:
    made, _ = promises.make(
        PAIR, CommitmentId(derived_id("other")), MENTEE, Promise(DUE), NOW, Rules()
    )
    open_, _ = promises.accept(PAIR, made, MENTOR, NOW)
    claimed, _ = claims.claim_done(PAIR, open_, MENTEE, NOW + DAY, None, Rules())
    disputed, _ = claims.dispute(PAIR, claimed, MENTOR, NOW + 2 * DAY)
    _, false = claims.resolve(PAIR, disputed, PersonId("ines"), NOW + 3 * DAY, "false")

    honesty = facet_of(false, Facet.H, NOW + 3 * DAY)

    assert honesty.s == pytest.approx(3.0)
    assert facet_of(close(PAIR, claimed)[1], Facet.H).s == 0.0
