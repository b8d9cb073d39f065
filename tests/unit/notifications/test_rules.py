"""The rule table: given a fact, who is told what, over which channels, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifications.domain.rules import (
    QUIETLY,
    SETTLING,
    SILENT,
    TOLD,
    messages_for,
    settled_by,
)
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.subscribers import HANDLERS
from shared.errors import PoisonMessage
from shared.events.contracts.examples import sample_event
from shared.events.fact import Fact
from shared.events.matching import PairAccepted
from shared.events.registry import FACTS
from shared.events.sessions import (
    AgreementProposed,
    AgreementReviewed,
    CommitmentAccepted,
    CommitmentKept,
    CommitmentMade,
    CommitmentMissed,
    CommitmentMissedTold,
    ReplyRequested,
    ReplySettled,
    SessionCancelled,
    SessionRescheduled,
)
from shared.events.topics import NOTIFICATIONS_GROUP, PEOPLE
from shared.ids import PersonId
from tests.unit.notifications.builders import (
    COMMITMENT,
    DAY,
    MENTEE,
    MENTOR,
    SESSION,
    SIDES,
    START,
    happened,
    held,
    missed,
    of_ours,
    proposed,
    scheduled,
    signed,
    silent,
    started,
    told,
    warned,
)

BOTH = {MENTOR, MENTEE}


def sample(kind: type[Fact]) -> Fact:
    """A golden example, about the pair and the things that everything is about here."""
    things = {"session_id": SESSION, "commitment_id": COMMITMENT, "reply_id": COMMITMENT}
    fact = of_ours(sample_event(kind).fact)
    return fact.model_copy(
        update={name: thing for name, thing in things.items() if name in kind.model_fields}
    )


@pytest.mark.parametrize(
    ("fact", "workflow", "expected"),
    [
        pytest.param(proposed(), "pair_proposed", BOTH, id="both hear of a proposal"),
        pytest.param(started(), "pair_started", BOTH, id="both are welcomed"),
        pytest.param(signed(), "agreement_signed", BOTH, id="both hear that it is signed"),
        pytest.param(
            scheduled(starts_at=START + DAY / 48),
            "session_scheduled",
            BOTH,
            id="calendars",
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


def test_every_consumed_fact_is_told_or_settles_something_or_is_silent_on_purpose() -> None:
    consumed = {fact for fact in FACTS.values() if fact.topic in NOTIFICATIONS_GROUP.topics}

    assert consumed == set(HANDLERS) | set(SILENT)
    about_pairs = consumed - {fact for fact in consumed if fact.topic is PEOPLE}
    assert about_pairs <= TOLD | SETTLING | set(SILENT)
    assert not set(SILENT) & (TOLD | SETTLING)
    assert set(QUIETLY) == {fact.type for fact in SETTLING - TOLD}


def test_there_is_a_rule_for_every_workflow_and_a_workflow_for_every_rule() -> None:
    made = {message.workflow for fact in told() for message in messages_for(happened(fact))}

    assert made == set(WORKFLOWS)


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
        assert START < message.expires_at <= START + timedelta(days=100)
        assert START <= message.not_before < message.expires_at


def test_an_invitation_ends_when_the_session_begins() -> None:
    made = messages_for(happened(scheduled(starts_at=START + DAY / 48)))

    assert {message.expires_at for message in made} == {START + DAY / 48}


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
            "answer_until_at",
            "by_you",
            "starts_at",
            "previous_starts_at",
            "due_at",
            "until_at",
            "duration_minutes",
            "cadence_days",
            "notice_hours",
        }


@pytest.mark.parametrize(
    ("earlier", "later", "over"),
    [
        pytest.param(
            scheduled(starts_at=START + 3 * DAY),
            sample(SessionCancelled),
            {"session_scheduled", "session_tomorrow", "session_soon"},
            id="a session that was called off is reminded of no more",
        ),
        pytest.param(
            scheduled(starts_at=START + 3 * DAY),
            sample(SessionRescheduled),
            {"session_scheduled", "session_tomorrow", "session_soon"},
            id="nor of its old time",
        ),
        pytest.param(
            sample(CommitmentAccepted),
            sample(CommitmentKept),
            {"commitment_tomorrow"},
            id="who kept a promise is not reminded of it",
        ),
        pytest.param(
            sample(CommitmentMade),
            sample(CommitmentAccepted),
            {"commitment_made"},
            id="who has answered is not asked",
        ),
        pytest.param(
            sample(CommitmentMissed),
            sample(CommitmentMissedTold),
            {"commitment_missed"},
            id="who has said a word is not told that it would help",
        ),
        pytest.param(
            sample(ReplyRequested), sample(ReplySettled), {"reply_waiting"}, id="nobody waits"
        ),
        pytest.param(
            signed().model_copy(update={"review_on": (START + 90 * DAY).date()}),
            sample(AgreementReviewed),
            {"agreement_review"},
            id="what was looked at need not be looked at",
        ),
        pytest.param(
            sample(AgreementProposed), signed(), {"agreement_proposed"}, id="it is signed"
        ),
    ],
)
def test_a_fact_makes_these_pointless(earlier: Fact, later: Fact, over: set[str]) -> None:
    made = {(message.about, message.workflow) for message in messages_for(happened(earlier))}

    dropped = {(each.about, name) for each in settled_by(later) for name in each.workflows}

    assert {name for _, name in made & dropped} == over


def test_an_own_yes_ends_the_question_for_oneself_alone() -> None:
    (settled,) = settled_by(PairAccepted.model_validate({**SIDES, "by": MENTEE}))

    assert settled.to == MENTEE
    assert settled.workflows == {"pair_proposed", "pair_waiting"}


@pytest.mark.parametrize("hours", [1, 13])
def test_what_cannot_wait_for_the_morning_is_urgent(hours: int) -> None:
    soon = START + timedelta(hours=hours)

    made = messages_for(happened(scheduled(starts_at=soon)))

    assert {each.is_urgent for each in made if each.channel == "calendar"} == {hours <= 12}


def test_everybody_is_told_whether_it_was_them() -> None:
    made = messages_for(happened(scheduled(by=MENTOR)))

    told_so = {each.to: each.params["by_you"] for each in made if each.channel == "calendar"}
    assert told_so == {MENTOR: 1, MENTEE: 0}


def test_who_asked_for_a_pair_is_not_asked_about_it() -> None:
    made = messages_for(happened(proposed().model_copy(update={"asked_by": MENTEE})))

    assert {each.to for each in made} == {MENTOR}


def test_a_promise_due_today_is_not_reminded_of_as_due_tomorrow() -> None:
    fact = CommitmentAccepted.model_validate(
        {**SIDES, "by": MENTEE, "commitment_id": COMMITMENT, "due_at": START + DAY / 2}
    )

    assert messages_for(happened(fact)) == ()
