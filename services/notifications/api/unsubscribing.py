"""Routes of the links in mails. A link is all it takes: who has a mail may stop such mails.

Looking changes nothing: scanners of mail follow links, and must not stop anything (RFC 8058 4).
"""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.notifications.domain.workflow import Category
from services.notifications.domain.workflows import CATEGORIES
from services.notifications.handlers import preferences
from services.notifications.links import PATH, Links, Stop
from services.notifications.pages import POLICY, unsubscribe_page
from services.notifications.queries import people
from shared.clock import Clock
from shared.errors import NotFound
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def build_router(pool: Pool, clock: Clock, links: Links | None) -> APIRouter:
    """Ask, and do. Without `links` no mail has any, and there is nothing here."""
    router = APIRouter()

    @router.get(f"{PATH}/{{token}}", response_class=HTMLResponse, summary="Ask whether to stop")
    async def ask(token: str) -> HTMLResponse:
        stop, category = _read(links, token)
        async with reading_for(pool, stop.tenant) as conn:
            locale = await people.locale_of(conn, stop.tenant, stop.person)
        return HTMLResponse(unsubscribe_page(category, locale, is_done=False), headers=_HEADERS)

    @router.post(f"{PATH}/{{token}}", response_class=HTMLResponse, summary="Stop such mails")
    async def stop_mails(token: str) -> HTMLResponse:
        """As often as one likes; the same answer for who is not here any more."""
        stop, category = _read(links, token)
        async with acting_for(pool, stop.tenant) as conn:
            locale = await people.locale_of(conn, stop.tenant, stop.person)
            if await people.is_known(conn, stop.tenant, stop.person):
                await preferences.stop(conn, stop.tenant, stop.person, category, clock.now())
        return HTMLResponse(unsubscribe_page(category, locale, is_done=True), headers=_HEADERS)

    return router


def _read(links: Links | None, token: str) -> tuple[Stop, Category]:
    if links is None:
        raise NotFound("there is no such link")
    stop = links.read(token)
    if stop.category not in CATEGORIES:
        raise NotFound("there is no such link any more")
    return stop, cast("Category", stop.category)
