"""Matching's own copy of trust: bands, and not one number. Opens no transaction."""

from __future__ import annotations

from services.matching.domain.guidance import PairTrust, Standing
from shared.events.insights import TrustChanged
from shared.ids import PairId, TenantId
from shared.postgres.pool import Connection

_SAVE_TRUST = """
    INSERT INTO pair_trust (tenant, pair_id, revision, as_of, mentor_band, mentor_weakest,
                            mentee_band, mentee_weakest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET (revision, as_of, mentor_band, mentor_weakest, mentee_band, mentee_weakest)
      = (excluded.revision, excluded.as_of, excluded.mentor_band, excluded.mentor_weakest,
         excluded.mentee_band, excluded.mentee_weakest)
    WHERE pair_trust.revision < excluded.revision
"""
_TRUST = """
    SELECT mentor_band, mentor_weakest, mentee_band, mentee_weakest
    FROM pair_trust WHERE tenant = $1 AND pair_id = $2
"""


async def save(conn: Connection, tenant: TenantId, fact: TrustChanged) -> None:
    """Keep the bands of the highest revision. Reads `partner_safe` alone, and no number of it."""
    safe = fact.partner_safe
    await conn.execute(
        _SAVE_TRUST,
        tenant,
        fact.pair_id,
        fact.revision,
        safe.as_of,
        safe.about_mentor.band,
        safe.about_mentor.weakest,
        safe.about_mentee.band,
        safe.about_mentee.weakest,
    )


async def of_pair(conn: Connection, tenant: TenantId, pair_id: PairId) -> PairTrust | None:
    row = await conn.fetchrow(_TRUST, tenant, pair_id)
    if row is None:
        return None
    return PairTrust(
        Standing(row["mentor_band"], row["mentor_weakest"]),
        Standing(row["mentee_band"], row["mentee_weakest"]),
    )
