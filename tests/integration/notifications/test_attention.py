"""Attention on a real database: what is held, gathered or dropped, and who is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from deploy.local.mailbox import Mailbox
from services.notifications.domain.message import Channel
from services.notifications.domain.preferences import Choices, Digest, Hours
from services.notifications.domain.workflow import Mode
from services.notifications.queries.preferences import EVERYBODY
from shared.events.people import PersonLeaveEnded
from shared.events.sessions.agreements import AgreedHours
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import Difficult, Rig
from tests.unit.notifications.builders import (
    DAY,
    MENTEE,
    MENTOR,
    START,
    joined,
    left,
    scheduled,
    signed,
    started,
)

pytestmark = pytest.mark.stack

# START is a Monday at nine; these open on Tuesday at ten.
TUESDAYS = (Hours(weekday=2, from_minute=600, until_minute=1080),)
DIGESTS: Mapping[str, Mapping[Channel, Mode]] = {"*": {"email": "digest"}}


def mails(mailbox: Mailbox) -> list[str]:
    return [str(mail["To"]) for mail in mailbox.messages]


def to_bo(mailbox: Mailbox) -> list[EmailMessage]:
    return [mail for mail in mailbox.messages if "bo@" in str(mail["To"])]


async def mail_rows(rig: Rig) -> list[tuple[Any, ...]]:
    rows = await rig.rows(
        "SELECT person_id, state, reason, due_at FROM message"
        " WHERE channel IN ('email', 'calendar') ORDER BY person_id, message_id"
    )
    return [tuple(row) for row in rows]


async def test_what_may_not_be_said_now_is_held_until_its_readers_window_opens(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.chooses(MENTEE, Choices(hours=TUESDAYS))
    await rig.tell(started())

    await rig.send()

    opens = START + DAY + timedelta(hours=1)
    assert len(mails(mailbox)) == 1
    assert (MENTEE, "queued", "quiet_hours", opens) in await mail_rows(rig)
    assert await rig.announced() == [("notification.held", MENTEE), ("notification.sent", MENTOR)]

    rig.clock.at = opens
    await rig.send()
    assert len(mails(mailbox)) == 2


async def test_a_choice_made_meanwhile_counts_when_the_window_opens(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.chooses(MENTEE, Choices(hours=TUESDAYS))
    await rig.tell(started())
    await rig.send()

    await rig.chooses(MENTEE, Choices(ways={"*": {"email": "off"}}))
    rig.clock.at = START + DAY + timedelta(hours=1)
    await rig.send()

    assert to_bo(mailbox) == []
    assert ("notification.suppressed", MENTEE) in await rig.announced()


async def test_the_pairs_agreed_hours_hold_a_message_too(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    agreed = signed().model_copy(
        update={
            "hours": (AgreedHours(person_id=MENTEE, weekday=3, from_minute=600, until_minute=720),)
        }
    )
    await rig.tell(agreed)
    await rig.tell(started())

    await rig.send()

    held = [row for row in await mail_rows(rig) if row[1] == "queued"]
    assert {row[0] for row in held} == {MENTEE}
    assert {row[3] for row in held} == {datetime(2026, 3, 4, 10, tzinfo=START.tzinfo)}


async def test_leave_is_silence_and_ends_in_the_morning_of_the_day_one_is_back(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(
        PersonLeaveEnded(
            person_id=MENTEE,
            leave_id="l1",
            started_on=date(2026, 3, 1),
            back_on=date(2026, 3, 5),
        )
    )
    await rig.tell(started())

    await rig.send()

    assert len(mails(mailbox)) == 1
    rows = [row for row in await mail_rows(rig) if row[0] == MENTEE and row[1] == "queued"]
    assert {(row[2], row[3]) for row in rows} == {
        ("leave", datetime(2026, 3, 5, tzinfo=START.tzinfo))
    }
    rig.clock.at = datetime(2026, 3, 5, tzinfo=START.tzinfo)
    await rig.send()
    assert to_bo(mailbox) == []
    rig.clock.at += timedelta(hours=8)
    await rig.send()
    assert len(to_bo(mailbox)) == 1


async def test_a_budget_is_one_over_everything_and_starts_anew_on_the_next_day(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(budget_per_day=1))
    for number in range(3):
        await rig.tell(started().model_copy(update={"started_at": START + number * DAY}))

    await rig.send()
    today = len(mails(mailbox))
    await rig.send()
    again = len(mails(mailbox))
    rig.clock.at = START + DAY
    await rig.send()

    assert (today, again, len(mails(mailbox))) == (2, 2, 4)
    assert ("notification.held", MENTEE) in await rig.announced()


async def test_two_senders_at_once_do_not_spend_a_budget_twice(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(budget_per_day=2))
    for number in range(6):
        await rig.tell(started().model_copy(update={"started_at": START + number * DAY}))
    others = [rig.again(send_batch=2) for _ in range(4)]

    for _ in range(6):
        await asyncio.gather(*(other.send() for other in others))

    assert len(mails(mailbox)) == 4


async def test_a_second_attempt_takes_no_second_place(pool: Pool) -> None:
    with Difficult(recipient=["450 not now"] * 2) as server:
        rig = Rig.on(pool, server.port)
        await rig.everybody_joins()
        await rig.chooses(EVERYBODY, Choices(budget_per_day=1))
        await rig.tell(started())
        await rig.send()
        rig.pass_time(minutes=2)

        await rig.send()

        assert len(server.messages) == 2


async def test_an_urgent_word_comes_by_night_and_over_the_budget(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(budget_per_day=0))
    await rig.tell(started())
    await rig.change("UPDATE message SET is_urgent = true WHERE channel = 'email'")
    rig.clock.at = START + timedelta(hours=15)
    assert rig.clock.at.hour == 0

    await rig.send()

    assert len(mails(mailbox)) == 2


async def test_what_is_gathered_comes_as_one_mail_at_the_time_one_reads(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.chooses(MENTEE, Choices(ways=DIGESTS, digest=Digest(at_minute=16 * 60)))
    for number in range(3):
        await rig.tell(started().model_copy(update={"started_at": START + number * DAY}))
    await rig.send()
    await rig.digest()
    assert to_bo(mailbox) == []

    rig.clock.at = START.replace(hour=16)
    await rig.digest()
    await rig.digest()

    (mail,) = to_bo(mailbox)
    assert str(mail["Subject"])
    sent = [each for each in await rig.announced() if each == ("notification.sent", MENTEE)]
    assert len(sent) == 3


async def test_a_digest_in_doubt_comes_again_with_the_same_id(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    await rig.chooses(MENTEE, Choices(ways=DIGESTS, digest=Digest(at_minute=16 * 60)))
    await rig.tell(started())
    rig.clock.at = START.replace(hour=16)
    await rig.digest()
    # As a sender leaves it that was killed after the mail server had said yes.
    await rig.change(
        "UPDATE message SET state = 'claimed', sent_at = NULL, due_at = $1"
        " WHERE digest_id IS NOT NULL",
        rig.clock.at,
    )
    rig.pass_time(minutes=6)

    await rig.digest()

    (first, second) = to_bo(mailbox)
    assert str(first["Message-ID"]) == str(second["Message-ID"])


async def test_who_left_gets_no_digest(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    await rig.chooses(MENTEE, Choices(ways=DIGESTS, digest=Digest(at_minute=16 * 60)))
    await rig.tell(started())

    await rig.tell(left(MENTEE))
    rig.clock.at = START.replace(hour=16)
    await rig.digest()

    assert to_bo(mailbox) == []


async def test_an_invitation_that_was_held_too_long_is_never_late(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(hours=TUESDAYS))
    await rig.tell(scheduled(by=MENTOR, starts_at=START + timedelta(hours=20)))
    await rig.send()

    rig.clock.at = START + DAY + timedelta(hours=1)
    await rig.tidy()
    await rig.send()

    assert mails(mailbox) == []
    assert {row[1] for row in await mail_rows(rig)} <= {"expired", "suppressed"}


async def test_a_change_of_zone_moves_what_is_held(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    rig.clock.at = START.replace(hour=22)
    await rig.tell(started())
    await rig.send()
    assert mails(mailbox) == []

    await rig.tell(joined(MENTEE, "Bo", timezone="Pacific/Auckland"))
    rig.clock.at = START.replace(hour=22) + timedelta(minutes=5)
    await rig.send()

    # In Auckland it is eleven in the morning.
    assert len(mails(mailbox)) == 1


async def test_hours_that_are_chosen_meanwhile_count_at_once(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    await rig.chooses(MENTEE, Choices(hours=TUESDAYS))
    await rig.tell(started())
    await rig.send()
    assert to_bo(mailbox) == []

    rig.pass_time(minutes=1)
    await rig.chooses(MENTEE, Choices(hours=()))
    await rig.chooses(MENTEE, Choices())
    await rig.send()

    assert len(to_bo(mailbox)) == 1
