"""Rounds of ranking: opened, lists made, ranked in private, closed. No SQL, no rule is here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.matching.computing import mentees_side, mentors_side
from services.matching.domain import ranking as rules
from services.matching.domain.ask import grounds
from services.matching.domain.decision import Decision
from services.matching.domain.fit import Apart
from services.matching.domain.programme import Programme
from services.matching.domain.ranking import Listed, OneRoundAtATime, Ranking, Round, Side
from services.matching.engine.shortlists import shortlists
from services.matching.handlers.commands import Kind, Work, change, create
from services.matching.handlers.common import announce
from services.matching.handlers.weighing import as_weighed
from services.matching.queries import (
    crowd,
    pairs,
    participants,
    places,
    programmes,
    rankings,
)
from services.matching.queries.crowd import One
from services.matching.queries.rankings import Counts, ListId, Lists, Rounds
from shared.asking import Ask
from shared.errors import NotFound
from shared.events.matching import Ground, RankingClosed, RankingRequested
from shared.ids import PersonId, ProgrammeId, TenantId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for, act_for_all, reading_for

# So many lists at a time are written and announced: a statement stays a matter of a second.
CHUNK = 2_000
MAX_ROUNDS = 50
_KIND: Kind[Round, UUID] = Kind(Rounds, lambda it: it.ranking_id, UUID)
_NewList = tuple[PersonId, Side, list[Listed]]
Grounds: TypeAlias = Mapping[PersonId, tuple[Ground, ...]]
OTHER: Mapping[Side, Side] = {"mentor": "mentee", "mentee": "mentor"}


@dataclass(frozen=True, slots=True)
class Overview:
    """A round, how many people rank in it, and how many have."""

    round: Round
    counts: Counts


async def open_round(pool: Pool, ask: Ask, programme_id: ProgrammeId) -> Overview:
    """Let everybody rank whom they could meet. The lists are made in the background.

    Raises NotFound, ProgrammeClosed, and OneRoundAtATime while there is another.
    """

    async def decide(work: Work) -> Decision[Round]:
        # Held, so that of two rounds at once the second finds the first.
        programme = await programmes.lock(work.conn, ask.tenant, programme_id)
        if programme is None:
            raise NotFound("there is no such programme")
        programme.require_open()
        for it in await rankings.of_programme(work.conn, ask.tenant, programme_id, 1):
            after = rules.by_now(it, ask.now)
            if after.state != "closed":
                raise OneRoundAtATime(f"round {it.ranking_id} is {after.state}: close it first")
            if after != it:
                await _close(work.conn, ask.tenant, it, ask.now)
        return rules.opened(new_id(), programme_id, ask.now, programme.settings.rank_within)

    made = await create(pool, ask, _KIND, ("rank", programme_id), decide)
    return await overview(pool, ask, made.ranking_id)


async def close_round(pool: Pool, ask: Ask, ranking_id: UUID) -> Overview:
    """Close a round before its time. Raises NotFound, or Conflict while lists are being made."""
    await change(pool, ask, Rounds, ranking_id, ("close",), lambda _, it: rules.close(it, ask.now))
    return await overview(pool, ask, ranking_id)


async def overview(pool: Pool, ask: Ask, ranking_id: UUID) -> Overview:
    """A round as it is now. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        it = await Rounds.find(conn, ask.tenant, ranking_id)
        if it is None:
            raise NotFound
        counts = await rankings.counts(conn, ask.tenant, ranking_id)
    return Overview(rules.by_now(it, ask.now), counts)


async def overviews(pool: Pool, ask: Ask, programme_id: ProgrammeId) -> list[Overview]:
    """A programme's rounds, newest first."""
    async with reading_for(pool, ask.tenant) as conn:
        found = await rankings.of_programme(conn, ask.tenant, programme_id, MAX_ROUNDS)
        return [
            Overview(
                rules.by_now(it, ask.now), await rankings.counts(conn, ask.tenant, it.ranking_id)
            )
            for it in found
        ]


async def mine(pool: Pool, ask: Ask, ranking_id: UUID | None, side: Side | None) -> Ranking:
    """One's own list: the newest, where none is named. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        id_ = await rankings.mine(conn, ask.tenant, ask.person, ranking_id, side)
        found = await Lists.find(conn, ask.tenant, id_) if id_ else None
    if found is None:
        raise NotFound("there is nobody for you to rank")
    return found


async def grounds_of(conn: Connection, ask: Ask, it: Ranking) -> Grounds:
    """What the fit of everybody on a list rests on, as they are now."""
    others = [each.person_id for each in it.people]
    known = await participants.of(conn, ask.tenant, [it.person_id, *others], ask.now.date())
    me = as_weighed(known[it.person_id], it.side, ask.now)
    found = {}
    for each in it.people:
        other = as_weighed(known[each.person_id], OTHER[it.side], ask.now)
        mentor, mentee = (me, other) if it.side == "mentor" else (other, me)
        found[each.person_id] = grounds(mentor, mentee, each.parts)
    return found


async def rank(
    pool: Pool, ask: Ask, id_: ListId, order: Sequence[PersonId], never: Sequence[PersonId]
) -> Ranking:
    """Put one's own list in order. Raises NotFound, RankingClosed, Rejected or Moved."""
    return await change(
        pool,
        ask,
        Lists,
        id_,
        ("rank", tuple(order), tuple(never)),
        lambda _, it: rules.rank(it, order, never, ask.now),
    )


