"""HR's other doors: events over HTTP in batches, and a file of everybody.

One process of the API for events, with sign-in, record and limits before it; the load in a process
of its own. The file is read, shown, and applied, as `trustfold people import` does.
"""

from __future__ import annotations

import io
import time

from services.matching.people_file.changes import Reading
from services.matching.people_file.work import Import, Wanted
from shared.asking import Ask
from shared.clock import SystemClock
from shared.ids import PersonId
from shared.postgres.pool import Pool
from tests.benchmarks.facts import TENANT
from tests.benchmarks.harness import Bench, Result, in_child, pool_of
from tests.benchmarks.processes import replicas

BATCH, LANES = 500, 4
LIMITS = {"MATCHING_EVENTS_PER_S": "1000000", "MATCHING_EVENTS_BURST": "10000000"}
_OUTBOX = """
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, ceid, source, subject,
                        dataschema, tenant, "time", correlationid, causationid, traceparent)
    SELECT gen_random_uuid(), 'bare', 'bare', 'bare', $2, n::text, 'bare', 'bare', '', 'bare',
           now(), '', '', '' FROM generate_series(1, $1::int) AS n
"""


async def measure(bench: Bench) -> list[Result]:
    """Events a second that are accepted and stored, and seconds for a file."""
    batches, people = bench.size(small=40, full=400), bench.size(small=10_000, full=100_000)
    async with bench.network(called=True) as network:
        with replicas(network, "matching", ("api",), **LIMITS) as (served,):
            bench.say(f"{batches * BATCH:,} events")
            pace = await in_child(
                "child_doors", url=served.url, batches=batches, batch=BATCH, lanes=LANES
            )
        async with pool_of(network, "matching", size=2) as pool:
            bare = await _bare(pool, batches)
            bench.say(f"a file of {people:,}")
            look_s, apply_s = await _file(pool, people)
    took_s = (look_s + apply_s) * 100_000 / people
    note = f"{people:,} rows: {look_s:.1f} s to show, {apply_s:.1f} s to apply"
    return [
        Result("doors", "bare", bare, "rows/s", note="one INSERT of as many rows a batch"),
        Result(
            "doors", "events", pace["per_s"], "events/s", pace["per_s"] / bare, "doors.bare",
            ">= 5,000", f"{BATCH} a batch, {LANES} at a time, one API; p99 {pace['p99_ms']:.0f} ms",
        ),
        Result("doors", "a file of 100,000", took_s, "s", wanted="<= 60", note=note),
    ]  # fmt: skip


async def _bare(pool: Pool, batches: int) -> float:
    payload = b"x" * 200
    began = time.perf_counter()
    for _ in range(batches):
        await pool.execute(_OUTBOX, BATCH, payload)
    rate = batches * BATCH / (time.perf_counter() - began)
    await pool.execute("DELETE FROM outbox WHERE tenant = 'bare'")
    return rate


async def _file(pool: Pool, people: int) -> tuple[float, float]:
    rows = (
        f"E-{n},p{n}@acme.example,Person {n},unit {n % 90},mentee,de,Europe/Berlin"
        for n in range(people)
    )
    header = "person_id,email,display_name,org_unit,roles,locale,timezone"
    file = io.BytesIO("\n".join((header, *rows)).encode())
    now = SystemClock().now()
    ask = Ask(TENANT, PersonId("people-import"), now, "hr")
    work = Import(pool, ask, file, Wanted(), Reading(now.date()))
    began = time.perf_counter()
    async for _ in work.look():
        pass
    looked = time.perf_counter()
    async for _ in work.apply():
        pass
    assert work.summary.joined == people
    return looked - began, time.perf_counter() - looked
