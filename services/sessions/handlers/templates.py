"""What programmes suggest to their pairs: managers write it, pairs begin with it."""

from __future__ import annotations

from services.sessions.domain.templates import (
    DEFAULT,
    Draft,
    Suggestion,
    Template,
    draft,
    require_template,
)
from services.sessions.handlers.common import find_pair
from services.sessions.queries import templates
from shared.asking import Ask, Moved
from shared.errors import Forbidden, NotFound, Rejected
from shared.ids import PairId, ProgrammeId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for


class NotAManager(Forbidden):
    """What a programme suggests is for its managers to write."""

    slug = "not-a-manager"


class TemplateExists(Rejected):
    """This programme has a template: send the ETag you read as If-Match."""

    slug = "match-required"
    status = 428


async def write(pool: Pool, ask: Ask, programme: ProgrammeId, template: Template) -> Suggestion:
    """Write what a programme suggests. Agreements are as they were signed.

    Raises NotAManager, Rejected for a window that is none, TemplateExists when there is one and
    the request names no revision, or Moved when it names another than there is.
    """
    if ask.role != "manager":
        raise NotAManager
    require_template(template)
    async with acting_for(pool, ask.tenant) as conn:
        seen = (await _suggestion(conn, ask.tenant, programme)).revision
        if ask.if_match is None and seen:
            raise TemplateExists
        written = Suggestion(ask.tenant, programme, template, seen + 1, ask.person, ask.now)
        if ask.if_match not in (None, seen) or not await templates.save(conn, written):
            raise Moved
        return written


async def view(pool: Pool, ask: Ask, programme: ProgrammeId) -> Suggestion:
    """What a programme suggests. Raises NotFound for whoever is in none of its pairs."""
    async with reading_for(pool, ask.tenant) as conn:
        if ask.role != "manager" and not await templates.is_member(
            conn, ask.tenant, programme, ask.person
        ):
            raise NotFound
        return await _suggestion(conn, ask.tenant, programme)


async def view_draft(pool: Pool, ask: Ask, pair_id: PairId) -> Draft:
    """What a pair may begin with, in both members' zones. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        return draft(await _suggestion(conn, ask.tenant, pair.programme_id), pair)


async def _suggestion(
    conn: Connection, tenant: TenantId, programme: ProgrammeId | None
) -> Suggestion:
    found = await templates.find(conn, tenant, programme) if programme else None
    return found or Suggestion(tenant, programme, DEFAULT)
