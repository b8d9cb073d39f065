"""A whole matching run over the real database: read, matched in its process, kept, committed.

The people are those of the benchmark `matching`; no broker, so that facts wait in the outbox.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import orjson

from deploy.local.stack import Stack, StackOptions
from services.matching.domain.programme import Settings
from services.matching.domain.run import Wish
from services.matching.engine.side import Side
from services.matching.handlers import programmes, runs
from services.matching.handlers.programmes import Wish as Programme
from services.matching.run_process import RunProcesses
from services.matching.runner import Runner
from shared.asking import Ask
from shared.clock import FixedClock
from shared.ids import PersonId, ProgrammeId, TenantId, new_id
from shared.postgres.pool import open_pool
from tests.benchmarks.harness import Bench, Result
from tests.benchmarks.organisation import COUNTRIES, PLACES, organisation
from tests.support.databases import Databases, service_dsn

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ASK = Ask(TenantId("bench"), PersonId("boss"), NOW, "manager")
SPRING = ProgrammeId("spring")
AT_ONCE = 5_000
KIB = 1024
_PERSON = """
    INSERT INTO person (tenant, person_id, display_name, timezone, manager_id, languages,
                                 hours, roles, capacity, offers, goals, org_unit, grade, active,
                                 as_of, event_id)
    VALUES ('bench', $1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, true, now(),
            gen_random_uuid())
"""


async def measure(bench: Bench) -> list[Result]:
    """From asking for the run to its result, and from the commit to its last proposal."""
    mentees = bench.size(small=10_000, full=100_000)
    everybody = organisation(mentees, mentees // 5, bench.seed)
    with Stack.start(StackOptions(kafka=False)) as stack:
        admin = await Databases(stack.postgres_dsn).create("matching")
        bench.say(f"{mentees:,} mentees, {mentees // 5:,} mentors into the database")
        await fill(admin, "mentee", everybody.mentees)
        await fill(admin, "mentor", everybody.mentors)
        return await _run(bench, service_dsn(admin, "matching"))


async def _run(bench: Bench, dsn: str) -> list[Result]:
    clock = FixedClock(NOW)
    async with await open_pool(dsn, service="matching", size=4) as pool:
        await programmes.put(pool, ASK, SPRING, Programme("Spring", Settings(), is_open=True))
        run = await runs.ask_for(pool, ASK, SPRING, Wish(new_id()))
        runner = Runner(pool, clock, RunProcesses(dsn, pool, clock).execute)
        bench.say("the run")
        began = time.perf_counter()
        await runner.step()
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / KIB
        found = await runs.report(pool, ASK, run.run_id)
        bench.say("the commit")
        await runs.commit(pool, ASK, run.run_id)
        began = time.perf_counter()
        while await runner.step():
            pass
        committed = time.perf_counter() - began
        counts = (await runs.look(pool, ASK, run.run_id)).counts
    measures, proof = found["measures"], found["certificate"]
    note = (
        f"{measures['placed']:,} of {measures['mentees']:,} placed, gap {proof['gap']},"
        f" {found['broken_rules']} broken rules; the process starts, reads, works and keeps"
    )
    return [
        Result("run", "asked to ready", took, "s", wanted="<= 180", note=note),
        Result("run", "peak memory", peak, "MiB", wanted="<= 3,072"),
        Result("run", "commit", counts["proposed"] / committed, "proposals/s"),
    ]


async def fill(dsn: str, role: str, side: Side) -> None:
    """As the database's owner, for whom no policy hides a row."""
    conn = await asyncpg.connect(
        dsn, command_timeout=600, server_settings={"search_path": "matching"}
    )
    try:
        for at in range(0, len(side), AT_ONCE):
            here = range(at, min(at + AT_ONCE, len(side)))
            await conn.executemany(_PERSON, [_row(role, side, row) for row in here])
        await conn.execute("ANALYZE person")
    finally:
        await conn.close()


def _row(role: str, side: Side, row: int) -> Sequence[object]:
    is_mentor = role == "mentor"
    _, zone, *_ = COUNTRIES[row % len(COUNTRIES)]
    begins = 60 * (7 + row % 4)
    week = [
        {"weekday": day, "from_minute": begins, "until_minute": begins + 480} for day in range(1, 6)
    ]
    topics = list(side.topics[row])
    return (
        side.ids[row],
        zone,
        side.managers[row],
        list(side.languages[row]),
        orjson.dumps(week if row % 5 < 3 else []).decode(),
        [role],
        PLACES if is_mentor else 0,
        topics if is_mentor else [],
        [] if is_mentor else topics,
        side.units[row],
        side.grades[row],
    )
