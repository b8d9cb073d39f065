"""Commands on runs, and reading what they came to. No SQL and no rule stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.matching.domain import run as rules
from services.matching.domain.decision import Decision
from services.matching.domain.difference import differences
from services.matching.domain.run import Chosen, LeftOut, Run, Wish
from services.matching.handlers.commands import Work, change, create, uuid_kind
from services.matching.queries import people, programmes, rankings, results, runs
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

_KIND = uuid_kind(runs, lambda it: it.run_id)


@dataclass(frozen=True, slots=True)
class Looked:
    """A run, and how many of its pairs became what; None is not yet."""

    run: Run
    counts: Mapping[str | None, int]


async def ask_for(pool: Pool, ask: Ask, programme_id: ProgrammeId, wish: Wish) -> Run:
    """Ask for a run; a worker begins with it. Raises NotFound and what the rule raises."""

    async def decide(work: Work) -> Decision[Run]:
        programme = await programmes.find(work.conn, ask.tenant, programme_id)
        if programme is None:
            raise NotFound("there is no such programme")
        if wish.ranking_id is not None:
            # Refused now rather than when a worker comes to it.
            await rankings.ranks(work.conn, ask.tenant, wish.ranking_id, programme, ask.now)
        waiting = await runs.waiting(work.conn, ask.tenant)
        return rules.ask(wish, programme, waiting, ask.now)

    request = ("run", programme_id, wish.what_if, wish.incremental, wish.at_most, wish.ranking_id)
    return await create(pool, ask, _KIND, request, decide)


async def cancel(pool: Pool, ask: Ask, run_id: UUID) -> Run:
    """It is not wanted any more. Raises NotFound or RunMovedOn."""
    return await change(
        pool, ask, runs, run_id, ("cancel",), lambda _, it: rules.cancel(it, ask.now)
    )


async def commit(pool: Pool, ask: Ask, run_id: UUID) -> Run:
    """Its proposals are to be made; a worker makes them.

    Raises NotFound, RunMovedOn or ProgrammeClosed.
    """

    async def decide(work: Work, run: Run) -> Decision[Run]:
        programme = await programmes.find(work.conn, ask.tenant, run.programme_id)
        assert programme is not None
        return rules.commit(run, programme)

    return await change(pool, ask, runs, run_id, ("commit",), decide)


async def look(pool: Pool, ask: Ask, run_id: UUID) -> Looked:
    """The run as it stands. Raises NotFound; so do the next three."""
    async with reading_for(pool, ask.tenant) as conn:
        run = await runs.find(conn, ask.tenant, run_id)
        if run is None:
            raise NotFound("there is no such run")
        return Looked(run, await results.counts(conn, ask.tenant, run_id))


async def report(pool: Pool, ask: Ask, run_id: UUID) -> Mapping[str, Any]:
    """What the run came to, in figures."""
    async with reading_for(pool, ask.tenant) as conn:
        run = await runs.find(conn, ask.tenant, run_id)
        found = await results.report(conn, ask.tenant, run_id) if run else None
    if found is None:
        raise NotFound("there is no such run, or no report yet")
    return found


async def would_propose(
    pool: Pool, ask: Ask, run_id: UUID, after: int, limit: int
) -> Sequence[Chosen]:
    """The run's pairs, best first."""
    await look(pool, ask, run_id)
    async with reading_for(pool, ask.tenant) as conn:
        return await results.pairs(conn, ask.tenant, run_id, after, limit)


async def left_out(pool: Pool, ask: Ask, run_id: UUID, after: str, limit: int) -> Sequence[LeftOut]:
    """Those whom the run found nobody for, by id."""
    await look(pool, ask, run_id)
    async with reading_for(pool, ask.tenant) as conn:
        return await results.left_out(conn, ask.tenant, run_id, after, limit)


async def of_programme(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, before: UUID | None, limit: int
) -> Sequence[Run]:
    """The programme's runs, newest first."""
    async with reading_for(pool, ask.tenant) as conn:
        return await runs.page(conn, ask.tenant, programme_id, before, limit)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results side by side. `gain` are mentees whom only the second places, `lose` whom only
    the first does, `differ` all who do not have the same mentor in both. `measures` are by how much
    the second's are more than the first's.
    """

    one: Mapping[str, Any]
    other: Mapping[str, Any]
    measures: Mapping[str, float]
    gain: int
    lose: int
    differ: int


async def compare(pool: Pool, ask: Ask, one: UUID, other: UUID) -> Comparison:
    """What two runs came to, and for how many people that differs. Raises NotFound."""
    reports = [await report(pool, ask, each) for each in (one, other)]
    async with reading_for(pool, ask.tenant) as conn:
        first, second = [await results.mentor_of(conn, ask.tenant, each) for each in (one, other)]
    return Comparison(
        reports[0],
        reports[1],
        differences(reports[0]["measures"], reports[1]["measures"]),
        gain=len(second.keys() - first.keys()),
        lose=len(first.keys() - second.keys()),
        differ=sum(first.get(each) != second.get(each) for each in first.keys() | second.keys()),
    )


async def names_of(pool: Pool, ask: Ask, members: Sequence[PersonId]) -> Mapping[PersonId, str]:
    """The names of these people."""
    async with reading_for(pool, ask.tenant) as conn:
        return await people.display_names(conn, ask.tenant, sorted(set(members)))
