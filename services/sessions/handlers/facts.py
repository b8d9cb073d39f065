"""What sessions does about others' facts. Each runs inside the delivery's open transaction."""

from __future__ import annotations

from datetime import datetime

from services.sessions.domain.pair import Pair
from services.sessions.queries import pairs
from shared.events.envelope import Event
from shared.events.insights import TrustChanged
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import PersonLeft, PersonState
from shared.postgres.pool import Connection


async def on_pair_started(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """From now on the pair can agree, meet and promise."""
    fact = event.fact
    assert isinstance(fact, PairStarted)
    await pairs.start(
        conn,
        Pair(event.tenant, fact.pair_id, fact.mentor_id, fact.mentee_id, fact.started_at),
    )


async def on_pair_ended(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """Nothing new begins in the pair, and what lay after its end is asked of nobody."""
    fact = event.fact
    assert isinstance(fact, PairEnded)
    pair = Pair(event.tenant, fact.pair_id, fact.mentor_id, fact.mentee_id, fact.ended_at)
    await pairs.end(conn, pair, fact.ended_at)


async def on_trust_changed(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """Copy what the pair may be shown, and leave the rest: what is not here cannot leak."""
    fact = event.fact
    assert isinstance(fact, TrustChanged)
    await pairs.save_trust(conn, event.tenant, fact.pair_id, fact.revision, fact.partner_safe)


async def on_person_state(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """Keep the person's zone, and nothing else about them."""
    fact = event.fact
    assert isinstance(fact, PersonState)
    await pairs.save_zone(conn, event.tenant, fact.person_id, fact.timezone, event.occurred_at)


async def on_person_left(conn: Connection, event: Event, now: datetime) -> None:  # noqa: ARG001
    """Forget the person's zone; that their pairs end is for matching to say."""
    fact = event.fact
    assert isinstance(fact, PersonLeft)
    await pairs.forget_person(conn, event.tenant, fact.person_id)
