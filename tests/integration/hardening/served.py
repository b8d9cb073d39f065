"""A service's app with all that stands before it, as it is served. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp

from shared.audit.recording import Recorder
from shared.clock import FixedClock
from shared.edge import edged
from shared.postgres.pool import Pool
from tests.integration.identity.every_service import built, settings_of
from tests.support.callers import signed_in
from tests.unit.notifications.builders import START


@asynccontextmanager
async def served(service: str, pool: Pool, **settings: Any) -> AsyncIterator[ASGIApp]:
    """The app; what it puts on record is written before this ends."""
    recorder = Recorder(service, pool)
    changed = settings_of(service, **settings)
    yield edged(built(service, pool).api, signed_in, recorder, FixedClock(START), changed)
    await recorder.aclose()


def client(app: ASGIApp) -> httpx.AsyncClient:
    """Asks it without a socket; an error of the app's is its 500."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://s")
