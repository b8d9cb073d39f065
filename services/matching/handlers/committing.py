"""A run's proposals are made, some at a time: each batch looks again whether they still can be.

Killed between two batches it goes on where it was; what was proposed is not proposed again. No SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.matching.domain import pair as life
from services.matching.domain.ask import Side, as_candidate, grounds
from services.matching.domain.fit import Candidate
from services.matching.domain.pair import Pair
from services.matching.domain.participant import Participant
from services.matching.domain.run import Chosen, Run
from services.matching.handlers.common import announce
from services.matching.queries import crowd, pairs, participants, people, places, runs
from shared.events.fact import Fact
from shared.ids import PairId, PersonId, TenantId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for

BATCH = 1_000
PROPOSED, STANDS = "proposed", "stands"
LEFT, HAS_A_MENTOR, PLACE_GONE, KEPT_APART = "left", "has_a_mentor", "place_gone", "kept_apart"
REASSIGNED = "reassigned"


async def commit_some(
    pool: Pool, tenant: TenantId, run_id: UUID, now: datetime, batch: int = BATCH
) -> bool:
    """Make at most `batch` of the run's proposals, in one transaction; False when nothing is left.

    What no longer holds (somebody left, has a mentor by now, or no place) is not proposed, and the
    run says why not.
    """
    async with acting_for(pool, tenant) as conn:
        # Nobody leaves, asks or is proposed meanwhile.
        await people.lock_people(conn, tenant)
        run = await runs.lock(conn, tenant, run_id)
        if run is None or run.state != "committing":
            return False
        if run.incremental:
            await _take_back(conn, tenant, run, now)
        chosen = await runs.waiting(conn, tenant, run_id, batch)
        if chosen:
            await _propose(conn, tenant, run, chosen, now)
        else:
            done = replace(run, state="committed", ended_at=now, revision=run.revision + 1)
            await runs.save(conn, tenant, done)
        return True


@dataclass(frozen=True, slots=True)
class _Now:
    """How things stand at this batch."""

    people: dict[PersonId, Participant]
    free: Counter[PersonId]
    taken: set[PersonId]
    apart: set[tuple[PersonId, PersonId]]


async def _propose(
    conn: Connection, tenant: TenantId, run: Run, chosen: Sequence[Chosen], now: datetime
) -> None:
    standing = await _look(conn, tenant, run, chosen, now)
    made: list[Pair] = []
    told: list[tuple[int, str]] = []
    for each in chosen:
        became = STANDS if each.stands else _refusal(each, standing)
        told.append((each.place, became))
        if became == PROPOSED:
            standing.free[each.mentor_id] -= 1
            standing.taken.add(each.mentee_id)
            made.append(_pair(run, each, standing, now))
    await pairs.save_all(conn, tenant, made)
    await announce(conn, tenant, [life.proposed(pair) for pair in made], now)
    await runs.became(conn, tenant, run.run_id, told)


async def _look(
    conn: Connection, tenant: TenantId, run: Run, chosen: Sequence[Chosen], now: datetime
) -> _Now:
    mentors = sorted({each.mentor_id for each in chosen})
    mentees = sorted({each.mentee_id for each in chosen})
    cap = run.settings.max_capacity
    together = [(each.mentor_id, each.mentee_id) for each in chosen if not each.stands]
    return _Now(
        people=await participants.of(conn, tenant, [*mentors, *mentees], now.date()),
        free=Counter(await places.free_places(conn, tenant, mentors, cap, now)),
        taken=await crowd.with_a_mentor(conn, tenant, mentees, now),
        apart=await crowd.apart_among(conn, tenant, run.programme_id, together),
    )


def _refusal(each: Chosen, now: _Now) -> str:
    """Why it can no longer be, or that it can."""
    mentor, mentee = now.people.get(each.mentor_id), now.people.get(each.mentee_id)
    if mentor is None or mentee is None or not (mentor.there and mentee.there):
        return LEFT
    if each.mentee_id in now.taken:
        return HAS_A_MENTOR
    avoids = each.mentee_id in mentor.avoid or each.mentor_id in mentee.avoid
    if avoids or (each.mentor_id, each.mentee_id) in now.apart:
        return KEPT_APART
    return PROPOSED if now.free[each.mentor_id] > 0 else PLACE_GONE


def _pair(run: Run, each: Chosen, now: _Now, at: datetime) -> Pair:
    mentor = _candidate(now.people[each.mentor_id], "mentor", at)
    mentee = _candidate(now.people[each.mentee_id], "mentee", at)
    goals, related, languages, hours, past = each.parts
    parts = (goals, related, languages, hours, past)
    return Pair(
        pair_id=PairId(new_id()),
        programme_id=run.programme_id,
        mentor_id=each.mentor_id,
        mentee_id=each.mentee_id,
        fit_permille=sum(parts),
        grounds=grounds(mentor, mentee, parts),
        proposed_at=at,
        answer_until=at + run.settings.answer_within,
        run_id=run.run_id,
    )


def _candidate(one: Participant, side: Side, at: datetime) -> Candidate:
    return as_candidate(one.person, side, (), (), at)


async def _take_back(conn: Connection, tenant: TenantId, run: Run, now: datetime) -> None:
    """Take back the unanswered proposals that the run decided against; once is enough."""
    facts: list[Fact] = []
    for pair_id in await crowd.reassigned(conn, tenant, run):
        pair = await pairs.lock(conn, tenant, pair_id)
        assert pair is not None
        # Somebody may have said yes before it could be held.
        if pair.mentor_accepted or pair.mentee_accepted:
            continue
        decision = life.withdraw(pair, now, REASSIGNED)
        await pairs.save(conn, tenant, replace(decision.thing, revision=pair.revision + 1))
        facts.extend(decision.facts)
    await announce(conn, tenant, facts, now)
