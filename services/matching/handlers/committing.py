"""A run's proposals are made, some at a time: each batch looks again whether they still can be.

Killed between two batches it goes on where it was; what was proposed is not proposed again. No SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.matching.domain import pair as life
from services.matching.domain.ask import Side, as_candidate, grounds, takes_part
from services.matching.domain.fit import Candidate
from services.matching.domain.pair import Pair
from services.matching.domain.recheck import Became, Known, recheck
from services.matching.domain.run import Chosen, Run
from services.matching.handlers.common import announce
from services.matching.handlers.weighing import People, avoid_each_other
from services.matching.queries import crowd, pairs, participants, people, places, results, runs
from shared.events.fact import Fact
from shared.ids import PairId, PersonId, TenantId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for

BATCH = 1_000
REASSIGNED = "reassigned"


async def commit_some(
    pool: Pool, tenant: TenantId, run_id: UUID, now: datetime, batch: int = BATCH
) -> bool:
    """Take back, or make, at most `batch` proposals in one transaction; False when none is left.

    What no longer holds (somebody left, has a mentor by now, or no place) is not proposed, and the
    run says why not.
    """
    async with acting_for(pool, tenant) as conn:
        # Nobody leaves, asks or is proposed meanwhile.
        await people.lock_people(conn, tenant)
        run = await runs.lock(conn, tenant, run_id)
        if run is None or run.state != "committing":
            return False
        # First, for those who are proposed instead need the places.
        if over := await results.next_to_take_back(conn, tenant, run_id, batch):
            await _take_back(conn, tenant, over, now)
        elif chosen := await results.waiting(conn, tenant, run_id, batch):
            await _propose(conn, tenant, run, chosen, now)
        else:
            done = replace(run, state="committed", ended_at=now, revision=run.revision + 1)
            await runs.save(conn, tenant, done)
        return True


@dataclass(frozen=True, slots=True)
class _Now:
    """How things stand at this batch; `free` and `taken` change as it goes on."""

    people: People
    mentors: Mapping[PersonId, Candidate]
    mentees: Mapping[PersonId, Candidate]
    free: Counter[PersonId]
    taken: set[PersonId]
    apart: set[tuple[PersonId, PersonId]]
    standing: set[UUID]


async def _propose(
    conn: Connection, tenant: TenantId, run: Run, chosen: Sequence[Chosen], now: datetime
) -> None:
    standing = await _look(conn, tenant, run, chosen, now)
    made: list[Pair] = []
    told: list[tuple[int, str]] = []
    for each in chosen:
        became = _becomes(each, standing, run)
        told.append((each.place, became))
        if became == "proposed":
            standing.free[each.mentor_id] -= 1
            standing.taken.add(each.mentee_id)
            made.append(_pair(run, each, standing, now))
    await pairs.save_all(conn, tenant, made)
    await announce(conn, tenant, [life.proposed(pair) for pair in made], now)
    await results.became(conn, tenant, run.run_id, told)


async def _look(
    conn: Connection, tenant: TenantId, run: Run, chosen: Sequence[Chosen], now: datetime
) -> _Now:
    mentors = sorted({each.mentor_id for each in chosen})
    mentees = sorted({each.mentee_id for each in chosen})
    rules, cap = run.settings.rules, run.settings.max_capacity
    together = [(each.mentor_id, each.mentee_id) for each in chosen if not each.stands]
    everybody = [*mentors, *mentees]
    known = await participants.of(conn, tenant, everybody, now.date())
    lines = await participants.lines(conn, tenant, everybody) if rules.report_line else {}
    return _Now(
        people=known,
        mentors=_weighed(run, known, mentors, "mentor", lines, now),
        mentees=_weighed(run, known, mentees, "mentee", lines, now),
        free=Counter(await places.free_places(conn, tenant, mentors, cap, now)),
        taken=await crowd.with_a_mentor(conn, tenant, mentees, now),
        apart=await crowd.apart_among(conn, tenant, run.programme_id, together),
        standing=await crowd.still_open(conn, tenant, [it.stands for it in chosen if it.stands]),
    )


def _becomes(each: Chosen, now: _Now, run: Run) -> Became:
    if each.stands:
        return "stands" if each.stands in now.standing else "over"
    mentor, mentee = each.mentor_id, each.mentee_id
    known = Known(
        mentor=now.mentors.get(mentor),
        mentee=now.mentees.get(mentee),
        has_mentor=mentee in now.taken,
        apart=(mentor, mentee) in now.apart or avoid_each_other(now.people, mentor, mentee),
        places=now.free[mentor],
    )
    return recheck(known, run.settings.rules)


def _weighed(
    run: Run,
    known: People,
    wanted: Sequence[PersonId],
    side: Side,
    lines: Mapping[PersonId, tuple[PersonId, ...]],
    now: datetime,
) -> dict[PersonId, Candidate]:
    """Those of them who are there and take part on that side, as the rules see them."""
    units = run.settings.org_units
    there = [known[who] for who in wanted if who in known and known[who].there]
    return {
        one.person.person_id: as_candidate(
            one.person, side, lines.get(one.person.person_id, ()), (), now
        )
        for one in there
        if takes_part(one.person, side, units)
    }


def _pair(run: Run, each: Chosen, now: _Now, at: datetime) -> Pair:
    mentor, mentee = now.mentors[each.mentor_id], now.mentees[each.mentee_id]
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


async def _take_back(
    conn: Connection, tenant: TenantId, over: Sequence[PairId], now: datetime
) -> None:
    """Take back these proposals, unless somebody has said yes or no by now."""
    facts: list[Fact] = []
    changed: list[Pair] = []
    for pair_id in over:
        pair = await pairs.lock(conn, tenant, pair_id)
        assert pair is not None
        if pair.state != "proposed" or pair.mentor_accepted or pair.mentee_accepted:
            continue
        decision = life.withdraw(pair, now, REASSIGNED)
        changed.append(replace(decision.thing, revision=pair.revision + 1))
        facts.extend(decision.facts)
    await pairs.save_all(conn, tenant, changed)
    await announce(conn, tenant, facts, now)
