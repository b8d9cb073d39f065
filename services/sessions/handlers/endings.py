"""What the end of a pair makes of what was open in it. Holds no rule and no SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.sessions.domain import commitment as commitment_rules
from services.sessions.domain import goal as goal_rules
from services.sessions.domain import proposal as proposal_rules
from services.sessions.domain import repair as repair_rules
from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import replies
from services.sessions.handlers.common import announce
from services.sessions.handlers.kinds import Kind
from services.sessions.queries import commitments, goals, proposals, repairs, sweeps
from shared.postgres.pool import Connection

# More than two sides can have open.
MAX_OPEN = 1_000

ENDINGS = (
    Kind(proposals, proposal_rules.ended),
    Kind(commitments, commitment_rules.ended),
    Kind(repairs, repair_rules.ended),
    Kind(goals, goal_rules.ended),
)


async def release(conn: Connection, pair: Pair, now: datetime) -> None:
    """Let go of what is due after the end; nobody is waited for any longer. The pair is held."""
    for kind in ENDINGS:
        changed = []
        for thing in await sweeps.open_of(conn, kind.kept.SWEPT, pair, MAX_OPEN):
            after, happened = kind.close(pair, thing)
            if after != thing:
                changed.append(replace(after, revision=thing.revision + 1))
                await announce(conn, (*happened, *replies(pair, thing, after, now)))
        await kind.kept.save(conn, changed)
