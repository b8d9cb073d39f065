"""What becomes of a message after an attempt, and what is announced of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.notifications.domain import announcement
from services.notifications.domain.attempt import Next, Outcome, RetryPolicy, after
from services.notifications.domain.rules import messages_for
from shared.events.envelope import decode, encode
from tests.unit.notifications.builders import DAY, START, happened, started

MINUTE = timedelta(minutes=1)
POLICY = RetryPolicy(
    max_attempts=4,
    first_wait=MINUTE,
    longest_wait=3 * MINUTE,
    unreachable_wait=timedelta(seconds=15),
)


@pytest.mark.parametrize(
    ("outcome", "attempt", "expected"),
    [
        pytest.param(Outcome("accepted"), 1, Next("sent", 1, START), id="accepted is sent"),
        pytest.param(
            Outcome("refused", "recipient_550"),
            1,
            Next("failed", 1, START, "recipient_550"),
            id="refused is failed, at once",
        ),
        pytest.param(
            Outcome("deferred", "recipient_451"),
            1,
            Next("queued", 1, START + MINUTE, "recipient_451"),
            id="deferred waits",
        ),
        pytest.param(
            Outcome("deferred", "x"), 2, Next("queued", 2, START + 2 * MINUTE, "x"), id="then twice"
        ),
        pytest.param(
            Outcome("deferred", "x"), 3, Next("queued", 3, START + 3 * MINUTE, "x"), id="to a limit"
        ),
        pytest.param(
            Outcome("deferred", "x"), 4, Next("failed", 4, START, "gave_up"), id="and then no more"
        ),
        pytest.param(
            Outcome("unreachable", "away"),
            4,
            Next("queued", 3, START + timedelta(seconds=15), "away"),
            id="a server that is away costs no attempt",
        ),
        pytest.param(
            Outcome("withdrawn", "person_left"),
            1,
            Next("suppressed", 1, START, "person_left"),
            id="what must not be said any more is not",
        ),
    ],
)
def test_after_an_attempt(outcome: Outcome, attempt: int, expected: Next) -> None:
    assert after(outcome, attempt, START, POLICY) == expected


def test_an_announcement_names_its_cause_and_repeats_as_the_same_event() -> None:
    event = happened(started())
    message = messages_for(event)[0]

    first, again = (announcement.sent(message, START + n * DAY) for n in (0, 1))

    assert first.event_id == again.event_id
    assert first.causation_id == event.ce_id
    assert first.correlation_id == event.correlation_id
    key, value, headers = encode(first)
    assert decode(key, value, headers) == first
    assert announcement.failed(message, "gave_up", START).event_id != first.event_id
