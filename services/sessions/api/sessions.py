"""Routes on sessions. Who may do what and when is the domain's to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query

from services.sessions.api.cursors import read_cursor, write_cursor
from services.sessions.api.session_shapes import (
    DisputeOut,
    DisputesOut,
    MoveIn,
    NoShowIn,
    OutcomeIn,
    SessionOut,
    SessionPage,
    SlotIn,
    session_out,
)
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Session, State
from services.sessions.handlers import session_views, sessions
from services.sessions.queries.history import After as Cursor
from services.sessions.queries.sessions import After
from shared.asking import Ask, Asked, Asking, Reading
from shared.ids import PairId, SessionId
from shared.postgres.pool import Pool

MAX_PAGE = 100

Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Say: TypeAlias = Callable[[Pool, Ask, SessionId], Awaitable[Session]]

# What is said without another word, and what the API says of it.
_PLAIN: Mapping[str, tuple[Say, str]] = {
    "cancel": (sessions.cancel, "Call the session off, before it starts."),
    "confirm": (
        sessions.confirm,
        "Say that the session took place, from its start until `confirm_until`.",
    ),
    "dispute": (
        sessions.dispute,
        "Say that you were there, when the other side says you were not. Not published.",
    ),
    "withdraw": (sessions.withdraw, "Take back that the other side was not there."),
}


def sessions_router(pool: Pool, rules: Rules) -> APIRouter:
    """Book, move, call off; what is said afterwards; reading."""
    router = APIRouter(tags=["sessions"])
    _book(router, pool, rules)
    _read(router, pool)
    for verb, (say, words) in _PLAIN.items():
        _plain(router, pool, verb, say, words)
    _afterwards(router, pool)
    _settle(router, pool)
    return router


def _answer(asked: Asking, session: Session) -> SessionOut:
    return asked.answer(lambda thing: session_out(thing, asked.ask), session)


def _book(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/pairs/{pair}/sessions", status_code=201)
    async def schedule(pair: UUID, body: SlotIn, asked: Asked) -> SessionOut:
        """Set a time to meet, at once, when neither of you is taken then by anybody.

        What breaks your agreement is refused: propose it, and the other side can allow it.
        """
        made = await sessions.schedule(pool, asked.ask, rules, PairId(pair), body.plan())
        return _answer(asked, made)

    @router.post("/sessions/{session}/reschedule")
    async def reschedule(session: UUID, body: MoveIn, asked: Asked) -> SessionOut:
        """Move the session before it starts, by the rules for a new one."""
        moved = await sessions.reschedule(pool, asked.ask, rules, SessionId(session), body.wish())
        return _answer(asked, moved)


def _read(router: APIRouter, pool: Pool) -> None:
    @router.get("/pairs/{pair}/sessions")
    async def page(
        pair: UUID,
        asked: Reading,
        state: State | None = None,
        limit: Limit = 50,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
    ) -> SessionPage:
        """A pair's sessions by their start. `next_cursor` is null on the last page."""
        before = read_cursor(cursor)
        after = After(before.occurred_at, before.event_id) if before else None
        # One more than asked for tells whether there is a page after this one.
        found = await session_views.view_page(
            pool, asked.ask, PairId(pair), state, after, limit + 1
        )
        last = found[limit - 1].session if len(found) > limit else None
        return SessionPage(
            sessions=[
                session_out(each.session, asked.ask, each.pair)
                for each in found[:limit]
                # What time has closed, and nobody has swept yet, is no longer in that state.
                if state in (None, each.session.state)
            ],
            next_cursor=write_cursor(Cursor(last.slot.starts_at, last.id)) if last else None,
        )

    @router.get("/sessions/{session}")
    async def view(session: UUID, asked: Reading) -> SessionOut:
        """A session of yours: how it stands, where the clocks are then, and what you may do."""
        found = await session_views.view(pool, asked.ask, SessionId(session))
        return asked.answer(lambda it: session_out(it, asked.ask, found.pair), found.session)


def _plain(router: APIRouter, pool: Pool, verb: str, say: Say, words: str) -> None:
    @router.post(f"/sessions/{{session}}/{verb}", name=f"session_{verb}", description=words)
    async def said(session: UUID, asked: Asked) -> SessionOut:
        return _answer(asked, await say(pool, asked.ask, SessionId(session)))


def _afterwards(router: APIRouter, pool: Pool) -> None:
    @router.post("/sessions/{session}/no-show")
    async def no_show(session: UUID, body: NoShowIn, asked: Asked) -> SessionOut:
        """Say that you were not there (`me`), or that the other side was not (`other`).

        Of yourself, that settles it. Of the other, they have 72 hours of presence to answer, and
        nothing is published before it is settled.
        """
        said = await sessions.no_show(pool, asked.ask, SessionId(session), body.who)
        return _answer(asked, said)


def _settle(router: APIRouter, pool: Pool) -> None:
    @router.post("/sessions/{session}/resolve")
    async def resolve(session: UUID, body: OutcomeIn, asked: Asked) -> SessionOut:
        """A manager who is of neither side settles a dispute; `nothing` is no evidence."""
        judging = replace(asked, ask=replace(asked.ask, judging=True))
        said = await sessions.resolve(
            pool, judging.ask, SessionId(session), body.outcome, body.absent()
        )
        return _answer(judging, said)

    @router.get("/disputes")
    async def disputes(asked: Reading, limit: Limit = 50) -> DisputesOut:
        """What two sides cannot settle and you could, the longest first. For managers."""
        found = await session_views.list_disputes(pool, asked.ask, limit)
        return DisputesOut(
            disputes=[
                DisputeOut(kind=each.kind, id=each.id, pair_id=each.pair_id, since=each.since)
                for each in found
            ]
        )
