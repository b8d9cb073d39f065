"""A batch of facts into evidence and states, inside the delivery's transaction. No SQL, no rule.

Nothing is kept in memory from one batch to the next: what is rolled back never happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.insights import models
from services.insights.domain.evidence import About, Evidence, observe, observe_leave
from services.insights.domain.model import Model
from services.insights.domain.packing import pack, unpack
from services.insights.domain.state import PairState, refold
from services.insights.queries import evidence, pairs, people
from services.insights.queries.locks import Person
from services.insights.queries.pairs import LockedPair, PairOf, Started
from shared import metrics
from shared.errors import PoisonMessage
from shared.events.envelope import Event
from shared.events.fact import PairFact, PersonFact
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import LeaveFact, PersonErased, PersonState
from shared.ids import PersonId
from shared.postgres.pool import Connection

# Clocks differ a little; evidence from next month would make all that is known look old.
MAX_AHEAD = timedelta(days=1)
# What is told of somebody who was erased is never newer than that.
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Batch:
    """What a batch of events says, by pair, and about people."""

    members: dict[PairOf, tuple[PersonId, PersonId]] = field(default_factory=dict)
    started: dict[PairOf, Started] = field(default_factory=dict)
    ended: dict[PairOf, datetime] = field(default_factory=dict)
    evidence: list[tuple[PairOf, Evidence]] = field(default_factory=list)
    leaves: list[tuple[Person, Evidence]] = field(default_factory=list)
    units: list[tuple[Person, str | None, datetime]] = field(default_factory=list)


async def apply(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Count each event once, whatever order or how often they come.

    Raises PoisonMessage for a fact that can never be evidence: `not_a_member`, `unexpected_type`,
    `from_the_future`.
    """
    batch = read_batch(events, now)
    await people.save_units(conn, batch.units)
    if batch.leaves:
        await _tell_leaves(conn, batch)
    if not batch.members:
        return
    locked = await pairs.lock_pairs(conn, batch.members)
    await pairs.save_started(conn, [(locked[of].key, at) for of, at in batch.started.items()])
    await pairs.save_ended(conn, [(locked[of].key, at) for of, at in batch.ended.items()])
    seen = [(locked[of], item) for of, item in batch.evidence]
    seen += await people.leaves_of(conn, [pair for pair in locked.values() if pair.new])
    await _count(conn, seen)


def read_batch(events: Sequence[Event], now: datetime) -> Batch:
    """What the events say. Raises PoisonMessage as `apply` does."""
    batch = Batch()
    latest = now + MAX_AHEAD
    for event in events:
        fact = event.fact
        if isinstance(fact, PersonFact):
            _read_person(batch, event)
            continue
        item = observe(event)
        assert isinstance(fact, PairFact)
        of = (event.tenant, fact.pair_id)
        if item is not None:
            if event.occurred_at > latest:
                raise PoisonMessage("from_the_future", f"{fact.type}: its time has not come yet")
            batch.evidence.append((of, item))
        elif isinstance(fact, PairStarted):
            batch.started.setdefault(of, Started(fact.programme_id, fact.started_at))
        elif isinstance(fact, PairEnded):
            batch.ended.setdefault(of, fact.ended_at)
        else:
            continue
        batch.members.setdefault(of, (fact.mentor_id, fact.mentee_id))
    return batch


def _read_person(batch: Batch, event: Event) -> None:
    fact = event.fact
    assert isinstance(fact, PersonFact)
    person = (event.tenant, fact.person_id)
    if isinstance(fact, LeaveFact):
        batch.leaves += [(person, item) for item in observe_leave(event)]
    elif isinstance(fact, PersonErased):
        batch.units.append((person, None, FOR_EVER))
    elif isinstance(fact, PersonState):
        batch.units.append((person, fact.org_unit, event.occurred_at))


async def _tell_leaves(conn: Connection, batch: Batch) -> None:
    """Keep the leaves, and make each evidence of every pair that the person is in."""
    for pair in await people.tell_leaves(conn, batch.leaves):
        of = (pair.tenant, pair.pair_id)
        batch.members.setdefault(of, (pair.mentor_id, pair.mentee_id))
        for (tenant, person), item in batch.leaves:
            if tenant == pair.tenant and person in (pair.mentor_id, pair.mentee_id):
                about = About.MENTOR if person == pair.mentor_id else About.MENTEE
                batch.evidence.append((of, item._replace(about=about)))


async def _count(conn: Connection, seen: Sequence[tuple[LockedPair, Evidence]]) -> None:
    """Store what is new and bring the states of its pairs up to date."""
    # Of one event told twice the first telling stands, within a batch as across batches.
    # In the order they came: evidence that comes newest first would have its pair refolded.
    distinct: dict[tuple[int, UUID], tuple[LockedPair, Evidence]] = {}
    for pair, item in seen:
        distinct.setdefault((pair.key, item.event_id), (pair, item))
    if not distinct:
        return
    new = await evidence.add(conn, distinct.values())
    metrics.FOLDED.inc(len(new))
    changed: dict[int, LockedPair] = {}
    fresh: dict[int, list[Evidence]] = {}
    for found, (pair, item) in distinct.items():
        if found in new:
            changed[pair.key] = pair
            fresh.setdefault(pair.key, []).append(item)
    force = await models.in_force(conn, {pair.tenant for pair in changed.values()})
    states = {
        key: _absorbed(changed[key], items, force[changed[key].tenant].model)
        for key, items in fresh.items()
    }
    stored = await evidence.of_pairs(conn, [key for key, state in states.items() if not state])
    packed = [
        (changed[key], pack(state or refold(stored[key], force[changed[key].tenant].model)))
        for key, state in sorted(states.items())
    ]
    await pairs.save_states(conn, packed)


def _absorbed(pair: LockedPair, items: Sequence[Evidence], model: Model) -> PairState | None:
    """The pair's state with new evidence; None if only a refold can tell."""
    state = PairState(model) if pair.state is None else unpack(pair.state, model)
    if state is None or not all(map(state.absorb, items)):
        return None
    return state
