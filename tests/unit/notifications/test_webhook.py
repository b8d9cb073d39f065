"""What may be subscribed to, how it is signed, and what follows an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notifications.domain.webhook import (
    FAMILIES,
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    PATIENCE,
    SPREAD,
    TYPES,
    WAITS,
    Ended,
    Health,
    Keys,
    after,
    check_types,
    health_after,
    new_secret,
    sign,
    wait,
    wanted,
)
from shared.errors import Rejected
from shared.events.registry import FACTS
from shared.events.topics import FEEDBACK, PEOPLE, TRUST

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = new_secret(b"o" * 24), new_secret(b"n" * 24)
FAILED = Ended(500)


def test_the_waits_are_those_of_the_specification() -> None:
    assert [wait(attempt, 0.0) for attempt in range(1, MAX_ATTEMPTS)] == [
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
    ]


@given(attempt=st.integers(1, 40), chance=st.floats(0, 1, exclude_max=True))
def test_chance_only_makes_a_wait_longer_and_by_little(attempt: int, chance: float) -> None:
    least = wait(attempt, 0.0)

    assert least <= wait(attempt, chance) <= least * (1 + SPREAD)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(status: int) -> None:
    assert after(Ended(status), 1, NOW, 0.0).state == "delivered"


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 308, 400, 404, 410, 429, 500, None])
def test_everything_else_is_tried_again(status: int | None) -> None:
    then = after(Ended(status, None if status else "timed_out"), 1, NOW, 0.0)

    assert (then.state, then.due_at) == ("waiting", NOW + WAITS[0])


def test_after_the_last_attempt_it_is_given_up() -> None:
    assert after(FAILED, MAX_ATTEMPTS - 1, NOW, 0.0).state == "waiting"
    assert after(FAILED, MAX_ATTEMPTS, NOW, 0.0).state == "failed"


@pytest.mark.parametrize(
    ("asked", "attempt", "due"),
    [
        pytest.param(timedelta(minutes=1), 1, timedelta(minutes=1), id="longer than our wait"),
        pytest.param(timedelta(minutes=1), 3, WAITS[2], id="shorter than our wait"),
        pytest.param(timedelta(days=400), 1, LONGEST_WAIT, id="never longer than a day"),
    ],
)
def test_retry_after_is_honoured(asked: timedelta, attempt: int, due: timedelta) -> None:
    then = after(Ended(429, retry_after=asked), attempt, NOW, 0.0)

    assert then.due_at == NOW + due
    assert then.rest_until == NOW + min(asked, LONGEST_WAIT)


def test_410_disables_at_once() -> None:
    assert health_after(Health(True, None), Ended(410), NOW) == Health(False, NOW, "gone")


def test_five_days_of_failures_disable_and_a_moment_less_does_not() -> None:
    failing = health_after(Health(True, None), FAILED, NOW)
    almost = NOW + PATIENCE - timedelta(seconds=1)

    assert failing == Health(True, NOW)
    assert health_after(failing, FAILED, almost) == failing
    assert health_after(failing, FAILED, NOW + PATIENCE) == Health(False, NOW, "failing")


def test_one_success_begins_the_count_of_days_anew() -> None:
    well = health_after(Health(True, NOW - 100 * HOUR), Ended(204), NOW)

    assert well == Health(True, None)


def test_an_endpoint_that_was_disabled_on_request_keeps_its_reason() -> None:
    asked = Health(False, None, "asked")

    assert health_after(asked, Ended(410), NOW).reason == "asked"


def test_what_we_sign_the_library_of_the_standard_verifies() -> None:
    body, now = '{"id":"é"}'.encode(), datetime.now(UTC)
    headers = sign([NEW], "message-1", now, body)

    assert Webhook(NEW).verify(body, headers) == {"id": "é"}
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body + b" ", headers)


def test_after_a_rotation_both_secrets_sign_for_a_day() -> None:
    keys, now = Keys(OLD).rotated(NEW, NOW), datetime.now(UTC)
    headers = sign(keys.at(NOW + 23 * HOUR), "message-1", now, b"{}")

    assert Webhook(OLD).verify(b"{}", headers) == Webhook(NEW).verify(b"{}", headers) == {}
    assert keys.at(NOW + 24 * HOUR) == (NEW,)


def test_a_secret_is_24_bytes_of_chance_in_base64() -> None:
    assert new_secret(bytes(range(24))) == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    with pytest.raises(ValueError, match="24"):
        new_secret(b"short")


def test_nothing_private_can_be_subscribed_to() -> None:
    private = {name for name, fact in FACTS.items() if fact.topic in (PEOPLE, FEEDBACK, TRUST)}

    assert private
    assert not private & TYPES
    assert not {f"{name.partition('.')[0]}.*" for name in private} & FAMILIES


@pytest.mark.parametrize("wrong", ["person.joined", "person.*", "trust.*", "session", "se*", ""])
def test_a_type_that_nobody_can_have_is_named(wrong: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_types(["session.held", wrong])

    assert refused.value.field == "types.1"


def test_a_family_is_of_its_own_members_and_no_others() -> None:
    assert wanted(["session.*"], "session.held")
    assert wanted(["*"], "pair.started")
    assert not wanted(["session.*", "pair.started"], "pair.ended")
    assert check_types(["session.*", "pair.ended", "session.*"]) == ("pair.ended", "session.*")
