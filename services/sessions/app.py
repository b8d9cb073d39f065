"""Sessions, put together. The only place where its parts are built; decides nothing."""

from __future__ import annotations

from services.sessions import gauges
from services.sessions.api import build_api
from services.sessions.settings import SessionsSettings
from services.sessions.subscribers import build_handlers
from services.sessions.sweeper import sweep
from shared.clock import Clock
from shared.events import topics
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.service import Loop, Service


def build(settings: SessionsSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired but not started."""

    async def sweep_now() -> int:
        return await sweep(
            pool, clock.now(), settings.sweep_batch_pairs, outage_after=settings.outages()
        )

    return Service(
        name="sessions",
        group=topics.SESSIONS_GROUP,
        apply=per_fact(build_handlers(settings.rules())),
        api=build_api(pool, clock, settings.rules()),
        measure=gauges.measure,
        loops=(Loop("sweeper", settings.sweep_every_s, sweep_now),),
    )
