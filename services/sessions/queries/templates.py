"""Statements on what programmes suggest to their pairs."""

from __future__ import annotations

from dataclasses import asdict

import orjson

from services.sessions.domain.templates import Hours, Suggestion, Template
from shared.ids import PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

_FIND = """
    SELECT revision, template::text AS template, changed_by, changed_at FROM agreement_template
    WHERE tenant = $1 AND programme_id = $2
"""
# Of two who have read the same revision, one finds it: the other waits here for their commit.
_SAVE = """
    INSERT INTO agreement_template
        (tenant, programme_id, revision, template, changed_by, changed_at)
    VALUES ($1, $2, $3, $4::jsonb, $5, $6)
    ON CONFLICT (tenant, programme_id) DO UPDATE
    SET revision = excluded.revision, template = excluded.template,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at
    WHERE agreement_template.revision = excluded.revision - 1
"""
_IS_MEMBER = """
    SELECT EXISTS (SELECT FROM pair WHERE tenant = $1 AND programme_id = $2
                   AND (mentor_id = $3 OR mentee_id = $3))
"""


async def find(conn: Connection, tenant: TenantId, programme: ProgrammeId) -> Suggestion | None:
    row = await conn.fetchrow(_FIND, tenant, programme)
    if row is None:
        return None
    kept = orjson.loads(row["template"])
    return Suggestion(
        tenant, programme, _template(kept), row["revision"], row["changed_by"], row["changed_at"]
    )


async def save(conn: Connection, suggestion: Suggestion) -> bool:
    """Keep it as the revision after the one that was read; False when there is another by now."""
    written: str = await conn.execute(
        _SAVE,
        suggestion.tenant,
        suggestion.programme_id,
        suggestion.revision,
        orjson.dumps(asdict(suggestion.template)).decode(),
        suggestion.changed_by,
        suggestion.changed_at,
    )
    return written.endswith(" 1")


async def is_member(
    conn: Connection, tenant: TenantId, programme: ProgrammeId, person: PersonId
) -> bool:
    """Whether the person is or was in a pair of the programme."""
    found: bool = await conn.fetchval(_IS_MEMBER, tenant, programme, person)
    return found


def _template(kept: dict[str, object]) -> Template:
    lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
    for name in ("hours", "off_limits"):
        lists[name] = tuple(Hours(**each) for each in lists[name])
    return Template(**(kept | lists))  # type: ignore[arg-type]
