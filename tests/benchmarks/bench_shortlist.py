"""One person's shortlist among a hundred thousand mentors: how quick, and how near to exact.

The people are those of the benchmark `matching`; the points are made by the service's own indexer.
"""

from __future__ import annotations

import gc
import time
from dataclasses import replace

import numpy as np

from deploy.local.stack import Stack, StackOptions
from services.matching.computing import mentees_side, mentors_side
from services.matching.domain.programme import Settings
from services.matching.engine.candidates import find
from services.matching.handlers import programmes, shortlists
from services.matching.handlers.programmes import Wish as Programme
from services.matching.queries import crowd, places
from shared.ids import PersonId
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import reading_for
from shared.runtime import COLLECT_AFTER
from tests.benchmarks.bench_run import ASK, NOW, SPRING, fill
from tests.benchmarks.harness import Bench, Result
from tests.benchmarks.organisation import organisation
from tests.support.databases import Databases, as_administrator, service_dsn

LIMIT = 50
ASKED = 400
WARM = 20


async def measure(bench: Bench) -> list[Result]:
    """Quickness and recall of what the page asks for."""
    mentors = bench.size(small=10_000, full=100_000)
    everybody = organisation(ASKED + WARM, mentors, bench.seed)
    with Stack.start(StackOptions(kafka=False)) as stack:
        admin = await Databases(stack.postgres_dsn).create("matching")
        bench.say(f"{mentors:,} mentors into the database")
        await fill(admin, "mentee", everybody.mentees)
        await fill(admin, "mentor", everybody.mentors)
        async with await open_pool(
            service_dsn(admin, "matching"), service="matching", size=2
        ) as pool:
            return await _measure(bench, pool, admin)


async def _measure(bench: Bench, pool: Pool, admin: str) -> list[Result]:
    await programmes.put(pool, ASK, SPRING, Programme("Spring", Settings(), is_open=True))
    bench.say("their points")
    began, indexed = time.perf_counter(), 0
    while some := await shortlists.index(pool, NOW):
        indexed += some
    rate = indexed / (time.perf_counter() - began)
    await as_administrator(admin, pool, "ANALYZE matching.person_point")
    bench.say(f"{ASKED} shortlists")
    exact = await _exact(pool)
    # As the service's own process does: what was made to measure with is not looked through again.
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    took, recall = [], []
    for number, (person, fits) in enumerate(exact.items()):
        began = time.perf_counter()
        found = await shortlists.shortlist(
            pool, replace(ASK, person=person), SPRING, "mentee", LIMIT
        )
        if number >= WARM:
            took.append((time.perf_counter() - began) * 1_000)
            recall.append(_recall([each.fit_permille for each in found], fits))
    p50, p99 = np.quantile(took, [0.5, 0.99])
    note = f"{ASKED} people, one after the other, each with its reasons; longest {max(took):.0f}"
    return [
        Result("shortlist", "p50", float(p50), "ms"),
        Result("shortlist", "p99", float(p99), "ms", wanted="<= 50", note=note),
        Result(
            "shortlist",
            "recall at 50",
            float(np.mean(recall)) * 100,
            "%",
            wanted=">= 98",
            note=f"against all pairs weighed; as good a fit counts; worst {min(recall):.2f}",
        ),
        Result("shortlist", "points made", rate, "people/s", note="by one indexer, index included"),
    ]


async def _exact(pool: Pool) -> dict[PersonId, list[int]]:
    """The best fits of everybody who asks, by looking at all pairs."""
    async with reading_for(pool, ASK.tenant) as conn:
        mentors = await crowd.mentors(conn, ASK.tenant, NOW.date(), ())
        mentees = await crowd.mentees(conn, ASK.tenant, NOW, (), None)
        free = await places.free_places(conn, ASK.tenant, None, None, NOW)
    asking, asked = mentees_side(mentees, {}, NOW), mentors_side(mentors, {}, free, NOW)
    settings = Settings(candidates=LIMIT)
    edges = find(asking, asked, settings, frozenset(), None, lambda *_: None)
    starts = edges.starts
    return {
        person: edges.fit[starts[row] : starts[row + 1]][:LIMIT].tolist()
        for row, person in enumerate(asking.ids)
    }


def _recall(found: list[int], exact: list[int]) -> float:
    if not exact:
        return 1.0
    return sum(fit >= exact[-1] for fit in found) / len(exact)
