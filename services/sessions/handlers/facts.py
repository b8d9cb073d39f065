"""What sessions does about others' facts. Each runs inside the delivery's open transaction."""

from __future__ import annotations

from datetime import datetime

from services.sessions.domain.member import Member
from services.sessions.domain.pair import Pair
from services.sessions.handlers.endings import release
from services.sessions.queries import pairs
from shared.events.envelope import Event
from shared.events.insights import TrustChanged
from shared.events.matching import PairEnded, PairStarted
from shared.postgres.pool import Connection


async def on_pair_started(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """From now on the pair can agree, meet and promise."""
    fact = event.fact
    assert isinstance(fact, PairStarted)
    await pairs.start(
        conn,
        Pair(
            event.tenant,
            fact.pair_id,
            Member(fact.mentor_id),
            Member(fact.mentee_id),
            fact.started_at,
            programme_id=fact.programme_id,
        ),
    )


async def on_pair_ended(conn: Connection, event: Event, now: datetime) -> None:
    """Nothing new begins in the pair, and what lay after its end is asked of nobody."""
    fact = event.fact
    assert isinstance(fact, PairEnded)
    mentor, mentee = Member(fact.mentor_id), Member(fact.mentee_id)
    pair = Pair(event.tenant, fact.pair_id, mentor, mentee, fact.ended_at)
    await pairs.end(conn, pair, fact.ended_at)
    await release(conn, await pairs.find(conn, event.tenant, fact.pair_id) or pair, now)


async def on_trust_changed(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """Copy what the pair may be shown, and leave the rest: what is not here cannot leak."""
    fact = event.fact
    assert isinstance(fact, TrustChanged)
    await pairs.save_trust(conn, event.tenant, fact.pair_id, fact.revision, fact.partner_safe)
