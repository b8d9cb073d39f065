"""Routes on agreements."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asked
from services.sessions.api.shapes import AgreementOut, SignIn, TermsIn, agreement_out
from services.sessions.handlers import agreements
from shared.ids import PairId
from shared.postgres.pool import Pool


def agreements_router(pool: Pool) -> APIRouter:
    """Propose and sign."""
    router = APIRouter(tags=["agreement"])

    @router.post("/pairs/{pair}/agreement", status_code=201)
    async def propose(pair: UUID, body: TermsIn, asked: Asked) -> AgreementOut:
        """Propose terms: a new version, signed by you. It is in force once the other side signs."""
        return agreement_out(await agreements.propose(pool, asked.ask, PairId(pair), body.terms()))

    @router.post("/pairs/{pair}/agreement/sign")
    async def sign(pair: UUID, body: SignIn, asked: Asked) -> AgreementOut:
        """Sign the version the other side proposed, which must be the newest."""
        return agreement_out(await agreements.sign(pool, asked.ask, PairId(pair), body.version))

    return router
