"""The facts the benchmarks are fed with: a fixed mix, in order per pair, every id a UUIDv7."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from shared.events.envelope import Event, encode, new_event
from shared.events.fact import PairFact
from shared.events.sessions import (
    AgreementSigned,
    CommitmentKept,
    CommitmentMissed,
    FeedbackGiven,
    SessionHeld,
)
from shared.ids import CommitmentId, PairId, PersonId, SessionId, TenantId, derived_id, new_id
from shared.kafka.producer import Producer

TENANT = TenantId("acme")
START = datetime(2025, 1, 6, 9, tzinfo=UTC)
# Between two facts of a pair: 300 of them, the most in a benchmark, are half a year.
ROUND = timedelta(hours=15)
MENTOR, MENTEE = PersonId("mentor"), PersonId("mentee")
CHUNK = 5_000
# After its agreement a pair goes through these: two sessions, two kept, a missed one, an answer.
KINDS = ("held", "kept", "held", "kept", "missed", "answer")


@lru_cache(maxsize=200_000)
def pair_id(place: int) -> PairId:
    """The id of the pair at `place`; the same in every run."""
    return PairId(derived_id("benchmark pair", str(place)))


def make(n: int, pairs: int, *, at: datetime | None = None) -> Event:
    """The nth fact over `pairs` pairs, each in turn; a pair's first is its agreement."""
    turn, place = divmod(n, pairs)
    at = at or START + ROUND * turn
    about, by = (MENTOR, MENTEE) if n % 2 else (MENTEE, MENTOR)
    fact = _fact(n, pair_id(place), KINDS[(n + turn) % len(KINDS)] if turn else "", about, by, at)
    return new_event(fact, event_id=new_id(), tenant=TENANT, service="sessions", now=at)


def _fact(n: int, pair: PairId, kind: str, about: PersonId, by: PersonId, at: datetime) -> PairFact:
    members = {"pair_id": pair, "mentor_id": MENTOR, "mentee_id": MENTEE}
    # Of a pair, no two are about the same; cheaper than an id of its own for each.
    thing = UUID(int=n + 1)
    promise = {**members, "commitment_id": CommitmentId(thing), "by": about, "due_at": at}
    match kind:
        case "held":
            both = (MENTOR, MENTEE)
            return SessionHeld(
                **members,
                session_id=SessionId(thing),
                starts_at=at,
                duration_minutes=45,
                confirmed_by=both,
            )
        case "kept":
            return CommitmentKept(**promise, kept_at=at)
        case "missed":
            return CommitmentMissed(**promise)
        case "answer":
            item, answer = "listened", n % 3 > 0
            return FeedbackGiven(
                **members, session_id=SessionId(thing), by=by, about=about, item=item, answer=answer
            )
    return AgreementSigned(
        **members, agreement_version=1, cadence_days=14, notice_hours=24, channels=("video",)
    )


class Encoded(NamedTuple):
    """A fact as the record it becomes."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def encoded(event: Event) -> Encoded:
    """The event on its own topic, in binary mode."""
    return Encoded(event.fact.topic.name, *encode(event))


def chunks(events: Iterable[Event], size: int = CHUNK) -> Iterator[list[Event]]:
    """The events in lists of `size`, made as they are asked for."""
    held: list[Event] = []
    for event in events:
        held.append(event)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


async def publish(
    bootstrap: str, events: Iterable[Event], say: Callable[[str], None] = lambda _: None
) -> int:
    """Put the events on their topics, each where its key belongs; how many."""
    producer = Producer(bootstrap, client_id="trustfold-benchmark")
    done = 0
    try:
        for chunk in chunks(events):
            await producer.send_all([encoded(event) for event in chunk])
            done += len(chunk)
            if done % 100_000 == 0:
                say(f"{done:,} facts on the topics")
    finally:
        await producer.close()
    return done
