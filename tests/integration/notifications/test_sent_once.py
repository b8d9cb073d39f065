"""Sent once: the same fact, two senders, a sender that is killed. Real database, real SMTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.mailbox import Mailbox
from services.notifications.domain.preferences import Choices
from services.notifications.handlers import planning
from services.notifications.handlers.taking import Batch, take
from services.notifications.queries import messages
from services.notifications.queries.preferences import EVERYBODY
from shared.events.matching import PairStarted
from shared.ids import PairId, derived_id
from shared.postgres.tenancy import act_for_all
from tests.integration.notifications.rig import Rig
from tests.unit.notifications.builders import (
    MENTEE,
    MENTOR,
    PROGRAMME,
    START,
    TENANT,
    happened,
    started,
    warned,
)

pytestmark = pytest.mark.stack


class Killed(BaseException):
    """The end of a process, as far as its code can see it."""


def ids(mailbox: Mailbox) -> list[str]:
    return [mail["Message-ID"] for mail in mailbox.messages]


async def test_a_fact_becomes_one_mail_and_one_announcement(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))

    assert await rig.send() == 1
    assert await rig.send() == 0

    (mail,) = mailbox.messages
    assert mail["To"] == "Bo <bo@acme.example>"
    assert mail["Subject"].startswith("Zoë Ångström needs more time for a promise")
    assert await rig.states() == [(MENTEE, "sent", 1, None)]
    assert await rig.announced() == [("notification.sent", MENTEE)]
    assert await rig.announced("inbox") == [("notification.sent", MENTEE)]


async def test_the_same_fact_twice_is_sent_once(rig: Rig, mailbox: Mailbox) -> None:
    event = happened(started())
    await rig.everybody_joins()

    await rig.apply(event)
    await rig.send()
    await rig.apply(event, event)
    await rig.send()

    assert len(ids(mailbox)) == len(set(ids(mailbox))) == 2
    assert len(await rig.announced()) == 2
    assert len(await rig.announced("inbox")) == 2


async def test_the_same_fact_at_the_same_time_is_sent_once(rig: Rig, mailbox: Mailbox) -> None:
    event = happened(started())
    await rig.everybody_joins()

    await asyncio.gather(*(rig.apply(event) for _ in range(6)))
    await rig.send()

    assert len(ids(mailbox)) == len(set(ids(mailbox))) == 2
    assert len(await rig.announced("inbox")) == 2


async def test_a_fact_that_the_inbox_forgot_is_still_sent_once(rig: Rig, mailbox: Mailbox) -> None:
    event = happened(started())
    await rig.everybody_joins()
    await rig.apply(event)
    await rig.send()

    # As if the marks of counted events had been cleared: the messages are unique by themselves.
    async with rig.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await planning.on_told(conn, [event], START)
    await rig.send()

    assert len(ids(mailbox)) == 2
    assert len(await rig.announced()) == 2
    assert len(await rig.announced("inbox")) == 2


async def test_two_senders_at_once_share_the_work(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    pairs = [PairId(derived_id("pair", str(n))) for n in range(30)]
    for pair in pairs:
        fact = PairStarted(
            pair_id=pair,
            mentor_id=MENTOR,
            mentee_id=MENTEE,
            programme_id=PROGRAMME,
            started_at=START,
        )
        await rig.tell(fact)
    await rig.chooses(EVERYBODY, Choices(budget_per_day=50))
    senders = [rig.again(send_batch=7) for _ in range(3)]

    async def drain(sender: Rig) -> int:
        total = 0
        while done := await sender.send():
            total += done
        return total

    shares = await asyncio.gather(*(drain(sender) for sender in senders))

    assert sum(shares) == 60
    assert sum(share > 0 for share in shares) >= 2
    assert len(ids(mailbox)) == len(set(ids(mailbox))) == 60
    assert len(await rig.announced()) == 60


async def test_a_sender_killed_before_it_sent_delays_a_mail_and_loses_none(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))
    await claim_and_die(rig)

    assert await rig.send() == 0
    rig.pass_time(seconds=301)
    assert await rig.send() == 1

    assert len(ids(mailbox)) == 1
    assert await rig.states() == [(MENTEE, "sent", 2, None)]


async def test_a_sender_killed_after_it_sent_repeats_one_mail_under_the_same_id(
    rig: Rig, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.everybody_joins()
    await rig.tell(started())

    async def killed(*_: object) -> bool:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(messages, "settle_sent", killed)
        with pytest.raises(Killed):
            await rig.again(smtp_connections=1).send()
    assert len(ids(mailbox)) == 1
    assert await rig.announced() == []
    rig.pass_time(seconds=301)
    await rig.send()
    rig.pass_time(days=1)
    await rig.send()

    # Two letters, one of them twice: the one in hand, and no other of its batch.
    assert len(ids(mailbox)) == 3
    assert len(set(ids(mailbox))) == 2
    assert len(await rig.announced()) == 2


async def test_a_slow_sender_whose_lease_was_taken_over_announces_nothing_twice(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))
    (slow,) = await claim_and_die(rig)
    rig.pass_time(seconds=301)
    await rig.send()

    async with rig.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        now = rig.clock.now()
        assert await messages.settle_sent(conn, [slow.message.message_id], now) == set()

    assert await rig.announced() == [("notification.sent", MENTEE)]


async def test_a_message_that_always_kills_its_sender_is_given_up(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))
    for _ in range(3):
        await claim_and_die(rig)
        rig.pass_time(seconds=301)

    await rig.again(max_attempts=3).send()

    assert ids(mailbox) == []
    assert await rig.states() == [(MENTEE, "failed", 4, "gave_up")]
    assert await rig.announced() == [("notification.failed", MENTEE)]


async def test_a_lease_that_could_end_in_the_middle_is_not_used(
    rig: Rig, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.everybody_joins()
    await rig.tell(started())
    claim = messages.claim

    async def slowly(*args: Any) -> None:
        await claim(*args)
        rig.pass_time(seconds=299)

    with monkeypatch.context() as patched:
        patched.setattr(messages, "claim", slowly)
        assert await rig.send() == 0
    assert ids(mailbox) == []
    rig.pass_time(seconds=15)
    assert await rig.send() == 2

    assert {(state, attempt) for _, state, attempt, _ in await rig.states()} == {("sent", 1)}


async def claim_and_die(rig: Rig) -> list[messages.Due]:
    """Take what is due, as a sender that is killed right after does."""
    now = rig.clock.now()
    batch = Batch(now, now + timedelta(minutes=5), 50)
    async with rig.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        taken = await take(conn, ("email", "calendar"), batch)
    assert taken
    assert all(one.message.tenant == TENANT for one in taken)
    return taken
