"""Statements on what became of a programme's pairs. Names nobody: people are numbers of the answer.

Opens no transaction, holds no rule.
"""

from __future__ import annotations

from services.matching.engine.lift import Past
from shared.ids import ProgrammeId, TenantId
from shared.postgres.pool import Connection

# Pairs that began and whose trust can be told both ways: one that is too early says nothing yet.
_PAST = """
    SELECT dense_rank() OVER (ORDER BY pair.mentor_id) AS mentor,
           dense_rank() OVER (ORDER BY pair.mentee_id) AS mentee,
           ARRAY(SELECT jsonb_array_elements_text(ground -> 'detail')
                 FROM jsonb_array_elements(pair.reasons) AS ground
                 WHERE ground ->> 'code' = 'shared_goals') AS goals,
           trust.mentor_band = 'steady' AND trust.mentee_band = 'steady' AS steady
    FROM pair JOIN pair_trust AS trust USING (tenant, pair_id)
    WHERE pair.tenant = $1 AND pair.programme_id = $2 AND pair.state IN ('started', 'ended')
      AND 'too_early' NOT IN (trust.mentor_band, trust.mentee_band)
"""


async def past(conn: Connection, tenant: TenantId, programme_id: ProgrammeId) -> list[Past]:
    """The programme's pairs whose outcome is known, with the goals they were matched for."""
    return [
        Past(row["mentor"], row["mentee"], tuple(row["goals"]), row["steady"])
        for row in await conn.fetch(_PAST, tenant, programme_id)
    ]
