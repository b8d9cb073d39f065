"""A tenant's own words: looked at, tried, written, and given back for ours. No SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.notifications.queries import words
from services.notifications.queries.words import Own
from services.notifications.wording import FOUND, check
from shared.asking import Ask
from shared.errors import NotFound
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for


async def changed(pool: Pool, ask: Ask) -> Sequence[Own]:
    """What the tenant says in words of its own."""
    async with reading_for(pool, ask.tenant) as conn:
        return [each for each in await words.newest(conn, ask.tenant) if each.template is not None]


async def look(pool: Pool, ask: Ask, workflow: str, language: str) -> Own:
    """One of them. Raises NotFound for a workflow that there is not."""
    require(workflow)
    async with reading_for(pool, ask.tenant) as conn:
        return await words.one(conn, ask.tenant, workflow, language)


async def write(pool: Pool, ask: Ask, workflow: str, language: str, template: str | None) -> Own:
    """Say it so from now on; None: in our words. Raises Rejected, and Moved."""
    require(workflow)
    if template is not None:
        check(template, workflow)
    async with acting_for(pool, ask.tenant) as conn:
        own = await words.hold(conn, ask.tenant, workflow, language)
        ask.require_unmoved(own)
        if template != own.template:
            own = replace(
                own,
                revision=own.revision + 1,
                template=template,
                changed_at=ask.now,
                changed_by=ask.person,
            )
            await words.save(conn, ask.tenant, own)
        return own


def require(workflow: str) -> None:
    """Raise NotFound for a workflow that there is not."""
    if workflow not in FOUND:
        raise NotFound(f"no such workflow; one of: {', '.join(sorted(FOUND))}", field="workflow")
