"""Prove the stored scores from the log: read it, fold it plainly, compare. Changes nothing.

Exact under live traffic: the offsets are read in the same snapshot as the states, and the log is
read up to exactly those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from services.insights import models
from services.insights.domain.evidence import Evidence
from services.insights.domain.packing import unpack
from services.insights.domain.replay import PairOf, Replay
from services.insights.domain.state import PairState, refold
from services.insights.projection.log import Offsets, opened
from services.insights.projection.place import GROUP, Progress
from services.insights.queries import evidence, projection, swapping
from services.insights.queries.projection import Parked, Stored
from services.insights.rebuild import UTTERLY, difference
from shared.errors import PoisonMessage
from shared.ids import TenantId
from shared.kafka.delivery import read
from shared.kafka.reaching import Reached
from shared.kafka.record import Record
from shared.postgres.pool import Connection

# Two sums of the same numbers in another order differ by less; two different ones by more.
TOLERANCE = 1e-9
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one instant of the database says: the states, and how much of the log is in them."""

    offsets: Offsets
    parked: Parked
    states: Mapping[PairOf, PairState | None]


@dataclass(slots=True)
class Told:
    """What the log says, and what of it was passed over."""

    replay: Replay = field(default_factory=Replay)
    records: int = 0
    parked: int = 0
    unreadable: int = 0
    begins_late: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """One fold of everything in one random order."""

    seed: str
    facts: int
    duplicates: int
    difference: float
    worst: PairOf | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared, and how it came out."""

    pairs: int
    missing: list[PairOf]
    invented: list[PairOf]
    told: Told
    runs: list[Run]

    @property
    def ok(self) -> bool:
        apart = max((run.difference for run in self.runs), default=0.0)
        return not self.missing and not self.invented and apart <= TOLERANCE


async def snapshot(conn: Connection, tenant: TenantId | None) -> Snapshot:
    """The states and the offsets of one instant."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await swapping.hold_still(conn)
        offsets = await projection.offsets(conn, GROUP)
        parked = await projection.parked(conn, GROUP)
        rows = await projection.stored(conn, tenant)
        return Snapshot(offsets, parked, await _states(conn, rows))


async def _states(
    conn: Connection, rows: Mapping[PairOf, Stored]
) -> dict[PairOf, PairState | None]:
    """Each state; refolded, as the worker would, where another release or model packed it."""
    force = await models.in_force(conn, {tenant for tenant, _ in rows})
    of_tenant = {tenant: each.model for tenant, each in force.items()}
    known = {
        of: unpack(row.state, of_tenant[of[0]]) if row.state else None for of, row in rows.items()
    }
    foreign = [of for of, row in rows.items() if row.state and known[of] is None]
    found = await evidence.of_pairs(conn, [rows[of].key for of in foreign])
    return {**known, **{of: refold(found[rows[of].key], of_tenant[of[0]]) for of in foreign}}


async def read_log(
    bootstrap: Reached, snap: Snapshot, tenant: TenantId | None, progress: Progress
) -> Told:
    """Hear all facts (of a tenant) up to the snapshot's offsets."""
    told = Told()
    async with opened(bootstrap) as log:
        begins = await log.begins(snap.offsets)
        total = sum(max(0, end - begins[p]) for p, end in snap.offsets.items())
        told.begins_late = [f"{topic}/{n} at {at}" for (topic, n), at in begins.items() if at]
        async for records in log.read(begins, snap.offsets, CHUNK):
            _hear(told, records, snap.parked, tenant)
            progress("reading the log", told.records, total)
    return told


def _hear(told: Told, records: Sequence[Record], parked: Parked, tenant: TenantId | None) -> None:
    told.records += len(records)
    wanted = [r for r in records if r.offset not in parked.get((r.topic, r.partition), ())]
    told.parked += len(records) - len(wanted)
    for one in read(wanted):
        try:
            if one.error is not None:
                told.unreadable += 1
            elif one.event is not None and tenant in (None, one.event.tenant):
                told.replay.hear(one.event)
        except PoisonMessage:
            told.unreadable += 1


def fold(snap: Snapshot, told: Told, seed: str, progress: Progress) -> Run:
    """Fold every pair's facts in a random order, a third of them twice, and compare."""
    chance = Random(seed)
    facts = duplicates = 0
    worst, worst_of = 0.0, None
    for done, (of, state) in enumerate(snap.states.items()):
        known = told.replay.evidence(of)
        shuffled = known + chance.sample(known, len(known) // 3)
        chance.shuffle(shuffled)
        distinct = len({item.event_id for item in known})
        facts, duplicates = facts + distinct, duplicates + len(shuffled) - distinct
        apart = _apart(state, shuffled)
        if apart > worst:
            worst, worst_of = apart, of
        if done % 100 == 0:
            progress(f"folding ({seed})", done, len(snap.states))
    return Run(seed, facts, duplicates, worst, worst_of)


def _apart(state: PairState | None, known: list[Evidence]) -> float:
    if state is None or not known:
        return UTTERLY if state is not None or known else 0.0
    return difference(state, known)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be proved: one tenant or all, and in how many orders."""

    tenant: TenantId | None = None
    seed: int = 1
    orders: int = 3


async def verify(
    conn: Connection, bootstrap: Reached, question: Question, progress: Progress = lambda *_: None
) -> Verdict:
    """Compare the states with folds of the log.

    Raises LogUnreadable when the log does not reach as far as the offsets say.
    """
    snap = await snapshot(conn, question.tenant)
    told = await read_log(bootstrap, snap, question.tenant, progress)
    seeds = [f"{question.seed}/{place}" for place in range(1, question.orders + 1)]
    runs = [fold(snap, told, seed, progress) for seed in seeds]
    said = set(told.replay.pairs())
    return Verdict(
        pairs=len(snap.states),
        missing=sorted(said - snap.states.keys()),
        invented=sorted(snap.states.keys() - said),
        told=told,
        runs=runs,
    )
