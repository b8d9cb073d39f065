"""A batch of facts into evidence and states, inside the delivery's transaction. No SQL, no rule.

Nothing is kept in memory from one batch to the next: what is rolled back never happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.insights import queries
from services.insights.domain.evidence import Evidence, observe
from services.insights.domain.model import V1, Model
from services.insights.domain.state import PairState, pack, refold, unpack
from services.insights.queries import LockedPair, PairOf, Started
from shared.errors import PoisonMessage
from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.events.matching import PairEnded, PairStarted
from shared.ids import PersonId
from shared.postgres.pool import Connection

MODEL = V1
# Clocks differ a little; evidence from next month would make all that is known look old.
MAX_AHEAD = timedelta(days=1)


@dataclass(slots=True)
class _Batch:
    """What a batch of events says, by pair."""

    members: dict[PairOf, tuple[PersonId, PersonId]] = field(default_factory=dict)
    started: dict[PairOf, Started] = field(default_factory=dict)
    ended: dict[PairOf, datetime] = field(default_factory=dict)
    evidence: list[tuple[PairOf, Evidence]] = field(default_factory=list)


async def apply(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Count each event once, whatever order or how often they come.

    Raises PoisonMessage for a fact that can never be evidence: `not_a_member`, `unexpected_type`,
    `from_the_future`.
    """
    batch = _read(events, now)
    if not batch.members:
        return
    pairs = await queries.lock_pairs(conn, ((of, *who) for of, who in batch.members.items()))
    await queries.save_started(conn, [(pairs[of].key, seen) for of, seen in batch.started.items()])
    await queries.save_ended(conn, [(pairs[of].key, at) for of, at in batch.ended.items()])
    await _count(conn, [(pairs[of], item) for of, item in batch.evidence])


def _read(events: Sequence[Event], now: datetime) -> _Batch:
    batch = _Batch()
    latest = now + MAX_AHEAD
    for event in events:
        item = observe(event)
        fact = event.fact
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


async def _count(conn: Connection, seen: Sequence[tuple[LockedPair, Evidence]]) -> None:
    """Store what is new and bring the states of its pairs up to date."""
    distinct = {(pair.key, item.event_id): (pair, item) for pair, item in seen}
    if not distinct:
        return
    new = await queries.add_evidence(conn, distinct.values())
    pairs: dict[int, LockedPair] = {}
    fresh: dict[int, list[Evidence]] = {}
    for found, (pair, item) in distinct.items():
        if new is None or found in new:
            pairs[pair.key] = pair
            fresh.setdefault(pair.key, []).append(item)
    states = {key: _absorbed(pairs[key], items, MODEL) for key, items in fresh.items()}
    stored = await queries.evidence_of(conn, [key for key, state in states.items() if not state])
    packed = [
        (pairs[key], pack(state or refold(stored[key], MODEL)))
        for key, state in sorted(states.items())
    ]
    await queries.save_states(conn, packed)


def _absorbed(pair: LockedPair, items: Sequence[Evidence], model: Model) -> PairState | None:
    """The pair's state with new evidence; None if only a refold can tell."""
    state = PairState(model) if pair.state is None else unpack(pair.state, model)
    if state is None or not all(map(state.absorb, items)):
        return None
    return state
