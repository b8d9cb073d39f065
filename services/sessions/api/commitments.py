"""Routes on commitments. Who may do what and when is the domain's to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from services.sessions.api.commitment_shapes import (
    CommitmentOut,
    CommitmentPage,
    DoneIn,
    KeptIn,
    MoreTimeIn,
    OutcomeIn,
    PromiseIn,
    commitment_out,
)
from services.sessions.api.cursors import read_cursor, write_cursor
from services.sessions.domain import claims, promises
from services.sessions.domain.commitment import Commitment, State
from services.sessions.domain.rules import Rules
from services.sessions.handlers import commitments
from services.sessions.queries.commitments import After
from services.sessions.queries.history import After as Cursor
from shared.asking import Asked, Asking, Reading
from shared.ids import CommitmentId, PairId
from shared.postgres.pool import Pool

MAX_PAGE = 100

# What is said without another word, and what the API says of it.
_PLAIN: Mapping[str, tuple[Callable[..., Any], str]] = {
    "accept": (promises.accept, "The receiving side wants it. From then on it can be missed."),
    "decline": (promises.decline, "The receiving side does not need it. No reason is asked for."),
    "withdraw": (promises.withdraw, "The maker takes it back before it was accepted."),
    "warn": (promises.warn, "The maker says, before it is due, that it will not be kept in time."),
    "tell": (promises.tell, "The maker says, after it was due, that it was not kept in time."),
    "refuse-time": (promises.refuse_time, "The receiving side needs it when it was promised for."),
    "release": (promises.release, "The receiving side lets go of it before it is due."),
    "take-back": (claims.take_back, "The maker takes the claim back: it is open again."),
    "dispute": (claims.dispute, "The receiving side says that it was not done. Not published."),
    "admit": (claims.admit, "The maker agrees that it was not done."),
    "acknowledge": (promises.acknowledge, "The receiving side has heard that it was missed."),
}


def commitments_router(pool: Pool, rules: Rules) -> APIRouter:
    """Everything that can be said about a promise, and reading it."""
    router = APIRouter(tags=["commitments"])
    _make(router, pool, rules)
    _read(router, pool)
    for verb, (rule, words) in _PLAIN.items():
        _plain(router, pool, verb, rule, words)
    _with_words(router, pool, rules)
    _settle(router, pool)
    return router


def _answer(asked: Asking, it: Commitment) -> CommitmentOut:
    return asked.answer(lambda thing: commitment_out(thing, asked.ask), it)


def _make(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/pairs/{pair}/commitments", status_code=201)
    async def make(pair: UUID, body: PromiseIn, asked: Asked) -> CommitmentOut:
        """Promise something to the other side, who has to accept it. The title stays with you two.

        `due_in_days` is the end of your day, after that many days that are no holiday of yours.
        """
        made = await commitments.make(pool, asked.ask, rules, PairId(pair), body.wish())
        return _answer(asked, made)


def _read(router: APIRouter, pool: Pool) -> None:
    @router.get("/pairs/{pair}/commitments")
    async def page(
        pair: UUID,
        asked: Reading,
        state: State | None = None,
        mine: bool | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
    ) -> CommitmentPage:
        """A pair's commitments, the newest first. `next_cursor` is null on the last page."""
        before = read_cursor(cursor)
        after = After(before.occurred_at, before.event_id) if before else None
        # One more than asked for tells whether there is a page after this one.
        found = await commitments.view_page(
            pool, asked.ask, PairId(pair), (state, mine), after, limit + 1
        )
        shown = [commitment_out(each, asked.ask) for each in found[:limit]]
        more = len(found) > limit
        last = Cursor(shown[-1].made_at, shown[-1].commitment_id) if more else None
        return CommitmentPage(commitments=shown, next_cursor=write_cursor(last) if last else None)

    @router.get("/commitments/{commitment}")
    async def view(commitment: UUID, asked: Reading) -> CommitmentOut:
        """A commitment of yours: how it stands, and what you may do."""
        return _answer(asked, await commitments.view(pool, asked.ask, CommitmentId(commitment)))


def _plain(router: APIRouter, pool: Pool, verb: str, rule: Callable[..., Any], words: str) -> None:
    @router.post(
        f"/commitments/{{commitment}}/{verb}", name=f"commitment_{verb}", description=words
    )
    async def say(commitment: UUID, asked: Asked) -> CommitmentOut:
        said = await commitments.say(pool, asked.ask, CommitmentId(commitment), rule)
        return _answer(asked, said)


def _with_words(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/commitments/{commitment}/keep")
    async def keep(commitment: UUID, asked: Asked, body: KeptIn | None = None) -> CommitmentOut:
        """The receiving side says that it was kept on time; after due, `kept_at` says when."""
        kept_at = body.kept_at if body else None
        kept = await commitments.say(
            pool, asked.ask, CommitmentId(commitment), promises.keep, kept_at
        )
        return _answer(asked, kept)

    @router.post("/commitments/{commitment}/ask-for-time")
    async def ask_for_time(commitment: UUID, asked: Asked, body: MoreTimeIn) -> CommitmentOut:
        """The maker asks, before it is due, for a later time. The other side is warned by that."""
        it = await commitments.ask_for_time(pool, asked.ask, CommitmentId(commitment), body.due_at)
        return _answer(asked, it)

    @router.post("/commitments/{commitment}/agree-time")
    async def agree_time(commitment: UUID, asked: Asked) -> CommitmentOut:
        """The receiving side agrees to the time that was asked for."""
        it = await commitments.agree_time(pool, asked.ask, rules, CommitmentId(commitment))
        return _answer(asked, it)

    @router.post("/commitments/{commitment}/claim-done")
    async def claim_done(
        commitment: UUID, asked: Asked, body: DoneIn | None = None
    ) -> CommitmentOut:
        """The maker says that it was done in time; after due, `done_at` says when."""
        done_at = body.done_at if body else None
        it = await commitments.claim_done(pool, asked.ask, rules, CommitmentId(commitment), done_at)
        return _answer(asked, it)


def _settle(router: APIRouter, pool: Pool) -> None:
    @router.post("/commitments/{commitment}/resolve")
    async def resolve(commitment: UUID, asked: Asked, body: OutcomeIn) -> CommitmentOut:
        """A manager who is of neither side settles a dispute; `nothing` leaves it unsettled."""
        judging = replace(asked, ask=replace(asked.ask, judging=True))
        it = await commitments.resolve(pool, judging.ask, CommitmentId(commitment), body.outcome)
        return _answer(judging, it)