async def prepare(pool: Pool) -> int:
    """Make the lists of one round that waits for them, of any tenant; 0 when none does.

    Lists, facts and the opened round commit together: killed at any point, it is done again.
    """
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        waiting = await rankings.preparing(conn, held=False)
    if waiting is None:
        return 0
    tenant, it = waiting
    # Worked out before anything is held: it is minutes of arithmetic for a large programme.
    lists = await _lists(pool, tenant, it)
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        held = await rankings.preparing(conn, held=True)
        if held != waiting:
            return 0
        await act_for(conn, tenant)
        await _open(conn, tenant, it, lists)
    return 1


async def close_due(conn: Connection, now: datetime, limit: int) -> int:
    """Write down which rounds are over by `now`, at most `limit`; for the sweeper."""
    due = await rankings.lock_due(conn, now, limit)
    for tenant, it in due:
        await _close(conn, tenant, it, now)
    return len(due)


async def tell_closed(conn: Connection, _now: datetime, limit: int) -> int:
    """Announce to at most `limit` people that their ranking is closed, as of when it was."""
    told, number = await rankings.tell(conn, limit)
    rounds: dict[tuple[TenantId, UUID], Round | None] = {}
    for tenant, id_ in told:
        key = (tenant, id_.ranking_id)
        if key not in rounds:
            rounds[key] = await Rounds.find(conn, *key)
        it = rounds[key]
        assert it is not None
        fact = RankingClosed(
            person_id=id_.person_id,
            programme_id=it.programme_id,
            ranking_id=it.ranking_id,
            closed_at=it.until,
        )
        await announce(conn, tenant, [fact], it.until)
    return number


async def _close(conn: Connection, tenant: TenantId, it: Round, now: datetime) -> None:
    after = replace(rules.by_now(it, now), revision=it.revision + 1)
    await Rounds.save(conn, tenant, after)


async def _lists(pool: Pool, tenant: TenantId, it: Round) -> list[_NewList]:
    async with reading_for(pool, tenant) as conn:
        programme = await programmes.find(conn, tenant, it.programme_id)
        assert programme is not None
        settings, at = programme.settings, it.opened_at
        mentors = await crowd.mentors(conn, tenant, at.date(), settings.org_units)
        mentees = await crowd.mentees(conn, tenant, at, settings.org_units, None)
        free = await places.free_places(conn, tenant, None, settings.max_capacity, at)
        managers = await crowd.managers(conn, tenant) if settings.rules.report_line else {}
        apart = await _apart(conn, programme, (*mentors, *mentees))

    def work() -> list[_NewList]:
        offering = mentors_side(mentors, managers, free, at)
        looking = mentees_side(mentees, managers, at)
        return list(shortlists(looking, offering, settings, apart))

    return await asyncio.to_thread(work)


async def _apart(conn: Connection, programme: Programme, people: Sequence[One]) -> Apart:
    """(mentor, mentee) who are kept apart: tried before, avoided by either, or excluded by HR."""
    tenant = programme.tenant
    either = [(one.person_id, other) for one in people for other in one.avoid]
    either += await crowd.excluded(conn, tenant, programme.programme_id)
    both = {two for one, other in either for two in ((one, other), (other, one))}
    return frozenset(both | await pairs.tried(conn, tenant))


async def _open(conn: Connection, tenant: TenantId, it: Round, lists: Sequence[_NewList]) -> None:
    told: set[PersonId] = set()
    for at in range(0, len(lists), CHUNK):
        chunk = lists[at : at + CHUNK]
        await rankings.save_lists(conn, tenant, it.ranking_id, chunk)
        # Who is on both sides has two lists, and is told once.
        people = [person for person, _, _ in chunk if person not in told]
        told.update(people)
        facts = [
            RankingRequested(
                person_id=person,
                programme_id=it.programme_id,
                ranking_id=it.ranking_id,
                until=it.until,
            )
            for person in dict.fromkeys(people)
        ]
        await announce(conn, tenant, facts, it.opened_at)
    await Rounds.save(conn, tenant, replace(it, state="open", revision=it.revision + 1))
