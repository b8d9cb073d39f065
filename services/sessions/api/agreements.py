"""Routes on agreements."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asking, IdempotencyKey
from services.sessions.api.shapes import AgreementOut, SignIn, TermsIn, agreement_out
from services.sessions.handlers import agreements
from shared.http import Authenticated
from shared.ids import PairId
from shared.postgres.pool import Pool


def agreements_router(pool: Pool, asking: Asking) -> APIRouter:
    """Propose and sign."""
    router = APIRouter(tags=["agreement"])

    @router.post("/pairs/{pair}/agreement", status_code=201)
    async def propose(
        pair: UUID, body: TermsIn, caller: Authenticated, key: IdempotencyKey = None
    ) -> AgreementOut:
        """Propose terms: a new version, signed by you. It is in force once the other side signs."""
        ask = asking.by(caller, key)
        return agreement_out(await agreements.propose(pool, ask, PairId(pair), body.terms()))

    @router.post("/pairs/{pair}/agreement/sign")
    async def sign(pair: UUID, body: SignIn, caller: Authenticated) -> AgreementOut:
        """Sign the version the other side proposed, which must be the newest."""
        signed = await agreements.sign(pool, asking.by(caller), PairId(pair), body.version)
        return agreement_out(signed)

    return router
