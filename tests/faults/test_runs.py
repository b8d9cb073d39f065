"""A matching worker killed in the middle of runs and commits: everybody is proposed once, or not.

Real processes: the worker is ended as by a power cut, while its run is worked out by a process of
its own, and again between the batches of the commit.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import psutil
import pytest

from deploy.local.network import Network, NetworkOptions
from deploy.local.stack import Stack
from services.matching.domain.programme import Settings
from services.matching.domain.run import State, Wish
from services.matching.handlers import programmes, runs
from services.matching.handlers.programmes import Wish as Programme
from services.matching.run_process import CHILD
from shared.asking import Ask
from shared.ids import PersonId, ProgrammeId, TenantId, new_id
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import reading_for
from tests.benchmarks.bench_run import fill
from tests.benchmarks.organisation import organisation
from tests.support.waiting import until

pytestmark = pytest.mark.stack

SEED = 20261123
TENANT, SPRING = TenantId("bench"), ProgrammeId("spring")
MATCHING = ("matching", "worker")
_DONE = "SELECT count(*) FROM run_pair WHERE tenant = $1 AND run_id = $2 AND became IS NOT NULL"
_TWICE = """
    SELECT mentee_id FROM pair WHERE tenant = $1 AND state = 'proposed'
    GROUP BY mentee_id HAVING count(*) > 1
"""
_TOO_MANY = """
    SELECT person_id FROM person JOIN pair USING (tenant)
    WHERE tenant = $1 AND pair.mentor_id = person_id AND state = 'proposed'
    GROUP BY person_id, capacity HAVING count(*) > capacity
"""
# What was announced and is no pair, or is a pair and was not announced, or was announced twice.
_UNTOLD = """
    SELECT * FROM (SELECT aggregateid FROM outbox WHERE type LIKE '%pair.proposed%') AS told
    FULL JOIN (SELECT tenant || '/' || pair_id AS aggregateid FROM pair WHERE tenant = $1) AS kept
         USING (aggregateid)
    WHERE told IS NULL OR kept IS NULL
"""
_TOLD_TWICE = """
    SELECT aggregateid FROM outbox WHERE type LIKE '%pair.proposed%' AND $1 <> ''
    GROUP BY aggregateid HAVING count(*) > 1
"""


@dataclass(frozen=True, slots=True)
class Size:
    """So many runs over so many new mentees each, and how often the worker is killed in each."""

    rounds: int
    mentees: int
    in_work: int
    in_commit: int


SMALL, FULL = Size(1, 3_000, 1, 1), Size(4, 6_000, 2, 3)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(SMALL, id="2 times in a run of 3,000", marks=pytest.mark.full),
        pytest.param(FULL, id="20 times in four runs of 6,000", marks=pytest.mark.full),
    ],
)
async def test_a_worker_killed_in_runs_and_commits_proposes_everybody_once(size: Size) -> None:
    """Seen to fail where only `queued` runs are begun (the run stays as it was), and where facts
    are announced in a transaction of their own (pairs that nobody was told of)."""
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    with Stack.start(environ={}) as stack:
        network = Network(stack, NetworkOptions(environ={"MATCHING_RUNS_EVERY_S": "0.05"}))
        await network.prepare()
        everybody = organisation(size.rounds * size.mentees, size.rounds * size.mentees // 4, SEED)
        await fill(stack.postgres_dsn, "mentor", everybody.mentors)
        pool = await open_pool(network.dsn("matching"), service="matching", size=4)
        try:
            await programmes.put(pool, ask(), SPRING, Programme("Spring", Settings(), is_open=True))
            with network:
                network.launch(*MATCHING)
                for n in range(size.rounds):
                    rows = range(n * size.mentees, (n + 1) * size.mentees)
                    await fill(stack.postgres_dsn, "mentee", everybody.mentees.taking(rows))
                    await one_round(Round(network, pool, chance, size))
                await until(nobody_of(network), what="every process of a run ended")
            await assert_all_is_well(pool)
        finally:
            pool.terminate()


@dataclass(frozen=True, slots=True)
class Round:
    """One run over whoever waits, and the worker that is killed."""

    network: Network
    pool: Pool
    chance: random.Random
    size: Size

    async def state(self, run_id: UUID) -> State:
        return (await runs.look(self.pool, ask(), run_id)).run.state

    async def count(self, statement: str, *args: object) -> int:
        async with reading_for(self.pool, TENANT) as conn:
            return int(await conn.fetchval(statement, TENANT, *args))

    async def kill_when(self, reached: Callable[[], Awaitable[object]], what: str) -> None:
        await until(reached, what=what, timeout_s=120)
        self.network.kill(MATCHING[0])
        self.network.launch(*MATCHING)


async def one_round(it: Round) -> None:
    run = await runs.ask_for(it.pool, ask(), SPRING, Wish(new_id()))
    for attempt in range(1, it.size.in_work + 1):
        await it.kill_when(at_work(it, run.run_id, attempt), "a run that is being worked out")
    await until(lambda: is_(it, run.run_id, "ready"), what="a result", timeout_s=120)
    looked = await runs.look(it.pool, ask(), run.run_id)
    assert looked.run.attempt == it.size.in_work + 1

    await runs.commit(it.pool, ask(), run.run_id)
    whole = sum(looked.counts.values())
    points = sorted(it.chance.sample(range(1, whole * 2 // 3), it.size.in_commit))
    for point in points:
        await it.kill_when(committed(it, run.run_id, point), f"{point} of {whole} proposals")
    await until(lambda: is_(it, run.run_id, "committed"), what="a commit", timeout_s=120)

    counts = (await runs.look(it.pool, ask(), run.run_id)).counts
    print(f"attempt {looked.run.attempt}, {counts}, killed at {points}")
    assert counts == {"proposed": whole}


def at_work(it: Round, run_id: UUID, attempt: int) -> Callable[[], Awaitable[bool]]:
    """Whether this attempt has begun, and its process is somewhere in its work."""

    async def reached() -> bool:
        run = (await runs.look(it.pool, ask(), run_id)).run
        return (run.state, run.attempt) == ("running", attempt) and run.stage != "starting"

    return reached


def committed(it: Round, run_id: UUID, point: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return await it.count(_DONE, run_id) >= point

    return reached


async def is_(it: Round, run_id: UUID, state: State) -> bool:
    found = await it.state(run_id)
    assert found != "failed"
    return found == state


def nobody_of(network: Network) -> Callable[[], Awaitable[bool]]:
    """Whether no process of a run is left, of this network's worker or of one that was killed."""
    dsn = network.dsn("matching")

    async def gone() -> bool:
        found = [each for each in psutil.process_iter() if is_child(each, dsn)]
        return not found

    return gone


def is_child(process: psutil.Process, dsn: str) -> bool:
    try:
        return CHILD in process.cmdline() and process.environ().get("MATCHING_POSTGRES") == dsn
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


async def assert_all_is_well(pool: Pool) -> None:
    async with reading_for(pool, TENANT) as conn:
        for what in (_TWICE, _TOO_MANY, _UNTOLD, _TOLD_TWICE):
            assert await conn.fetch(what, TENANT) == [], what


def ask() -> Ask:
    return Ask(TENANT, PersonId("boss"), datetime.now(UTC), "manager")
