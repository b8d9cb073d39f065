"""What goes wrong in the demo on purpose: poison, and facts that come late. Pure: records only.

Poison is what real senders send by mistake. Each group that reads a topic parks its own copy, so
what to expect in the dead letters follows from who reads what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from deploy.local.demo.population import HR_SOURCE
from shared.events.envelope import Event, encode
from shared.events.fact import PairFact
from shared.events.matching import PairEnded
from shared.events.people import PersonLeft
from shared.events.sessions import CommitmentKept, CommitmentMissed, FeedbackGiven, SessionHeld
from shared.events.topics import (
    GROUPS,
    INSIGHTS,
    NOTIFICATIONS_GROUP,
    PAIRS,
    PEOPLE,
    SESSIONS,
    Topic,
)
from shared.ids import CommitmentId, PairId, PersonId, SessionId, TenantId, derived_id

PARTNER_SOURCE = "urn:northwind:calendar"
LATE_BY = timedelta(weeks=3)


@dataclass(frozen=True, slots=True)
class Couple:
    """A pair that started: what the driver and the noise need to know of it.

    `earlier` is how many hours earlier than others they meet: who is in two pairs has one time for
    each.
    """

    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record to send. Satisfies the producer's protocol."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = field(default=())


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that cannot be handled, and the reason each of `groups` will give for it."""

    what: str
    record: Record
    reasons: tuple[tuple[str, str], ...]  # (group, reason)


def encoded(event: Event) -> Record:
    """The event as a record in binary mode."""
    return Record(event.fact.topic.name, *encode(event))


def from_partner(fact: PairFact, ce_id: str, tenant: TenantId, at: datetime) -> Event:
    """A fact that another system of the company saw, under that system's own source and id."""
    return Event(derived_id(tenant, PARTNER_SOURCE, ce_id), PARTNER_SOURCE, tenant, at, fact, ce_id)


def expected(poison: Iterable[Poison]) -> Counter[tuple[str, str]]:
    """How many dead letters there have to be, by group and reason."""
    return Counter(pair for each in poison for pair in each.reasons)


def poison(couple: Couple, tenant: TenantId, now: datetime) -> tuple[Poison, ...]:
    """One record of each kind of mistake, on the topic where it would really be made."""
    stranger = from_partner(_missed(couple, PersonId("e9998"), now), "stranger", tenant, now)
    early = from_partner(_answer(couple), "early", tenant, now + timedelta(days=365))
    return (
        *_of_sessions(couple, tenant, now),
        *_of_pairs(couple, tenant, now),
        _of_people(tenant, now),
        Poison(
            "about a stranger",
            encoded(stranger),
            ((INSIGHTS.name, "not_a_member"), (NOTIFICATIONS_GROUP.name, "not_of_pair")),
        ),
        Poison("from next year", encoded(early), ((INSIGHTS.name, "from_the_future"),)),
    )


def late_facts(couples: Sequence[Couple], tenant: TenantId, now: datetime) -> tuple[Event, ...]:
    """What a calendar and a task list kept to themselves for weeks: two facts for each pair."""
    found: list[Event] = []
    for place, couple in enumerate(couples):
        at = now - LATE_BY - timedelta(days=place, hours=2)
        held = SessionHeld(
            **_sides(couple),
            session_id=SessionId(_id("late session", couple)),
            starts_at=at - timedelta(minutes=30),
            duration_minutes=30,
            confirmed_by=(couple.mentor_id, couple.mentee_id),
        )
        kept = CommitmentKept(
            **_sides(couple),
            commitment_id=CommitmentId(_id("late promise", couple)),
            by=couple.mentor_id,
            due_at=at + timedelta(days=1),
            kept_at=at,
        )
        found += [
            from_partner(fact, f"{fact.type}/{couple.pair_id}", tenant, at) for fact in (held, kept)
        ]
    return tuple(found)


def _of_sessions(couple: Couple, tenant: TenantId, now: datetime) -> Iterator[Poison]:
    key, value, headers = encode(
        from_partner(_missed(couple, couple.mentor_id, now), "mistake", tenant, now)
    )
    no_tenant = [each for each in headers if each[0] != "ce_tenant"]
    other = f"{tenant}/{derived_id('another', 'pair')}".encode()
    for what, reason, record in (
        ("not JSON", "bad_data", Record(SESSIONS.name, key, b"held: yes", headers)),
        ("no tenant", "missing_attribute", Record(SESSIONS.name, key, value, no_tenant)),
        ("key of another pair", "wrong_key", Record(SESSIONS.name, other, value, headers)),
    ):
        yield _for_all(what, SESSIONS, record, reason)


def _of_pairs(couple: Couple, tenant: TenantId, now: datetime) -> Iterator[Poison]:
    ended = PairEnded(**_sides(couple), ended_at=now, reason="completed")
    key, _, headers = encode(from_partner(ended, "ended", tenant, now))
    half = b'{"specversion": "1.0", "type": "pair.ended"}'
    structured = (("content-type", b"application/cloudevents+json"),)
    yield _for_all("no value", PAIRS, Record(PAIRS.name, key, None, headers), "no_value")
    yield _for_all(
        "half an envelope", PAIRS, Record(PAIRS.name, key, half, structured), "bad_envelope"
    )


def _of_people(tenant: TenantId, now: datetime) -> Poison:
    leaver = PersonLeft(person_id=PersonId("e9999"), left_on=now.date())
    ce_id = "retired/e9999"
    event = Event(derived_id(tenant, HR_SOURCE, ce_id), HR_SOURCE, tenant, now, leaver, ce_id)
    key, value, headers = encode(event)
    # A newer HR system than ours: the envelope is right, the type is one that nobody knows.
    headers = [(name, b"person.retired" if name == "ce_type" else text) for name, text in headers]
    record = Record(PEOPLE.name, key, value, headers)
    return _for_all("a type nobody knows", PEOPLE, record, "unknown_type")


def _for_all(what: str, topic: Topic, record: Record, reason: str) -> Poison:
    return Poison(
        what, record, tuple((group.name, reason) for group in GROUPS if topic in group.topics)
    )


def _sides(couple: Couple) -> dict[str, object]:
    return {
        "pair_id": couple.pair_id,
        "mentor_id": couple.mentor_id,
        "mentee_id": couple.mentee_id,
    }


def _missed(couple: Couple, by: PersonId, now: datetime) -> CommitmentMissed:
    promise = CommitmentId(_id("mistaken promise", couple))
    due = now - timedelta(days=2)
    return CommitmentMissed(**_sides(couple), commitment_id=promise, by=by, due_at=due)


def _answer(couple: Couple) -> FeedbackGiven:
    return FeedbackGiven(
        **_sides(couple),
        session_id=SessionId(_id("mistaken session", couple)),
        by=couple.mentee_id,
        about=couple.mentor_id,
        item="honest",
        answer=True,
    )


def _id(what: str, couple: Couple) -> UUID:
    return derived_id(what, str(couple.pair_id))
