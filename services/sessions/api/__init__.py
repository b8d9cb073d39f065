"""HTTP: parse, authorise, call one handler, render. Holds no SQL and no rule."""

from __future__ import annotations

from fastapi import FastAPI

from services.sessions.access import ACCESS
from services.sessions.api.agenda import agenda_router
from services.sessions.api.agreements import agreements_router
from services.sessions.api.boundaries import boundaries_router
from services.sessions.api.calendar import calendar_router
from services.sessions.api.commitments import commitments_router
from services.sessions.api.feedback import feedback_router
from services.sessions.api.goals import goals_router
from services.sessions.api.notes import notes_router
from services.sessions.api.pairs import pairs_router
from services.sessions.api.proposals import proposals_router
from services.sessions.api.repairs import repairs_router
from services.sessions.api.sessions import sessions_router
from services.sessions.domain.rules import Rules
from shared.audit.api import audit_router
from shared.clock import Clock
from shared.http import new_api
from shared.postgres.pool import Pool
from shared.routing import include


def build_api(pool: Pool, clock: Clock, rules: Rules) -> FastAPI:
    """The service's API, wired to its database, clock and rules."""
    api = new_api("sessions", "What a pair agreed and did.")
    api.state.clock = clock
    routers = (
        pairs_router(pool),
        agreements_router(pool),
        sessions_router(pool, rules),
        proposals_router(pool, rules),
        feedback_router(pool),
        commitments_router(pool, rules),
        repairs_router(pool, rules),
        boundaries_router(pool),
        goals_router(pool),
        agenda_router(pool),
        notes_router(pool),
        calendar_router(pool),
        audit_router(pool),
    )
    include(api, routers, access=ACCESS, prefix="/v1")
    return api
