"""Commands on introductions, and what time and trust make of them. No SQL, no rule stands here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.matching.domain import introduction as rules
from services.matching.domain.decision import Decision
from services.matching.domain.introduction import Introduction, Known, Offer, Outcome
from services.matching.handlers.commands import Kind, Work, change, create
from services.matching.handlers.common import announce
from services.matching.queries import introductions, pairs, trust
from services.matching.queries.introductions import Held, Which
from shared.asking import Ask
from shared.errors import NotFound, Rejected
from shared.events.envelope import Event
from shared.events.insights import TrustChanged
from shared.ids import IntroductionId, PairId, PersonId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for

_KIND: Kind[Introduction, IntroductionId] = Kind(
    introductions, lambda it: it.introduction_id, lambda text: IntroductionId(UUID(text))
)


async def offer(
    pool: Pool, ask: Ask, pair_id: PairId, contact: PersonId, about: str
) -> Introduction:
    """A member of a pair offers to introduce the other one to somebody they know.

    Raises NotFound, Rejected and what the rule raises.
    """

    async def decide(work: Work) -> Decision[Introduction]:
        conn, tenant = work.conn, ask.tenant
        pair = await pairs.lock(conn, tenant, pair_id)
        if pair is None or ask.person not in pair.members:
            raise NotFound
        if not await introductions.is_there(conn, tenant, contact):
            raise Rejected("there is no such person", field="contact")
        before = await introductions.before(conn, tenant, pair_id, contact, ask.now)
        known = Known(await trust.of_pair(conn, tenant, pair_id), *before)
        wish = Offer(IntroductionId(new_id()), contact, about)
        return rules.offer(pair, ask.person, wish, known, ask.now)

    request = ("introduce", pair_id, contact, about)
    return await create(pool, _blind(ask), _KIND, request, decide)


async def accept(pool: Pool, ask: Ask, introduction_id: IntroductionId) -> Introduction:
    """One of the two says yes. With the second yes they are introduced."""

    async def decide(work: Work, it: Introduction) -> Decision[Introduction]:
        it, can_be = await _now(work, it)
        return rules.accept(it, ask.person, ask.now, can_be=can_be)

    return await change(
        pool, _blind(ask), introductions, introduction_id, ("accept", ask.person), decide
    )


async def decline(pool: Pool, ask: Ask, introduction_id: IntroductionId) -> Introduction:
    """One of the two says no. Nobody is told."""

    async def decide(work: Work, it: Introduction) -> Decision[Introduction]:
        it, _ = await _now(work, it)
        return rules.decline(it, ask.person, ask.now)

    return await change(
        pool, _blind(ask), introductions, introduction_id, ("decline", ask.person), decide
    )


async def conclude(
    pool: Pool, ask: Ask, introduction_id: IntroductionId, outcome: Outcome
) -> Introduction:
    """One of the two says what became of it."""
    return await change(
        pool,
        _blind(ask),
        introductions,
        introduction_id,
        ("outcome", ask.person, outcome),
        lambda _, it: rules.conclude(it, ask.person, outcome, ask.now),
    )


async def mine(pool: Pool, ask: Ask, which: Which, limit: int) -> list[Introduction]:
    """Introductions that whoever asks offers or is part of, newest first, as they are now."""
    async with reading_for(pool, ask.tenant) as conn:
        found = await introductions.mine(conn, ask.tenant, ask.person, which, limit)
    return [rules.by_now(each.introduction, each.pair_ended_at, ask.now) for each in found]


async def on_trust_changed(conn: Connection, event: Event, _now: datetime) -> None:
    """What waits can no longer be made when trust stopped being steady; after it has been kept."""
    assert isinstance(event.fact, TrustChanged)
    await introductions.stop_unsteady(conn, event.tenant, event.fact.pair_id)


async def lapse_due(conn: Connection, now: datetime, limit: int) -> int:
    """Let at most `limit` lapse that nobody will make any more; how many. For the sweeper.

    What is published does not depend on when this runs.
    """
    due = await introductions.lock_due(conn, now, limit)
    for held in due:
        await _lapse(conn, held)
    return len(due)


async def _lapse(conn: Connection, held: Held) -> None:
    it = held.introduction
    at = min(it.until, held.pair_ended_at or it.until)
    decision = rules.lapse(it, at)
    after = replace(decision.thing, revision=it.revision + 1)
    await introductions.save(conn, held.tenant, after)
    await announce(conn, held.tenant, decision.facts, at)


async def _now(work: Work, it: Introduction) -> tuple[Introduction, bool]:
    """The introduction as it is now, and whether it can be made."""
    conn, tenant = work.conn, work.ask.tenant
    rules.check_visible_to(it, work.ask.person)
    # Held, so that what is published of a pair stands in the order in which it was decided.
    pair = await pairs.lock(conn, tenant, it.pair_id)
    if pair is None:
        raise NotFound
    steady = rules.is_steady(await trust.of_pair(conn, tenant, it.pair_id))
    apart = not await introductions.may_meet(conn, tenant, *it.introduced)
    can_be = pair.state == "started" and steady and not apart
    return rules.by_now(it, pair.ended_at, work.ask.now), can_be


def _blind(ask: Ask) -> Ask:
    """The ask without If-Match: whether something was said since would be told by it."""
    return replace(ask, if_match=None)
