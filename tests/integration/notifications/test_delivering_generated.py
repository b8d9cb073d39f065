"""Generated days: facts of several pairs, receivers that fail as they like, replays in between."""

from __future__ import annotations

import random

import pytest

from shared.postgres.pool import Pool
from tests.integration.notifications.hooks import BOSS, Hooks, hooks_on, of_pair
from tests.support.receiver import CUT, FAILS, OK, Answer, Receiver, busy
from tests.unit.notifications.builders import START, held, scheduled, started, warned

pytestmark = pytest.mark.stack

FACTS = (started(), scheduled(), held(), warned())
ANSWERS = (OK, OK, OK, FAILS, CUT, busy("30"), Answer(302), Answer(404))
PAIRS = 4


class Noting(Receiver):
    """Remembers what it has taken, in the order it said yes."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self.chance = random.Random(0)
        self.is_difficult = True

    async def _answer(self, answer: Answer, writer: object) -> bool:
        answer = self.chance.choice(ANSWERS) if self.is_difficult else OK
        if answer is OK:
            self.taken.append(self.got[-1].id)
        return await super()._answer(answer, writer)  # type: ignore[arg-type]


async def a_day(hooks: Hooks, chance: random.Random, path: str) -> list[list[str]]:
    """The ids of each pair's facts, in the order they happened."""
    told: list[list[str]] = [[] for _ in range(PAIRS)]
    for _ in range(40):
        match chance.randrange(5):
            case 0 | 1:
                pair = chance.randrange(PAIRS)
                told[pair] += await hooks.tell(of_pair(chance.choice(FACTS), pair))
            case 2:
                hooks.pass_time(seconds=chance.choice((1, 5, 60, 1_800)))
            case 3:
                await hooks.deliver()
            case _:
                other = hooks.again()
                await hooks.deliver(other)
    # What has been delivered until now may come again, and what waits may not be doubled by it.
    if chance.random() < 0.5:
        hooks.pass_time(seconds=1)
        await hooks.http.post(path, json={"from": START.isoformat()}, headers=BOSS)
    return told


@pytest.mark.parametrize("seed", range(6))
async def test_everything_comes_in_the_order_of_its_pair(pool: Pool, seed: int) -> None:
    chance = random.Random(seed)
    receiver = Noting()
    receiver.chance = chance
    async with receiver, hooks_on(pool, each=1) as hooks:
        made = await hooks.endpoint(receiver.url)
        told = await a_day(hooks, chance, f"/v1/endpoints/{made['endpoint_id']}/replay")
        before_replay = list(receiver.taken)
        receiver.is_difficult = False
        while await hooks.deliverer.step_replays():
            pass
        for _ in range(12):
            hooks.pass_time(hours=25)
            await hooks.change(made, is_enabled=True)
            await hooks.deliver()

        for ids in told:
            first_time = [each for each in dict.fromkeys(receiver.taken) if each in ids]
            assert first_time == ids, "none lost, none overtaken"
        assert len(before_replay) == len(set(before_replay)), "what was taken is not sent again"
        counts = {each: receiver.taken.count(each) for each in receiver.taken}
        assert max(counts.values(), default=0) <= 2, "a replay sends once more, not twice"
