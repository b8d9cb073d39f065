"""HTTP: parse, authorise, call one handler, render. Holds no SQL and no rule."""

from __future__ import annotations

from fastapi import FastAPI

from services.sessions.api.agreements import agreements_router
from services.sessions.api.asking import Asking
from services.sessions.api.commitments import commitments_router
from services.sessions.api.pairs import pairs_router
from services.sessions.api.sessions import sessions_router
from services.sessions.domain.rules import Rules
from shared.clock import Clock
from shared.http import new_api
from shared.postgres.pool import Pool


def build_api(pool: Pool, clock: Clock, rules: Rules) -> FastAPI:
    """The service's API, wired to its database, clock and rules."""
    asking = Asking(clock)
    api = new_api("sessions", "What a pair agreed and did.")
    api.include_router(pairs_router(pool, asking), prefix="/v1")
    api.include_router(agreements_router(pool, asking), prefix="/v1")
    api.include_router(sessions_router(pool, asking, rules), prefix="/v1")
    api.include_router(commitments_router(pool, asking, rules), prefix="/v1")
    return api
