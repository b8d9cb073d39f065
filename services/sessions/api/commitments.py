"""Routes on commitments."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asking, IdempotencyKey
from services.sessions.api.shapes import CommitmentOut, KeptIn, PromiseIn, commitment_out
from services.sessions.domain.commitment import Promise
from services.sessions.domain.rules import Rules
from services.sessions.handlers import commitments
from shared.http import Authenticated
from shared.ids import CommitmentId, PairId
from shared.postgres.pool import Pool


def commitments_router(pool: Pool, asking: Asking, rules: Rules) -> APIRouter:
    """Make, keep, warn, tell."""
    router = APIRouter(tags=["commitments"])

    @router.post("/pairs/{pair}/commitments", status_code=201)
    async def make(
        pair: UUID, body: PromiseIn, caller: Authenticated, key: IdempotencyKey = None
    ) -> CommitmentOut:
        """Promise something to the other side. The title stays between the two of you."""
        promise = Promise(body.due_at, body.title)
        ask = asking.by(caller, key)
        return commitment_out(await commitments.make(pool, ask, rules, PairId(pair), promise))

    @router.post("/commitments/{commitment}/keep")
    async def keep(
        commitment: UUID, caller: Authenticated, body: KeptIn | None = None
    ) -> CommitmentOut:
        """The receiving side says that it was kept on time; after due, `kept_at` says when."""
        kept_at = body.kept_at if body else None
        ask, id_ = asking.by(caller), CommitmentId(commitment)
        return commitment_out(await commitments.keep(pool, ask, id_, kept_at))

    @router.post("/commitments/{commitment}/warn")
    async def warn(commitment: UUID, caller: Authenticated) -> CommitmentOut:
        """The maker says, before it is due, that it will not be kept in time."""
        ask, id_ = asking.by(caller), CommitmentId(commitment)
        return commitment_out(await commitments.warn(pool, ask, id_))

    @router.post("/commitments/{commitment}/tell")
    async def tell(commitment: UUID, caller: Authenticated) -> CommitmentOut:
        """The maker says, after it was due, that it was not kept in time."""
        ask, id_ = asking.by(caller), CommitmentId(commitment)
        return commitment_out(await commitments.tell(pool, ask, id_))

    return router
