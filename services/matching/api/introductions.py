"""Routes on introductions. Each of the three sees no more than is theirs; nobody sees a no."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.matching.api.common import DEFAULT_PAGE, Limit, PersonName
from services.matching.domain.introduction import (
    Action,
    Introduction,
    Outcome,
    Says,
    State,
    possible,
)
from services.matching.handlers import introductions as commands
from services.matching.queries import people
from services.matching.queries.introductions import Which
from services.matching.views import Member, Names
from shared.asking import Ask, Asked, Reading
from shared.errors import NotFound
from shared.events.fact import Code
from shared.ids import IntroductionId, PairId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for
from shared.shapes import Body

Part: TypeAlias = Literal["offers", "partner", "contact"]


class IntroductionIn(Body):
    """Introduce the other member to `contact`; `about` is a code, for example a goal."""

    contact: PersonName
    about: Code


class OutcomeIn(Body):
    """What became of an introduction."""

    outcome: Outcome


class IntroductionOut(BaseModel):
    """An introduction as one of the three may see it: `your_part` says which.

    For the contact `partner` is null until both have said yes, and `pair_id` always. `your_answer`
    is your own; a no, and no answer, look the same to everybody else. `allowed` is what you can do
    now.
    """

    introduction_id: UUID
    your_part: Part
    about: str
    offered_by: Member
    contact: Member
    partner: Member | None
    pair_id: UUID | None
    state: State
    offered_at: datetime
    until: datetime
    your_answer: Says | None
    outcome: Outcome | None
    allowed: tuple[Action, ...]


class IntroductionsOut(BaseModel):
    """Introductions of yours, newest first. `next_cursor` is null on the last page."""

    introductions: tuple[IntroductionOut, ...]
    next_cursor: UUID | None


def introductions_router(pool: Pool) -> APIRouter:
    """Offering, answering, what became of it, and reading one's own."""
    router = APIRouter(tags=["introductions"])
    _say(router, pool)
    _read(router, pool)
    return router


def _say(router: APIRouter, pool: Pool) -> None:
    @router.post("/pairs/{pair_id}/introductions", status_code=201)
    async def offer(asked: Asked, pair_id: PairId, body: IntroductionIn) -> IntroductionOut:
        """Offer to introduce the other member of your pair to somebody you know.

        Only once trust is steady both ways. They meet when both of them say yes within 14 days.
        """
        made = await commands.offer(pool, asked.ask, pair_id, body.contact, body.about)
        return await _out(pool, asked.ask, made)

    @router.post("/introductions/{introduction_id}/accept")
    async def accept(asked: Asked, introduction_id: IntroductionId) -> IntroductionOut:
        """Say yes. You are introduced with the second yes."""
        it = await commands.accept(pool, asked.ask, introduction_id)
        return await _out(pool, asked.ask, it)

    @router.post("/introductions/{introduction_id}/decline")
    async def decline(asked: Asked, introduction_id: IntroductionId) -> IntroductionOut:
        """Say no. Nobody is told: to them you have not answered."""
        it = await commands.decline(pool, asked.ask, introduction_id)
        return await _out(pool, asked.ask, it)

    @router.post("/introductions/{introduction_id}/outcome")
    async def conclude(
        asked: Asked, introduction_id: IntroductionId, body: OutcomeIn
    ) -> IntroductionOut:
        """Say, as one of the two who were introduced, what became of it; the first word stays."""
        it = await commands.conclude(pool, asked.ask, introduction_id, body.outcome)
        return await _out(pool, asked.ask, it)


def _read(router: APIRouter, pool: Pool) -> None:
    @router.get("/introductions")
    async def list_introductions(
        asked: Reading, limit: Limit = DEFAULT_PAGE, cursor: UUID | None = None
    ) -> IntroductionsOut:
        """Those you offer, and those you would be part of, newest first."""
        before = IntroductionId(cursor) if cursor else None
        # One more than asked for tells whether there is a next page.
        more = await commands.mine(pool, asked.ask, Which(before=before), limit + 1)
        found = more[:limit]
        names = await _names(pool, asked.ask, found)
        return IntroductionsOut(
            introductions=tuple(introduction_out(it, asked.ask, names) for it in found),
            next_cursor=found[-1].introduction_id if len(more) > limit else None,
        )

    @router.get("/introductions/{introduction_id}")
    async def get_introduction(asked: Reading, introduction_id: IntroductionId) -> IntroductionOut:
        """One introduction of yours."""
        found = await commands.mine(pool, asked.ask, Which(only=introduction_id), 1)
        if not found:
            raise NotFound
        return await _out(pool, asked.ask, found[0])


def introduction_out(it: Introduction, ask: Ask, names: Names) -> IntroductionOut:
    """The introduction for the one who asks. It has no revision: that would tell of answers."""
    is_contact = ask.person == it.contact
    meets = it.state in ("made", "concluded")
    part: Part = "offers" if ask.person == it.offered_by else "partner"
    return IntroductionOut(
        introduction_id=it.introduction_id,
        your_part="contact" if is_contact else part,
        about=it.about,
        offered_by=_member(it.offered_by, names),
        contact=_member(it.contact, names),
        partner=_member(it.partner, names) if meets or not is_contact else None,
        pair_id=it.pair_id if not is_contact else None,
        state=it.state,
        offered_at=it.offered_at,
        until=it.until,
        your_answer=it.said_by(ask.person),
        outcome=it.outcome,
        allowed=possible(it, ask.person, ask.now),
    )


def _member(person: PersonName, names: Names) -> Member:
    return Member(person_id=person, display_name=names.get(person, person))


async def _names(pool: Pool, ask: Ask, found: list[Introduction]) -> Names:
    three = {one for it in found for one in (it.offered_by, *it.introduced)}
    async with reading_for(pool, ask.tenant) as conn:
        return await people.display_names(conn, ask.tenant, sorted(three))


async def _out(pool: Pool, ask: Ask, it: Introduction) -> IntroductionOut:
    return introduction_out(it, ask, await _names(pool, ask, [it]))
