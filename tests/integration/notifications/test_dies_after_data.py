"""Servers and senders that die around DATA: nothing is lost, and what comes twice is the same mail.

The window is between the server's keeping of a mail and our writing that down: each death doubles
at most as many mails as there are connections.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from services.notifications.domain.preferences import Choices
from services.notifications.queries.preferences import EVERYBODY
from shared.events.matching import PairStarted
from shared.ids import PairId, derived_id
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import CUT, KEEP_AND_CUT, Difficult, Rig
from tests.unit.notifications.builders import MENTEE, MENTOR, PROGRAMME, START

pytestmark = pytest.mark.stack

CONNECTIONS = 4
MANY = 200
PAIRS = 6


async def waiting(rig: Rig, pairs: int) -> int:
    """Two mails a pair wait to be sent."""
    await rig.everybody_joins()
    await rig.chooses(EVERYBODY, Choices(budget_per_day=50))
    for n in range(pairs):
        await rig.tell(
            PairStarted(
                pair_id=PairId(derived_id("pair", str(n))),
                mentor_id=MENTOR,
                mentee_id=MENTEE,
                programme_id=PROGRAMME,
                started_at=START,
            )
        )
    return len(await rig.states())


async def drained(rig: Rig) -> None:
    """Send until nothing waits, through leases, waits and days of attention."""
    for _ in range(60):
        while await rig.send():
            pass
        if not await rig.rows("SELECT FROM message WHERE state IN ('queued', 'claimed')"):
            return
        rig.pass_time(hours=2)


def counted(server: Difficult) -> Counter[str]:
    return Counter(mail["Message-ID"] for mail in server.messages)


async def test_a_server_that_dies_around_data_gets_each_mail_again(pool: Pool) -> None:
    with Difficult(data=[CUT, KEEP_AND_CUT, "451 later", KEEP_AND_CUT]) as server:
        rig = Rig.on(pool, server.port, smtp_connections=2)
        count = await waiting(rig, 6)
        await drained(rig)

        came = counted(server)
        assert len(came) == count
        assert sorted(came.values())[-3:] == [1, 2, 2]


@pytest.mark.parametrize("kills", [25, pytest.param(MANY, marks=pytest.mark.full)])
async def test_senders_killed_anywhere_lose_nothing_and_double_little(
    pool: Pool, kills: int
) -> None:
    random = Random(6)
    doubled = 0
    with Difficult() as server:
        rig = Rig.on(pool, server.port, smtp_connections=CONNECTIONS)
        count = await waiting(rig, PAIRS)
        whole = await turns(rig, limit=100_000)
        for _ in range(kills):
            rig.clock.at = START
            await rig.change(
                "UPDATE message SET state = 'queued', sent_at = NULL, due_at = created_at,"
                " attempt = 0 WHERE channel = 'email'"
            )
            before = len(server.messages)
            await turns(rig, limit=random.randrange(whole))
            rig.pass_time(seconds=301)
            while await rig.send():
                pass

            came = Counter(mail["Message-ID"] for mail in server.messages[before:])
            assert len(came) == count
            assert came.total() - count <= CONNECTIONS
            doubled += came.total() - count
    # Of many deaths some must have been where it matters.
    assert doubled > 0 or kills < MANY


async def turns(rig: Rig, limit: int) -> int:
    """Kill a sender of its own after so many turns of the loop; how many it took to its end."""
    step = asyncio.create_task(rig.again(smtp_connections=CONNECTIONS).send())
    taken = 0
    while taken < limit and not step.done():
        await asyncio.sleep(0)
        taken += 1
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    return taken
