"""Routes on commitments."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asked
from services.sessions.api.shapes import CommitmentOut, KeptIn, PromiseIn, commitment_out
from services.sessions.domain.commitment import Promise
from services.sessions.domain.rules import Rules
from services.sessions.handlers import commitments
from shared.ids import CommitmentId, PairId
from shared.postgres.pool import Pool


def commitments_router(pool: Pool, rules: Rules) -> APIRouter:
    """Make, keep, warn, tell."""
    router = APIRouter(tags=["commitments"])

    @router.post("/pairs/{pair}/commitments", status_code=201)
    async def make(pair: UUID, body: PromiseIn, asked: Asked) -> CommitmentOut:
        """Promise something to the other side. The title stays between the two of you."""
        promise = Promise(body.due_at, body.title)
        made = await commitments.make(pool, asked.ask, rules, PairId(pair), promise)
        return asked.answer(commitment_out, made)

    @router.post("/commitments/{commitment}/keep")
    async def keep(commitment: UUID, asked: Asked, body: KeptIn | None = None) -> CommitmentOut:
        """The receiving side says that it was kept on time; after due, `kept_at` says when."""
        kept_at = body.kept_at if body else None
        kept = await commitments.keep(pool, asked.ask, CommitmentId(commitment), kept_at)
        return asked.answer(commitment_out, kept)

    @router.post("/commitments/{commitment}/warn")
    async def warn(commitment: UUID, asked: Asked) -> CommitmentOut:
        """The maker says, before it is due, that it will not be kept in time."""
        warned = await commitments.warn(pool, asked.ask, CommitmentId(commitment))
        return asked.answer(commitment_out, warned)

    @router.post("/commitments/{commitment}/tell")
    async def tell(commitment: UUID, asked: Asked) -> CommitmentOut:
        """The maker says, after it was due, that it was not kept in time."""
        told = await commitments.tell(pool, asked.ask, CommitmentId(commitment))
        return asked.answer(commitment_out, told)

    return router
