"""How wide the window is in which a mail may come twice: never wider than the open connections."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from deploy.local.mailbox import Mailbox
from services.notifications.domain.preferences import Choices
from services.notifications.queries.preferences import EVERYBODY
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import CUT, KEEP_AND_CUT, Difficult, Rig
from tests.unit.notifications.builders import DAY, started

pytestmark = pytest.mark.stack

CONNECTIONS = 4


class Signalling(Mailbox):
    """A mail server that says when it has taken so many mails more."""

    def __init__(self) -> None:
        self._until = 0
        self._reached = threading.Event()
        super().__init__()

    def wait_for_more(self, count: int) -> None:
        self._until = len(self.messages) + count
        self._reached.clear()

    @property
    def reached(self) -> threading.Event:
        return self._reached

    def answer_data(self, mail: EmailMessage) -> str:
        # This one is being taken: it is the last that the sender may hear of, or not.
        if len(self.messages) + 1 >= self._until:
            self._reached.set()
        return super().answer_data(mail)


@pytest.fixture
def server() -> Iterator[Signalling]:
    with Signalling() as running:
        yield running


async def many(rig: Rig, facts: int) -> int:
    """So many facts for two people who want to hear of everything; how many mails they make."""
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(budget_per_day=50, hours=None))
    for number in range(facts):
        await rig.tell(started().model_copy(update={"started_at": rig.clock.at + number * DAY}))
    await rig.change("UPDATE message SET is_urgent = true WHERE channel = 'email'")
    return 2 * facts


def copies(mails: tuple[EmailMessage, ...]) -> Counter[str]:
    return Counter(str(mail["Message-ID"]) for mail in mails)


async def test_several_connections_share_a_batch_and_send_each_mail_once(pool: Pool) -> None:
    with Difficult() as server:
        rig = Rig.on(pool, server.port, smtp_connections=CONNECTIONS)
        count = await many(rig, 20)

        assert await rig.send() == count

        assert set(copies(server.messages).values()) == {1}
        assert len(server.messages) == count
        assert 1 < len(server.peers) <= CONNECTIONS


@pytest.mark.parametrize(("kills", "seed"), [(6, 1), pytest.param(200, 2, marks=pytest.mark.full)])
async def test_a_sender_killed_anywhere_doubles_no_more_than_it_had_in_the_air(
    pool: Pool, server: Signalling, kills: int, seed: int
) -> None:
    """Seen to fail where outcomes are written once a batch: then a whole batch is doubled."""
    chance = random.Random(seed)
    rig = Rig.on(pool, server.port, smtp_connections=CONNECTIONS)
    wanted = 0
    for _ in range(kills):
        wanted += await many(rig, 12)
        server.wait_for_more(chance.randrange(1, 20))
        sender = rig.again(smtp_connections=CONNECTIONS)
        sending = asyncio.create_task(sender.send())
        await asyncio.to_thread(server.reached.wait, 10)
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        before = copies(server.messages)
        # The lease of the one that is gone ends; what it had taken is taken again.
        await rig.change("UPDATE message SET expires_at = $1", rig.clock.at + DAY)
        for _ in range(3):
            rig.pass_time(minutes=6)
            while await rig.send():
                pass
        doubled = copies(server.messages) - before
        assert sum(1 for mail in doubled if before[mail]) <= CONNECTIONS

    sent = copies(server.messages)
    assert len(sent) == wanted, "none is lost"
    assert {row[1] for row in await rig.states("mail")} == {"sent"}


@pytest.mark.parametrize("seed", range(3))
async def test_a_server_that_breaks_off_at_will_gets_every_mail(pool: Pool, seed: int) -> None:
    chance = random.Random(seed)
    answers = [
        chance.choice((CUT, KEEP_AND_CUT, "451 later", "250 kept", "250 kept")) for _ in range(40)
    ]
    with Difficult(data=answers) as server:
        rig = Rig.on(pool, server.port, smtp_connections=CONNECTIONS)
        count = await many(rig, 10)
        for _ in range(12):
            await rig.send()
            rig.pass_time(minutes=20)

        sent = copies(server.messages)
        assert len(sent) == count
        assert sum(sent.values()) - count <= answers.count(KEEP_AND_CUT)
