"""Commands on agreements: propose, sign."""

from __future__ import annotations

from services.sessions.domain import agreement as rules_of
from services.sessions.domain.agreement import Agreement, Terms
from services.sessions.handlers import once
from services.sessions.handlers.common import Ask, announce, lock_pair
from services.sessions.queries import agreements
from shared.errors import NotFound
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for


async def propose(pool: Pool, ask: Ask, pair_id: PairId, terms: Terms) -> Agreement:
    """Put a new version before the other side. Nothing is in force before they sign."""
    fingerprint = once.fingerprint_of("propose", pair_id, terms)
    async with acting_for(pool, ask.tenant) as conn:
        pair = await lock_pair(conn, ask, pair_id)
        if (version := await once.earlier(conn, ask, fingerprint)) is not None:
            if (before := await agreements.version(conn, pair, int(version))) is None:
                raise NotFound
            return before
        newest = await agreements.newest(conn, pair)
        proposed = rules_of.propose(pair, newest, ask.person, terms, ask.now)
        await agreements.save(conn, proposed)
        await once.remember(conn, ask, fingerprint, str(proposed.version))
        return proposed


async def sign(pool: Pool, ask: Ask, pair_id: PairId, version: int) -> Agreement:
    """Sign the newest version as the other side; from then on it is in force."""
    async with acting_for(pool, ask.tenant) as conn:
        pair = await lock_pair(conn, ask, pair_id)
        newest = await agreements.newest(conn, pair)
        signed, happened = rules_of.sign(pair, newest, version, ask.person, ask.now)
        await agreements.save(conn, signed)
        await announce(conn, happened)
        return signed
