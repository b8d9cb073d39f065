"""Insights, put together. The only place where its parts are built; decides nothing."""

from __future__ import annotations

from functools import partial

from services.insights.api import build_api
from services.insights.settings import InsightsSettings
from services.insights.subscribers import APPLY
from services.insights.surfacing import surface
from shared.clock import Clock
from shared.events import topics
from shared.postgres.pool import Pool
from shared.service import Loop, Service

# What facts make of a pair is stored at once; telling the others may wait while there are more.
SURFACE_SHARE = 0.15


def build(settings: InsightsSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired but not started. All four are built by one signature."""
    return Service(
        name="insights",
        group=topics.INSIGHTS,
        apply=APPLY,
        api=build_api(pool, clock),
        loops=(Loop("surface", settings.surface_every_s, partial(surface, pool), SURFACE_SHARE),),
    )
