"""The rule table: given a fact, who is told what, over which channels, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from services.notifications.domain.rules import SILENT, Told, messages_for
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.subscribers import HANDLERS
from shared.errors import PoisonMessage
from shared.events.fact import Fact
from shared.events.registry import FACTS
from shared.events.topics import NOTIFICATIONS_GROUP
from shared.ids import PersonId
from tests.unit.notifications.builders import (
    DAY,
    MENTEE,
    MENTOR,
    START,
    happened,
    held,
    missed,
    proposed,
    scheduled,
    signed,
    silent,
    started,
    told,
    warned,
)

BOTH = {MENTOR, MENTEE}


@pytest.mark.parametrize(
    ("fact", "workflow", "expected"),
    [
        pytest.param(proposed(), "pair_proposed", BOTH, id="both hear of a proposal"),
        pytest.param(started(), "pair_started", BOTH, id="both are welcomed"),
        pytest.param(signed(), "agreement_signed", BOTH, id="both hear that it is signed"),
        pytest.param(
            scheduled(by=MENTOR),
            "session_scheduled",
            {MENTEE},
            id="the one who did not set the time is told of it",
        ),
        pytest.param(
            scheduled(by=MENTEE), "session_scheduled", {MENTOR}, id="that may be the mentor"
        ),
        pytest.param(held(), "session_held", BOTH, id="both are asked in private"),
        pytest.param(
            warned(by=MENTEE),
            "commitment_warned",
            {MENTOR},
            id="a warning reaches the one who waits",
        ),
        pytest.param(
            missed(by=MENTEE),
            "commitment_missed",
            {MENTEE},
            id="a miss without a word is told to its maker alone",
        ),
    ],
)
def test_a_fact_says_this_to_these_by_every_channel_it_can_come_by(
    fact: Fact, workflow: str, expected: set[PersonId]
) -> None:
    made = messages_for(happened(fact))

    ways = WORKFLOWS[workflow].channels
    assert {(message.to, message.channel) for message in made} == {
        (person, channel) for person in expected for channel in ways
    }
    assert {message.workflow for message in made} == {workflow}


def test_every_consumed_fact_is_told_or_silent_on_purpose() -> None:
    consumed = {fact for fact in FACTS.values() if fact.topic in NOTIFICATIONS_GROUP.topics}

    assert consumed == set(HANDLERS) | set(SILENT)
    assert set(get_args(Told)) == {type(fact) for fact in told()}
    assert not set(get_args(Told)) & set(SILENT)
    assert set(SILENT) == {type(fact) for fact in silent()}


@pytest.mark.parametrize("fact", silent(), ids=lambda fact: fact.type)
def test_a_silent_fact_says_nothing(fact: Fact) -> None:
    assert messages_for(happened(fact)) == ()


@pytest.mark.parametrize("fact", told(), ids=lambda fact: fact.type)
def test_the_same_event_makes_the_same_messages(fact: Fact) -> None:
    event = happened(fact)

    assert messages_for(event) == messages_for(event)


@pytest.mark.parametrize("fact", told(), ids=lambda fact: fact.type)
def test_each_message_of_each_event_has_an_id_of_its_own(fact: Fact) -> None:
    made = [message for n in range(3) for message in messages_for(happened(fact, number=n))]

    assert len({message.message_id for message in made}) == len(made)


@pytest.mark.parametrize("fact", told(), ids=lambda fact: fact.type)
def test_every_message_has_an_end_counted_from_the_fact(fact: Fact) -> None:
    for message in messages_for(happened(fact)):
        assert START < message.expires_at <= START + timedelta(days=14)


def test_an_invitation_ends_when_the_session_begins() -> None:
    made = messages_for(happened(scheduled(starts_at=START + DAY)))

    assert {message.expires_at for message in made} == {START + DAY}


@pytest.mark.parametrize("fact", [scheduled, warned, missed])
def test_a_stranger_in_a_pair_is_poison(fact: type) -> None:
    with pytest.raises(PoisonMessage, match="neither side of the pair") as raised:
        messages_for(happened(fact(by=PersonId("eve"))))

    assert raised.value.reason == "not_of_pair"
    assert "eve" not in str(raised.value)


@pytest.mark.parametrize("fact", told(), ids=lambda fact: fact.type)
def test_a_message_holds_no_name_and_no_word(fact: Fact) -> None:
    for message in messages_for(happened(fact)):
        assert set(message.params) <= {
            "starts_at",
            "due_at",
            "duration_minutes",
            "cadence_days",
            "notice_hours",
        }
