"""When a person may be written to: what they, their tenant and their pair have asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.notifications.domain.attention import (
    NO_TERMS,
    Attention,
    Decision,
    Drop,
    Gather,
    Hold,
    Leave,
    Say,
    Terms,
    decide,
    decide_digest,
    next_day,
    next_digest,
)
from services.notifications.domain.budget import allot
from services.notifications.domain.hours import Window
from services.notifications.domain.message import Cause, Channel, Message
from services.notifications.domain.preferences import Choices, Digest, Hours, Wishes
from services.notifications.domain.workflow import Mode, Workflow
from shared.ids import NotificationId, PairId, TenantId
from tests.unit.notifications.builders import MENTEE, MENTOR

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday in winter: eight in the morning in Berlin is seven in UTC.
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 22, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)

NEWS = Workflow(
    "news", "sessions", 50, {"email": "now", "inbox": "now", "chat": "off", "calendar": "now"}
)
CRITICAL = replace(NEWS, name="critical", is_critical=True)
READER = Attention("known", BERLIN)


def message(channel: Channel = "email", **changes: object) -> Message:
    made = Message(
        message_id=NotificationId(UUID(int=1)),
        tenant=TenantId("acme"),
        pair_id=PairId(UUID(int=2)),
        mentor_id=MENTOR,
        mentee_id=MENTEE,
        to=MENTEE,
        workflow="news",
        channel=channel,
        thread=UUID(int=3),
        params={},
        about=UUID(int=4),
        not_before=NOON - HOUR,
        expires_at=NOON + timedelta(days=7),
        is_urgent=False,
        cause=Cause(UUID(int=5), "fact", "ce", "correlation", ""),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def wishing(own: Choices | None = None, tenants: Choices | None = None) -> Attention:
    return replace(READER, wishes=Wishes(own or Choices(), tenants or Choices()))


def way(subject: str, mode: Mode, channel: Channel = "email") -> Choices:
    return Choices(ways={subject: {channel: mode}})


def decided(
    at: datetime,
    reader: Attention = READER,
    workflow: Workflow = NEWS,
    terms: Terms = NO_TERMS,
    **changes: object,
) -> Decision:
    return decide(message(**changes), workflow, reader, terms, at)  # type: ignore[arg-type]


def test_by_day_it_is_said_and_takes_one_of_the_days_places() -> None:
    assert decided(NOON) == Say(counts=True)


def test_by_night_it_is_held_until_eight_on_the_readers_clock() -> None:
    assert decided(NIGHT) == Hold(MORNING, "quiet_hours")


def test_the_clock_is_the_readers_and_not_ours() -> None:
    auckland = replace(READER, zone=ZoneInfo("Pacific/Auckland"))

    # Eleven in the morning in UTC is midnight there.
    assert decided(NOON, auckland) == Hold(datetime(2026, 3, 2, 19, tzinfo=UTC), "quiet_hours")


def test_a_morning_after_the_clocks_have_changed_is_eight_on_the_new_clock() -> None:
    night = datetime(2026, 3, 28, 22, tzinfo=UTC)

    assert decided(night, expires_at=night + timedelta(days=2)) == Hold(
        datetime(2026, 3, 29, 6, tzinfo=UTC), "quiet_hours"
    )


def test_the_inbox_disturbs_nobody() -> None:
    assert decided(NIGHT, channel="inbox") == Say(counts=False)


@pytest.mark.parametrize(
    ("workflow", "is_urgent"),
    [(CRITICAL, False), (NEWS, True)],
    ids=["critical", "urgent"],
)
def test_what_cannot_wait_comes_by_night_and_takes_no_place(
    workflow: Workflow, is_urgent: bool
) -> None:
    assert decided(NIGHT, workflow=workflow, is_urgent=is_urgent) == Say(counts=False)


@pytest.mark.parametrize(
    ("own", "tenants", "mode"),
    [
        pytest.param(None, way("*", "off"), "off", id="the tenant's word before ours"),
        pytest.param(way("*", "now"), way("news", "off"), "now", id="one's own before any other"),
        pytest.param(
            Choices(ways={"*": {"email": "off"}, "sessions": {"email": "digest"}}),
            None,
            "digest",
            id="a category before everything",
        ),
        pytest.param(
            Choices(ways={"sessions": {"email": "off"}, "news": {"email": "now"}}),
            None,
            "now",
            id="a workflow before its category",
        ),
        pytest.param(way("*", "off", "chat"), None, "now", id="another channel says nothing"),
    ],
)
def test_the_most_specific_choice_counts(
    own: Choices | None, tenants: Choices | None, mode: str
) -> None:
    reader = wishing(own, tenants)

    assert reader.wishes.mode(NEWS, "email") == mode


def test_what_is_off_is_dropped_but_not_what_is_critical() -> None:
    reader = wishing(way("*", "off"))

    assert decided(NOON, reader) == Drop("preference")
    assert decided(NOON, reader, CRITICAL) == Say(counts=False)


def test_a_channel_nobody_asked_for_is_off() -> None:
    assert decided(NOON, channel="chat") == Drop("preference")


def test_old_news_is_dropped() -> None:
    assert decided(NOON, expires_at=NOON) == Drop("too_late")


def test_nobody_who_has_left_is_written_to() -> None:
    assert decided(NOON, replace(READER, standing="left"), CRITICAL) == Drop("person_left")


def test_what_is_for_later_waits_for_its_time_and_is_looked_at_again_then() -> None:
    assert decided(NOON, not_before=NIGHT) == Hold(NIGHT, "not_yet")


def test_the_pair_is_written_to_in_the_hours_it_agreed_on() -> None:
    afternoons = Terms(hours=tuple(Window(day, 14 * 60, 18 * 60) for day in range(1, 8)))

    assert decided(NOON, terms=afternoons) == Hold(NOON + 2 * HOUR, "pair_hours")
    assert decided(NOON + 3 * HOUR, terms=afternoons) == Say(counts=True)


def test_hours_of_the_pair_that_are_never_the_readers_are_never() -> None:
    nights = Terms(hours=(Window(1, 0, 60),))

    assert decided(NOON, terms=nights) == Drop("never_open")


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        pytest.param({"video"}, Say(counts=True), id="how they talk says nothing of writing"),
        pytest.param({"video", "email"}, Say(counts=True), id="by mail"),
        pytest.param({"chat"}, Drop("not_agreed"), id="by chat and so not by mail"),
    ],
)
def test_the_pair_is_written_to_over_the_channels_it_agreed_on(
    channels: set[str], expected: Decision
) -> None:
    assert decided(NOON, terms=Terms(channels=frozenset(channels))) == expected


def test_who_is_away_is_left_in_peace_until_the_morning_they_are_back() -> None:
    away = replace(READER, leaves=(Leave(date(2026, 2, 27), date(2026, 3, 4)),))

    back = datetime(2026, 3, 3, 23, tzinfo=UTC)
    assert decided(NOON, away) == Hold(back, "leave")
    assert decided(back, away) == Hold(datetime(2026, 3, 4, 7, tzinfo=UTC), "quiet_hours")
    assert decided(NOON, away, is_urgent=True) == Hold(back, "leave")


def test_who_has_not_said_when_they_are_back_is_asked_about_again() -> None:
    away = replace(READER, leaves=(Leave(date(2026, 3, 2), None),))

    assert decided(NOON, away) == Hold(NOON + timedelta(days=7), "leave")


def test_a_night_before_a_leave_is_held_until_after_it() -> None:
    away = replace(READER, leaves=(Leave(date(2026, 3, 3), date(2026, 3, 5)),))

    assert decided(NIGHT, away) == Hold(datetime(2026, 3, 5, 7, tzinfo=UTC), "quiet_hours")


def test_what_can_wait_is_gathered_until_the_next_digest() -> None:
    reader = wishing(way("*", "digest"))

    assert decided(NOON, reader) == Gather(datetime(2026, 3, 3, 8, tzinfo=UTC))


def test_a_digest_comes_on_the_days_its_reader_chose() -> None:
    fridays = wishing(Choices(digest=Digest(at_minute=16 * 60, weekdays=(5,))))

    assert next_digest(fridays, NOON) == datetime(2026, 3, 6, 15, tzinfo=UTC)


def test_a_digest_is_held_in_quiet_hours_and_on_leave() -> None:
    away = replace(READER, leaves=(Leave(date(2026, 3, 2), date(2026, 3, 3)),))

    assert decide_digest(READER, NOON) == Say(counts=True)
    assert decide_digest(READER, NIGHT) == Hold(MORNING, "quiet_hours")
    assert decide_digest(away, NOON) == Hold(datetime(2026, 3, 2, 23, tzinfo=UTC), "leave")


def test_attention_that_is_used_up_is_back_the_next_morning() -> None:
    assert next_day(READER, NO_TERMS, NOON) == MORNING


def test_the_places_of_a_day_go_to_whoever_asks_first() -> None:
    got, used = allot([("mon", 2), ("tue", 1), ("mon", 2), ("mon", 2)], {"mon": 1})

    assert got == [True, True, False, False]
    assert used == {"mon": 2, "tue": 1}


@pytest.mark.parametrize("hours", [(), (Hours(weekday=1, from_minute=0, until_minute=60),)])
def test_ones_own_hours_are_kept_even_if_they_are_few(hours: tuple[Hours, ...]) -> None:
    reader = wishing(Choices(hours=hours))

    expected = Hold(datetime(2026, 3, 8, 23, tzinfo=UTC), "quiet_hours") if hours else None
    assert decided(NOON, reader) == (expected or Drop("never_open"))
