"""Matching, put together. The only place where its parts are built; decides nothing."""

from __future__ import annotations

from functools import partial

from services.matching import gauges
from services.matching.api import Doors, build_api
from services.matching.api.door import Limit
from services.matching.handlers import door, rankings, shortlists
from services.matching.receipts import Receipts
from services.matching.run_process import RunProcesses
from services.matching.runner import COMMIT, WORK, Runner
from services.matching.settings import MatchingSettings
from services.matching.subscribers import HANDLERS
from services.matching.sweeper import sweep
from shared.clock import Clock
from shared.events import topics
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.service import Loop, Service

FORGET_EVERY_S = 60.0


def build(settings: MatchingSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired but not started. All four are built by one signature."""

    async def sweep_now() -> int:
        return await sweep(pool, clock.now(), settings.sweep_batch)

    async def index_some() -> int:
        return await shortlists.index(pool, clock.now())

    async def make_lists() -> int:
        return await rankings.prepare(pool)

    processes = RunProcesses(settings.dsn, pool, clock)
    runner = Runner(pool, clock, processes.execute)
    return Service(
        name="matching",
        group=topics.MATCHING,
        apply=per_fact(HANDLERS),
        measure=gauges.measure,
        api=build_api(pool, clock, _doors(settings)),
        loops=(
            Loop("sweeper", settings.sweep_every_s, sweep_now),
            Loop("rankings", settings.sweep_every_s, make_lists),
            Loop("index", settings.index_every_s, index_some),
            Loop("runs", settings.runs_every_s, partial(runner.step, WORK)),
            Loop("forget", FORGET_EVERY_S, lambda: door.forget(pool, clock.now())),
            Loop("commits", settings.runs_every_s, partial(runner.step, COMMIT)),
        ),
    )


def _doors(settings: MatchingSettings) -> Doors:
    limit = Limit(settings.events_per_s, settings.events_burst)
    return Doors(limit, settings.scim_rules(), Receipts(settings.receipts()))
