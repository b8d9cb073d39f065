"""One function per command or fact: lock, decide, save, outbox, in one transaction.

Commands open their transaction; `on_*` run inside the delivery's. No SQL and no rule stands here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.matching import solver
from services.matching.domain import matching as rules
from services.matching.domain import pair as life
from services.matching.domain.pair import Actor, Decision, Pair
from services.matching.domain.person import from_fact
from services.matching.queries import pairs, people, trust
from shared.errors import NotFound, Rejected
from shared.events.envelope import Event, new_event
from shared.events.fact import PairFact
from shared.events.insights import TrustChanged
from shared.events.people import PersonErased, PersonLeft, PersonState
from shared.ids import PairId, ProgrammeId, TenantId, new_id
from shared.postgres import outbox
from shared.postgres.pool import Connection, Pool

SERVICE = "matching"
MAX_SIDE = 20_000


class TooManyPeople(Rejected):
    """There are too many mentees and free places to match in one run."""

    slug = "too-many-people"


@dataclass(frozen=True, slots=True)
class Run:
    """What a manager asked for: at most `limit` proposals for a programme."""

    tenant: TenantId
    programme_id: ProgrammeId
    limit: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """The pairs that a run proposed, best first, and the mentees it left without one."""

    pairs: tuple[Pair, ...]
    unmatched: tuple[rules.Unmatched, ...]


@dataclass(frozen=True, slots=True)
class Which:
    """The pair a command is about, and who gives it."""

    tenant: TenantId
    pair_id: PairId
    actor: Actor


async def run_matching(pool: Pool, run: Run, now: datetime) -> RunResult:
    """Propose a mentor to every mentee who has none. Doing it again proposes only what is new."""
    async with pool.acquire() as conn, conn.transaction():
        await people.lock_people(conn, run.tenant)
        outcome = await _outcome(conn, run, now)
        found = tuple(_new_pair(proposal, run.programme_id, now) for proposal in outcome.proposals)
        await pairs.insert_pairs(conn, run.tenant, found)
        await _announce(conn, run.tenant, [life.proposed(pair) for pair in found], now)
    return RunResult(found, outcome.unmatched)


async def accept(pool: Pool, which: Which, now: datetime) -> Pair:
    """A member says yes. Raises NotFound, Forbidden or Conflict; so do the next three."""
    return await _change(pool, which, now, life.accept)


async def decline(pool: Pool, which: Which, now: datetime) -> Pair:
    """A member says no. No reason is asked for and none is kept."""
    return await _change(pool, which, now, life.decline)


async def start(pool: Pool, which: Which, now: datetime) -> Pair:
    """The pair begins, once both said yes."""
    return await _change(pool, which, now, life.start)


async def end(pool: Pool, which: Which, reason: str, now: datetime) -> Pair:
    """The pair comes to its end."""
    return await _change(pool, which, now, partial(life.end, reason=reason))


async def on_person_joined(conn: Connection, event: Event, now: datetime) -> None:
    """Keep the person as the fact describes them."""
    await on_person_changed(conn, event, now)


async def on_person_changed(conn: Connection, event: Event, _now: datetime) -> None:
    """Keep the person as the fact describes them; an older fact than the known one is nothing."""
    assert isinstance(event.fact, PersonState)
    known = from_fact(event.fact)
    await people.save_person(conn, event.tenant, known, event.occurred_at, event.event_id)


async def on_person_left(conn: Connection, event: Event, now: datetime) -> None:
    """Withdraw the leaver's proposals and end their running pairs."""
    assert isinstance(event.fact, PersonLeft | PersonErased)
    tenant, leaver = event.tenant, event.fact.person_id
    await people.lock_people(conn, tenant)
    if not await people.save_leaver(conn, tenant, leaver, event.occurred_at, event.event_id):
        return
    facts: list[PairFact] = []
    for pair in await pairs.lock_open_pairs_of(conn, tenant, leaver):
        decision = life.close_for_leaver(pair, now)
        await pairs.save_pair(conn, tenant, decision.pair)
        facts.extend(decision.facts)
    await _announce(conn, tenant, facts, now, cause=event)


async def on_trust_changed(conn: Connection, event: Event, _now: datetime) -> None:
    """Keep the bands of the pair's newest trust."""
    assert isinstance(event.fact, TrustChanged)
    await trust.save(conn, event.tenant, event.fact)


async def _change(
    pool: Pool, which: Which, now: datetime, decide: Callable[[Pair, Actor, datetime], Decision]
) -> Pair:
    async with pool.acquire() as conn, conn.transaction():
        # The row's lock puts the facts of one pair into the outbox in the order they are decided.
        pair = await pairs.lock_pair(conn, which.tenant, which.pair_id)
        if pair is None:
            raise NotFound(life.NO_SUCH_PAIR)
        decision = decide(pair, which.actor, now)
        if decision.pair != pair:
            await pairs.save_pair(conn, which.tenant, decision.pair)
        await _announce(conn, which.tenant, decision.facts, now)
    return decision.pair


async def _outcome(conn: Connection, run: Run, now: datetime) -> rules.Outcome:
    # One more than allowed is asked for, so that "too many" is known without counting.
    mentors = await people.mentors(conn, run.tenant, MAX_SIDE + 1)
    mentees = await people.mentees(conn, run.tenant, MAX_SIDE + 1)
    _check_size(len(mentees), [free for _, free in mentors])
    tried = await pairs.tried(conn, run.tenant)

    def propose() -> rules.Outcome:
        return rules.propose(
            [rules.as_mentor(person, free, now) for person, free in mentors],
            [rules.as_mentee(person, now) for person in mentees],
            tried,
            solver.assign,
            run.limit,
        )

    # Seconds of arithmetic at the upper limit: the event loop has other callers to answer.
    return await asyncio.to_thread(propose)


def _check_size(mentees: int, free_places: Sequence[int]) -> None:
    places = sum(min(free, mentees) for free in free_places)
    cells = mentees * max(places, len(free_places))
    if cells > solver.MAX_CELLS or max(mentees, len(free_places)) > MAX_SIDE:
        raise TooManyPeople


def _new_pair(proposal: rules.Proposal, programme_id: ProgrammeId, now: datetime) -> Pair:
    return Pair(
        pair_id=PairId(new_id()),
        programme_id=programme_id,
        mentor_id=proposal.mentor_id,
        mentee_id=proposal.mentee_id,
        fit_permille=proposal.fit_permille,
        reasons=proposal.reasons,
        proposed_at=now,
    )


async def _announce(
    conn: Connection,
    tenant: TenantId,
    facts: Sequence[PairFact],
    now: datetime,
    cause: Event | None = None,
) -> None:
    await outbox.append(
        conn,
        [
            new_event(fact, event_id=new_id(), tenant=tenant, service=SERVICE, now=now, cause=cause)
            for fact in facts
        ],
    )
