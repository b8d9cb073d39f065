"""How messages fare, for those who oversee them. No words, and nobody's name."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from services.notifications.queries import health
from services.notifications.queries.health import ChannelHealth
from shared.clock import Clock
from shared.http import Authenticated
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

MOST_DAYS = 90


class MessagesHealth(BaseModel):
    """What became of all messages of a tenant since an instant, by channel."""

    since: AwareDatetime
    channels: list[ChannelHealth]


def build_router(pool: Pool, clock: Clock) -> APIRouter:
    """The route under /v1/messages."""
    router = APIRouter()

    @router.get("/v1/messages/health", summary="What became of messages, by channel")
    async def messages_health(
        caller: Authenticated,
        days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="how far back")] = 30,
    ) -> MessagesHealth:
        """Of the last days: what went out, what waits, and what came to nothing."""
        now = clock.now()
        since = now - timedelta(days=days)
        async with reading_for(pool, caller.tenant) as conn:
            found = await health.channels(conn, caller.tenant, since, now)
        return MessagesHealth(since=since, channels=list(found))

    return router
