"""Connections: a few, kept from batch to batch, and none that is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from deploy.local.mailbox import HOST, Mailbox
from services.notifications.channels import Letter
from services.notifications.channels.email import EmailChannel, Keeping, Server
from services.notifications.domain.attempt import Outcome
from services.notifications.rendering import Words
from shared.ids import NotificationId
from tests.integration.notifications.rig import CUT, SENDER, Difficult
from tests.unit.notifications.builders import PAIR, START

SENT = Outcome("accepted")


@pytest.fixture
def server() -> Iterator[Difficult]:
    with Difficult() as running:
        yield running


def channel(server: Difficult, **keeping: float) -> EmailChannel:
    where = Server(HOST, server.port, False, None, None, 2.0)
    kept = Keeping(**{"idle_s": 60, **keeping})  # type: ignore[arg-type]
    return EmailChannel(where, SENDER, "Trustfold", keeping=kept, bounces="b@mentoring.example")


def letter(n: int) -> Letter:
    words = Words("Hello", "Hi\n", "<p>Hi</p>")
    return Letter(NotificationId(UUID(int=n)), PAIR, "bo@acme.example", "Bo", words)


async def batch(way: EmailChannel, count: int, first: int = 0) -> list[Outcome]:
    async with way.open() as post:
        each = (post.deliver(letter(first + n), START) for n in range(count))
        return list(await asyncio.gather(*each))


async def test_no_more_connections_than_said_share_a_batch(server: Difficult) -> None:
    way = channel(server, connections=3)

    assert await batch(way, 40) == [SENT] * 40
    await way.aclose()

    assert len(server.peers) == 3
    assert len({mail["Message-ID"] for mail in server.messages}) == 40


async def test_a_connection_is_used_again_by_the_next_batch(server: Difficult) -> None:
    way = channel(server, connections=1)
    for n in range(3):
        assert await batch(way, 2, n) == [SENT, SENT]
    await way.aclose()

    assert len(server.peers) == 1


async def test_without_keeping_each_batch_has_its_own(server: Difficult) -> None:
    way = channel(server, connections=1, idle_s=0)
    for n in range(3):
        await batch(way, 2, n)

    assert len(server.peers) == 3


async def test_a_connection_is_made_anew_after_some_mails(server: Difficult) -> None:
    way = channel(server, connections=1, mails_each=2)
    assert await batch(way, 6) == [SENT] * 6
    await way.aclose()

    assert len(server.peers) == 3


async def test_a_server_that_closed_a_kept_connection_costs_no_letter() -> None:
    with Difficult() as server:
        way = channel(server, connections=1)
        await batch(way, 1)
        port = server.port
    with Mailbox(port) as back:
        assert await batch(way, 1, 1) == [SENT]
        await way.aclose()
        assert len(back.messages) == 1


async def test_a_connection_that_broke_is_not_used_again(server: Difficult) -> None:
    server.data = [CUT]
    way = channel(server, connections=1)

    assert await batch(way, 2) == [Outcome("deferred", "interrupted"), SENT]
    await way.aclose()

    assert len(server.peers) == 2


async def test_a_server_that_says_it_closes_is_believed(server: Difficult) -> None:
    server.data = ["421 closing"]
    way = channel(server, connections=1)

    assert await batch(way, 2) == [Outcome("deferred", "message_421"), SENT]
    await way.aclose()

    assert len(server.peers) == 2
