"""A run over everybody who waits, answered at once. No SQL and no rule stands here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.matching import solver
from services.matching.domain import matching as rules
from services.matching.domain import pair as life
from services.matching.domain.pair import Pair
from services.matching.handlers.common import announce
from services.matching.queries import pairs, people
from shared.errors import Rejected
from shared.ids import PairId, ProgrammeId, TenantId, new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for

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


async def run_matching(pool: Pool, run: Run, now: datetime) -> RunResult:
    """Propose a mentor to every mentee who has none. Doing it again proposes only what is new."""
    async with acting_for(pool, run.tenant) as conn:
        await people.lock_people(conn, run.tenant)
        outcome = await _outcome(conn, run, now)
        found = tuple(_new_pair(proposal, run.programme_id, now) for proposal in outcome.proposals)
        await pairs.save_all(conn, run.tenant, found)
        await announce(conn, run.tenant, [life.proposed(pair) for pair in found], now)
    return RunResult(found, outcome.unmatched)


async def _outcome(conn: Connection, run: Run, now: datetime) -> rules.Outcome:
    # One more than allowed is asked for, so that "too many" is known without counting.
    mentors = await people.mentors(conn, run.tenant, now.date(), MAX_SIDE + 1)
    mentees = await people.mentees(conn, run.tenant, now.date(), MAX_SIDE + 1)
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
        grounds=proposal.grounds,
        proposed_at=now,
    )
