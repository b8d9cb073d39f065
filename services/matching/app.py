"""Matching, put together. The only place where its parts are built; decides nothing."""

from __future__ import annotations

from services.matching.api import build_api
from services.matching.settings import MatchingSettings
from services.matching.subscribers import HANDLERS
from shared.clock import Clock
from shared.events import topics
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.service import Service


def build(settings: MatchingSettings, pool: Pool, clock: Clock) -> Service:  # noqa: ARG001
    """The service, wired but not started. All four are built by one signature."""
    return Service(
        name="matching",
        group=topics.MATCHING,
        apply=per_fact(HANDLERS),
        api=build_api(pool, clock),
    )
