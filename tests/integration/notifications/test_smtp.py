"""What a mail server can answer, and what becomes of the mail. Real SMTP, real database."""

from __future__ import annotations

import socket

import pytest

from deploy.local.mailbox import HOST, Mailbox
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import CUT, KEEP_AND_CUT, Difficult, Rig
from tests.unit.notifications.builders import MENTEE, MENTOR, started, warned

pytestmark = pytest.mark.stack


async def waiting(rig: Rig) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        pytest.param({"recipient": ["451 greylisted"]}, "recipient_451", id="at RCPT"),
        pytest.param({"data": ["452 disk full"]}, "message_452", id="at DATA"),
    ],
)
async def test_not_now_is_tried_again_later(
    pool: Pool, answers: dict[str, list[str]], reason: str
) -> None:
    with Difficult(**answers) as server:
        rig = Rig.on(pool, server.port)
        await waiting(rig)

        assert await rig.send() == 0
        assert await rig.states() == [(MENTEE, "queued", 1, reason)]
        rig.pass_time(seconds=59)
        assert await rig.send() == 0
        rig.pass_time(seconds=1)
        assert await rig.send() == 1

        assert len(server.messages) == 1
        assert len({mail["Message-ID"] for mail in server.seen}) == 1
        assert await rig.states() == [(MENTEE, "sent", 2, None)]
        assert await rig.announced() == [("notification.sent", MENTEE)]


async def test_not_now_for_ever_is_given_up_in_the_end(pool: Pool) -> None:
    with Difficult(recipient=["450 busy"] * 3) as server:
        rig = Rig.on(pool, server.port, max_attempts=3)
        await waiting(rig)
        for _ in range(4):
            await rig.send()
            rig.pass_time(hours=1)

        assert server.recipient == []
        assert server.messages == ()
        assert await rig.states() == [(MENTEE, "failed", 3, "gave_up")]
        assert await rig.announced() == [("notification.failed", MENTEE)]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        pytest.param({"recipient": ["550 no such user"]}, "recipient_550", id="at RCPT"),
        pytest.param({"data": ["554 no thanks"]}, "message_554", id="at DATA"),
    ],
)
async def test_never_is_not_tried_again(
    pool: Pool, answers: dict[str, list[str]], reason: str
) -> None:
    with Difficult(**answers) as server:
        rig = Rig.on(pool, server.port)
        await waiting(rig)

        assert await rig.send() == 1
        rig.pass_time(hours=2)
        assert await rig.send() == 0

        assert server.messages == ()
        assert await rig.states() == [(MENTEE, "failed", 1, reason)]
        assert await rig.announced() == [("notification.failed", MENTEE)]


async def test_one_refused_mail_does_not_hold_up_the_rest_of_its_batch(pool: Pool) -> None:
    with Difficult(recipient=["550 no such user"]) as server:
        rig = Rig.on(pool, server.port)
        await rig.everybody_joins()
        await rig.tell(started(), warned(by=MENTEE))

        assert await rig.send() == 3

        assert len(server.messages) == 2
        assert sorted(type_ for type_, _ in await rig.announced()) == [
            "notification.failed",
            "notification.sent",
            "notification.sent",
        ]


async def test_a_server_that_leaves_politely_is_tried_again_later(pool: Pool) -> None:
    with Difficult(data=["421 shutting down"]) as server:
        rig = Rig.on(pool, server.port)
        await waiting(rig)

        assert await rig.send() == 0
        rig.pass_time(minutes=1)
        assert await rig.send() == 1

        assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("dies", "kept"),
    [
        pytest.param(CUT, 1, id="without keeping it: it arrives once"),
        pytest.param(KEEP_AND_CUT, 2, id="having kept it: it arrives twice under one id"),
    ],
)
async def test_a_server_that_dies_after_data_gets_the_same_mail_again(
    pool: Pool, dies: str, kept: int
) -> None:
    with Difficult(data=[dies]) as server:
        rig = Rig.on(pool, server.port)
        await waiting(rig)

        assert await rig.send() == 0
        assert await rig.states() == [(MENTEE, "queued", 1, "interrupted")]
        rig.pass_time(minutes=1)
        assert await rig.send() == 1

        assert len(server.seen) == 2
        assert len(server.messages) == kept
        assert len({mail["Message-ID"] for mail in server.seen}) == 1
        assert await rig.announced() == [("notification.sent", MENTEE)]


async def test_the_rest_of_a_batch_goes_by_a_new_connection(pool: Pool) -> None:
    with Difficult(data=[CUT]) as server:
        rig = Rig.on(pool, server.port)
        await rig.everybody_joins()
        await rig.tell(started(), warned(by=MENTEE))

        assert await rig.send() == 2

        assert len(server.messages) == 2
        assert len(server.peers) == 2


async def test_a_server_that_is_away_costs_no_attempt_and_ends_with_the_expiry(
    pool: Pool,
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    rig = Rig.on(pool, port, max_attempts=1)
    await waiting(rig)

    for _ in range(5):
        assert await rig.send() == 0
        assert await rig.states() == [(MENTEE, "queued", 0, "server_unreachable")]
        rig.pass_time(seconds=15)
    rig.pass_time(days=7)
    assert await rig.send() == 0
    assert await rig.tidy() == 1

    assert await rig.states() == [(MENTEE, "expired", 0, "too_late")]
    assert await rig.announced() == []


async def test_a_server_that_comes_back_gets_what_waited(pool: Pool) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    rig = Rig.on(pool, port)
    await rig.everybody_joins()
    await rig.tell(started())
    await rig.send()

    with Mailbox(port) as mailbox:
        rig.pass_time(seconds=15)
        assert await rig.send() == 2

        assert len(mailbox.messages) == 2


async def test_a_batch_uses_one_connection(pool: Pool) -> None:
    with Difficult() as server:
        rig = Rig.on(pool, server.port)
        await rig.everybody_joins()
        await rig.tell(started(), warned(by=MENTEE))
        await rig.send()

        assert len(server.messages) == 3
        assert len(server.peers) == 1


async def test_a_server_without_starttls_gets_nothing_when_tls_is_required(pool: Pool) -> None:
    with Difficult() as server:
        rig = Rig.on(pool, server.port, smtp_starttls=True)
        await waiting(rig)

        assert await rig.send() == 0

        assert server.seen == []
        assert await rig.states() == [(MENTEE, "queued", 0, "server_unreachable")]
