"""Insights, put together. The only place where its parts are built; decides nothing."""

from __future__ import annotations

from functools import partial

from services.insights import gauges
from services.insights.alerting import look
from services.insights.api import build_api
from services.insights.freshness import Freshness, note_ends
from services.insights.managed import Managers
from services.insights.measuring import measure, stand_back
from services.insights.page_files import Page
from services.insights.ring import forget
from services.insights.rounds import Rounds
from services.insights.settings import InsightsSettings
from services.insights.signing_in import Providers
from services.insights.streams.live import Live
from shared.clock import Clock
from shared.events import topics
from shared.identity.issuers import read_issuers
from shared.kafka.lag import CaughtUp
from shared.postgres.pool import Pool
from shared.service import Loop, Service

# What facts make of a pair is stored at once; telling the others may wait while there are more.
SURFACE_SHARE = 0.15
FORGET_EVERY_S = 10.0


def build(settings: InsightsSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired but not started. All four are built by one signature."""
    rounds = Rounds(pool)
    freshness = Freshness(pool)
    live = Live(settings, pool, freshness)
    ring = partial(forget, pool, settings.stream_ring_rows, settings.stream_ring_s)
    managers = Managers(pool, clock)
    issuers = read_issuers(settings.identity_file) if settings.identity_file else ()
    providers = Providers(issuers, settings.page_url)
    return Service(
        name="insights",
        group=topics.INSIGHTS,
        apply=rounds.apply,
        committed=rounds.committed,
        note_ends=partial(note_ends, pool, clock),
        measure=gauges.measure,
        api=build_api(pool, clock, live, freshness, Page(settings.page_dir), providers),
        serve=live.run,
        close=providers.aclose,
        loops=(
            _surfacing(settings, rounds),
            Loop("managers", settings.people_every_s, managers.step),
            Loop("ring", FORGET_EVERY_S, ring),
            _measuring(settings, pool, clock),
            Loop("look", settings.look_every_s, partial(look, pool, clock), SURFACE_SHARE),
        ),
    )


def _surfacing(settings: InsightsSettings, rounds: Rounds) -> Loop:
    return Loop(
        "surface",
        settings.surface_every_s,
        rounds.surface,
        SURFACE_SHARE,
        wake=rounds.wake,
        gather_s=settings.surface_gather_s,
    )


def _measuring(settings: InsightsSettings, pool: Pool, clock: Clock) -> Loop:
    """Programmes are measured by the live database alone, and only when all facts are counted."""
    if settings.group_suffix:
        return Loop("measure", settings.measure_every_s, partial(stand_back, pool))
    caught_up = CaughtUp(
        pool, topics.INSIGHTS, bootstrap=settings.broker, namespace=settings.namespace
    )
    step = partial(measure, pool, clock, caught_up)
    return Loop("measure", settings.measure_every_s, step, SURFACE_SHARE)
