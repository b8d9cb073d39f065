"""Where a person is written to in a chat: theirs to set, and never shown again. No SQL."""

from __future__ import annotations

from urllib.parse import urlsplit

from services.notifications.domain.web_address import Reach, read_url
from services.notifications.queries import endpoints
from shared.asking import Ask
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for


async def view(pool: Pool, ask: Ask) -> str | None:
    """The host at which the one who asks is written to, None where there is none."""
    async with reading_for(pool, ask.tenant) as conn:
        url = await endpoints.chat_address(conn, ask.tenant, ask.person)
    return urlsplit(url).hostname if url else None


async def choose(pool: Pool, ask: Ask, reach: Reach, url: str) -> str:
    """Write to them there from now on; its host. Raises Rejected."""
    address = read_url(url, reach)
    async with acting_for(pool, ask.tenant) as conn:
        await endpoints.set_chat(conn, ask.tenant, ask.person, address.text, ask.now)
    return address.host


async def stop(pool: Pool, ask: Ask) -> None:
    """Write to them in no chat."""
    async with acting_for(pool, ask.tenant) as conn:
        await endpoints.forget(conn, ask.tenant, ask.person)
