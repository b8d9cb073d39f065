"""One person asks another. No SQL and no rule stands here."""

from __future__ import annotations

from uuid import UUID

from services.matching.domain import ask as rules
from services.matching.domain.ask import Known, NoFreePlace, Side, Wish
from services.matching.domain.decision import Decision
from services.matching.domain.pair import Pair
from services.matching.domain.programme import Programme
from services.matching.handlers.commands import Kind, Work, create
from services.matching.handlers.expiry import expire_due_of
from services.matching.handlers.waits import expected_for
from services.matching.handlers.weighing import avoid_each_other, candidate
from services.matching.queries import crowd, pairs, participants, people, places, programmes
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PairId, PersonId, ProgrammeId, new_id
from shared.postgres.pool import Pool

_KIND: Kind[Pair, PairId] = Kind(pairs, lambda it: it.pair_id, lambda text: PairId(UUID(text)))


async def ask_for(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, other: PersonId, asks_for: Side
) -> Pair:
    """Ask somebody to be one's mentor or mentee: a proposal with the asker's yes.

    Raises NotFound for the programme, and what the rule raises; a refusal for want of a place says
    how long the wait is expected to be.
    """

    async def decide(work: Work) -> Decision[Pair]:
        programme = await programmes.find(work.conn, ask.tenant, programme_id)
        if programme is None:
            raise NotFound("there is no such programme")
        wish = Wish(PairId(new_id()), ask.person, other, asks_for)
        # One ask, run or leaver of the tenant at a time: two who ask for the last place at once
        # come one after the other, and the second finds it taken.
        await people.lock_people(work.conn, ask.tenant)
        await expire_due_of(work.conn, ask.tenant, [ask.person, other], ask.now)
        return rules.ask(wish, await _known(work, wish, programme), programme, ask.now)

    try:
        request = ("ask", programme_id, other, asks_for)
        return await create(pool, ask, _KIND, request, decide)
    except NoFreePlace as refused:
        if asks_for == "mentee":
            raise
        wait = await expected_for(pool, ask, programme_id)
        raise NoFreePlace(f"{refused} {wait.words}") from None


async def _known(work: Work, wish: Wish, programme: Programme) -> Known:
    conn, tenant, now = work.conn, work.ask.tenant, work.ask.now
    together = (wish.mentor_id, wish.mentee_id)
    both = await participants.of(conn, tenant, [wish.asker, wish.other], now.date())
    free = await places.free_places(
        conn, tenant, [wish.mentor_id], programme.settings.max_capacity, now
    )
    return Known(
        mentor=await candidate(conn, programme, both.get(wish.mentor_id), "mentor", now),
        mentee=await candidate(conn, programme, both.get(wish.mentee_id), "mentee", now),
        apart=(
            avoid_each_other(both, wish.mentor_id, wish.mentee_id)
            or bool(await crowd.apart_among(conn, tenant, programme.programme_id, [together]))
        ),
        places=free.get(wish.mentor_id, 0),
        open_pair=await pairs.open_of_mentee(conn, tenant, wish.mentee_id),
    )
