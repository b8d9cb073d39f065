"""What the demo sows is poison for the reason it names; the refold would notice a difference."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.local.demo.noise import Couple, Poison, expected, late_facts, poison
from deploy.local.demo.refold import UTTERLY, refold
from deploy.local.demo.size import START
from services.insights.domain.evidence import observe
from services.insights.domain.model import V1
from services.insights.domain.projections import Subject, trust_changed
from services.insights.domain.state import refold as state_of
from shared.errors import PoisonMessage
from shared.events.envelope import Event, decode, encode
from shared.events.insights import TrustChanged
from shared.ids import PairId, PersonId, TenantId, derived_id

TENANT = TenantId("northwind")
COUPLE = Couple(PairId(derived_id("pair", "1")), PersonId("maria"), PersonId("tom"))
NOW = START + timedelta(weeks=8)
# These can be decoded: the handlers of a group refuse them.
REFUSED_LATER = {"about a stranger", "from next year"}


def live(events: list[Event]) -> list[TrustChanged]:
    """What insights would serve of one pair."""
    evidence = [item for event in events if (item := observe(event)) is not None]
    subject = Subject(COUPLE.pair_id, COUPLE.mentor_id, COUPLE.mentee_id)
    return [trust_changed(subject, state_of(evidence, V1), evidence)]


@pytest.mark.parametrize("sown", poison(COUPLE, TENANT, NOW), ids=lambda sown: sown.what)
def test_each_poison_is_refused_for_the_reason_it_names(sown: Poison) -> None:
    record = sown.record
    if sown.what in REFUSED_LATER:
        decode(record.key, record.value, record.headers)
        return
    with pytest.raises(PoisonMessage) as refused:
        decode(record.key, record.value, record.headers)
    assert {reason for _, reason in sown.reasons} == {refused.value.reason}


def test_every_group_that_reads_a_topic_parks_its_own_copy() -> None:
    found = expected(poison(COUPLE, TENANT, NOW))
    assert found["matching", "unknown_type"] == found["sessions", "unknown_type"] == 1
    assert found["insights", "from_the_future"] == 1
    assert len({reason for _, reason in found}) >= 5


def test_late_facts_are_weeks_old_and_can_be_read() -> None:
    late = late_facts([COUPLE], TENANT, NOW)
    read = [decode(*encode(event)) for event in late]
    assert [each.event_id for each in read] == [each.event_id for each in late]
    assert [each.fact for each in read] == [each.fact for each in late]
    assert all(event.occurred_at < NOW - timedelta(weeks=2) for event in late)


def test_a_shuffled_log_with_duplicates_folds_to_what_is_served() -> None:
    events = list(late_facts([COUPLE], TENANT, NOW))
    found = refold([*events, *events], live(events), seed=7)
    assert found.max_difference == 0.0
    assert (found.pairs, found.numbers) == (1, 66)


def test_a_fact_that_was_counted_twice_or_lost_is_noticed() -> None:
    events = list(late_facts([COUPLE], TENANT, NOW))
    served = live(events)[0]
    twice = served.model_copy(update={"revision": served.revision + 1})
    assert refold(events, [twice], seed=7).max_difference == UTTERLY
    assert refold(events[:1], [served], seed=7).max_difference == UTTERLY
    assert refold(events, [], seed=7).max_difference == UTTERLY
