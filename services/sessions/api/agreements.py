"""Routes on agreements, and on what programmes suggest to begin with."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query

from services.sessions.api.agreement_shapes import (
    AgreementOut,
    DraftOut,
    NowOut,
    Number,
    SignIn,
    TemplateIn,
    TemplateOut,
    TermsIn,
    VersionIn,
    VersionOut,
    VersionsOut,
    agreement_out,
    draft_out,
    now_out,
    template_out,
    version_out,
)
from services.sessions.domain.templates import Suggestion
from services.sessions.handlers import agreement_views, agreements, templates
from shared.asking import Asked, Asking, Reading
from shared.events.fact import OPAQUE
from shared.ids import PairId, ProgrammeId
from shared.postgres.pool import Pool

MAX_PAGE = 100

Programme: TypeAlias = Annotated[str, Path(pattern=OPAQUE.pattern)]


def agreements_router(pool: Pool) -> APIRouter:
    """Draft, propose, edit, withdraw, sign, review, and read what was."""
    router = APIRouter(tags=["agreement"])
    _commands(router, pool)
    _views(router, pool)
    _templates(router, pool)
    return router


def _commands(router: APIRouter, pool: Pool) -> None:
    @router.post("/pairs/{pair}/agreement", status_code=201)
    async def propose(pair: UUID, body: TermsIn, asked: Asked) -> AgreementOut:
        """Propose terms: a new version, signed by you. It is in force once the other side signs."""
        made = await agreements.propose(pool, asked.ask, PairId(pair), body.terms())
        return asked.answer(agreement_out, made)

    @router.put("/pairs/{pair}/agreements/{version}")
    async def edit(pair: UUID, version: Number, body: TermsIn, asked: Asked) -> AgreementOut:
        """Write your own proposal anew, while it waits. Needs If-Match."""
        ask = asked.require_match()
        edited = await agreements.edit(pool, ask, PairId(pair), version, body.terms())
        return asked.answer(agreement_out, edited)

    @router.post("/pairs/{pair}/agreement/withdraw")
    async def withdraw(pair: UUID, body: VersionIn, asked: Asked) -> AgreementOut:
        """Take your own proposal back. What is in force stays so."""
        taken = await agreements.withdraw(pool, asked.ask, PairId(pair), body.version)
        return asked.answer(agreement_out, taken)

    @router.post("/pairs/{pair}/agreement/sign")
    async def sign(pair: UUID, body: SignIn, asked: Asked) -> AgreementOut:
        """Sign the version the other side proposed, which must be the newest, as you read it."""
        read = body.revision or asked.ask.if_match or 1
        signed = await agreements.sign(pool, asked.ask, PairId(pair), body.version, read)
        return asked.answer(agreement_out, signed)

    @router.post("/pairs/{pair}/agreement/review")
    async def review(pair: UUID, body: VersionIn, asked: Asked) -> AgreementOut:
        """Say that you have looked at the version in force again; from 14 days before its date."""
        reviewed = await agreements.review(pool, asked.ask, PairId(pair), body.version)
        return asked.answer(agreement_out, reviewed)


def _views(router: APIRouter, pool: Pool) -> None:
    @router.get("/pairs/{pair}/agreement")
    async def view_agreement(pair: UUID, asked: Reading) -> NowOut:
        """What is in force, what waits for a signature, and what that would change."""
        return now_out(await agreement_views.view_now(pool, asked.ask, PairId(pair)))

    @router.get("/pairs/{pair}/agreements")
    async def view_versions(
        pair: UUID,
        asked: Reading,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
        before: Annotated[Number | None, Query()] = None,
    ) -> VersionsOut:
        """Every version, the newest first. `next_before` is null on the last page."""
        # One more than asked for tells whether there is a page after this one.
        found = await agreement_views.view_versions(
            pool, asked.ask, PairId(pair), before, limit + 1
        )
        versions = [version_out(each) for each in found[:limit]]
        return VersionsOut(
            versions=versions,
            next_before=versions[-1].version if len(found) > limit else None,
        )

    @router.get("/pairs/{pair}/agreements/{version}")
    async def view_version(pair: UUID, version: Number, asked: Reading) -> VersionOut:
        """One version, and what it changed. Its revision is the ETag."""
        found = await agreement_views.view_version(pool, asked.ask, PairId(pair), version)
        return asked.answer(lambda _: version_out(found), found.agreement)

    @router.get("/pairs/{pair}/agreement/draft")
    async def view_draft(pair: UUID, asked: Reading) -> DraftOut:
        """Terms to begin with: the programme's template, in both members' zones."""
        return draft_out(await templates.view_draft(pool, asked.ask, PairId(pair)))


def _templates(router: APIRouter, pool: Pool) -> None:
    @router.get("/programmes/{programme}/agreement-template")
    async def view_template(programme: Programme, asked: Reading) -> TemplateOut:
        """What the programme suggests to its pairs. For its managers, and members of its pairs."""
        found = await templates.view(pool, asked.ask, ProgrammeId(programme))
        return _answer(asked, found)

    @router.put("/programmes/{programme}/agreement-template")
    async def write_template(programme: Programme, body: TemplateIn, asked: Asked) -> TemplateOut:
        """Write it. For managers. Needs If-Match when there is one; signed agreements stay."""
        written = await templates.write(pool, asked.ask, ProgrammeId(programme), body.template())
        return _answer(asked, written)


def _answer(asked: Asking, suggestion: Suggestion) -> TemplateOut:
    asked.response.headers["ETag"] = f'"{suggestion.revision}"'
    return template_out(suggestion)
