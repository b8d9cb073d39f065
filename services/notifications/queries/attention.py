"""What decides when people are written to: wishes, leave, terms, and how much has been said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import asyncpg
import orjson
from pydantic import TypeAdapter

from services.notifications.domain.attention import Attention, Leave, Terms
from services.notifications.domain.hours import ALWAYS, Week, Window
from services.notifications.domain.message import Standing
from services.notifications.domain.preferences import NOTHING, Choices, Wishes
from shared.events.envelope import Event
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

Who: TypeAlias = tuple[TenantId, PersonId]

_SAVE_LEAVE = """
    INSERT INTO person_leave (tenant, person_id, leave_id, started_on, back_on, as_of, event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant, person_id, leave_id) DO UPDATE
    SET (started_on, back_on, as_of, event_id)
      = (excluded.started_on, excluded.back_on, excluded.as_of, excluded.event_id)
    WHERE (person_leave.as_of, person_leave.event_id) < (excluded.as_of, excluded.event_id)
"""
# Two lateral look-ups by key for each person, however the planner thinks of the tables' sizes.
_READERS = """
    SELECT who.tenant, who.person_id, person.has_left, person.timezone, own.choices,
           everybody.choices AS tenants, leaves.spans
    FROM unnest($1::text[], $2::text[]) AS who (tenant, person_id)
    LEFT JOIN person USING (tenant, person_id)
    LEFT JOIN preference AS own ON own.tenant = who.tenant AND own.of_whom = who.person_id
    LEFT JOIN preference AS everybody
           ON everybody.tenant = who.tenant AND everybody.of_whom = '*'
    LEFT JOIN LATERAL (
        SELECT array_agg(ARRAY[started_on, back_on]) AS spans FROM person_leave AS away
        WHERE away.tenant = who.tenant AND away.person_id = who.person_id
    ) AS leaves ON true
"""
_TERMS = """
    SELECT terms.* FROM unnest($1::text[], $2::uuid[]) AS wanted (tenant, pair_id)
    JOIN pair_terms AS terms USING (tenant, pair_id)
"""
_SAVE_TERMS = """
    INSERT INTO pair_terms (tenant, pair_id, version, mentor_id, mentee_id, channels, hours)
    SELECT $1, pair_id, version, mentor_id, mentee_id, channels, hours
    FROM jsonb_to_recordset($2::jsonb) AS agreed (
        pair_id uuid, version int, mentor_id text, mentee_id text, channels text[], hours jsonb
    )
    ORDER BY pair_id
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET version = EXCLUDED.version, channels = EXCLUDED.channels, hours = EXCLUDED.hours
    WHERE pair_terms.version < EXCLUDED.version
"""
# Holds the rows until the commit, so two senders never both take the last place.
_USED = """
    INSERT INTO attention (tenant, person_id, day)
    SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::date[]) ORDER BY 1, 2, 3
    ON CONFLICT (tenant, person_id, day) DO UPDATE SET used = attention.used
    RETURNING tenant, person_id, day, used
"""
_USE = """
    UPDATE attention SET used = taken.used
    FROM unnest($1::text[], $2::text[], $3::date[], $4::int[])
         AS taken (tenant, person_id, day, used)
    WHERE (attention.tenant, attention.person_id, attention.day)
        = (taken.tenant, taken.person_id, taken.day)
"""
_FORGET_DAYS = "DELETE FROM attention WHERE day < $1"
_FORGET = (
    "DELETE FROM preference WHERE tenant = $1 AND of_whom = $2",
    "DELETE FROM preference_change WHERE tenant = $1 AND of_whom = $2",
    "DELETE FROM person_leave WHERE tenant = $1 AND person_id = $2",
    "DELETE FROM attention WHERE tenant = $1 AND person_id = $2",
    "DELETE FROM digest WHERE tenant = $1 AND person_id = $2",
)


class Day(NamedTuple):
    """A day of a person's, on which so many messages may call for their attention."""

    tenant: TenantId
    person_id: PersonId
    day: date


@dataclass(frozen=True, slots=True)
class KeptLeave:
    """A leave, as the newest fact about it says."""

    person_id: PersonId
    leave_id: str
    started_on: date
    back_on: date | None


@dataclass(frozen=True, slots=True)
class PairTerms:
    """What a pair has agreed, for each of the two."""

    mentor_id: PersonId
    mentee_id: PersonId
    channels: tuple[str, ...]
    mentors: Week
    mentees: Week

    def of(self, person: PersonId) -> Terms:
        """The terms for one side."""
        hours = self.mentors if person == self.mentor_id else self.mentees
        return Terms(hours, frozenset(self.channels))


async def save_leave(conn: Connection, event: Event, leave: KeptLeave) -> None:
    """Keep the leave, unless something later is known of it."""
    await conn.execute(
        _SAVE_LEAVE,
        event.tenant,
        leave.person_id,
        leave.leave_id,
        leave.started_on,
        leave.back_on,
        event.occurred_at,
        event.event_id,
    )


async def readers(conn: Connection, people: Iterable[Who]) -> dict[Who, Attention]:
    """Everything that decides when each of them may be written to; nobody is left out."""
    wanted = sorted(set(people))
    rows = await conn.fetch(_READERS, [who[0] for who in wanted], [who[1] for who in wanted])
    return {(row["tenant"], row["person_id"]): _attention(row) for row in rows}


async def terms(
    conn: Connection, pairs: Iterable[tuple[TenantId, PairId]]
) -> dict[PairId, PairTerms]:
    """What those of the pairs that have an agreement agreed."""
    wanted = sorted(set(pairs))
    rows = await conn.fetch(_TERMS, [pair[0] for pair in wanted], [pair[1] for pair in wanted])
    return {PairId(row["pair_id"]): _terms(row) for row in rows}


async def save_terms(
    conn: Connection, tenant: TenantId, agreed: Mapping[PairId, tuple[int, PairTerms]]
) -> None:
    """Keep what pairs agreed, each with its version, unless a later one is known."""
    if not agreed:
        return
    rows = [
        {
            "pair_id": str(pair),
            "version": version,
            "mentor_id": terms.mentor_id,
            "mentee_id": terms.mentee_id,
            "channels": terms.channels,
            "hours": {
                "mentor": list(map(list, terms.mentors)),
                "mentee": list(map(list, terms.mentees)),
            },
        }
        for pair, (version, terms) in agreed.items()
    ]
    await conn.execute(_SAVE_TERMS, tenant, orjson.dumps(rows).decode())


async def used(conn: Connection, days: Iterable[Day]) -> dict[Day, int]:
    """How many messages each day has had; it is this transaction's to say how many more."""
    rows = await conn.fetch(_USED, *_columns(sorted(set(days))))
    return {Day(row["tenant"], row["person_id"], row["day"]): row["used"] for row in rows}


async def use(conn: Connection, taken: Mapping[Day, int]) -> None:
    """Write down how many messages each day has had now."""
    await conn.execute(_USE, *_columns(list(taken)), list(taken.values()))


async def forget_days(conn: Connection, before: date) -> None:
    """Drop what was counted on days that are over everywhere."""
    await conn.execute(_FORGET_DAYS, before)


async def forget(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Delete everything that is kept here about a person."""
    for statement in _FORGET:
        await conn.execute(statement, tenant, person)


def _columns(days: Sequence[Day]) -> tuple[list[str], list[str], list[date]]:
    return (
        [day.tenant for day in days],
        [day.person_id for day in days],
        [day.day for day in days],
    )


def _attention(row: asyncpg.Record) -> Attention:
    known: dict[bool | None, Standing] = {None: "unknown", True: "left", False: "known"}
    spans = row["spans"] or ()
    return Attention(
        standing=known[row["has_left"]],
        zone=ZoneInfo(row["timezone"] or "UTC"),
        wishes=_wishes(row["choices"], row["tenants"]),
        leaves=tuple(Leave(started_on, back_on) for started_on, back_on in spans),
    )


CHOICES = TypeAdapter(Choices)


# Most people have chosen nothing, and parsing is most of the work for who has.
@lru_cache(maxsize=4_096)
def _wishes(own: str | None, tenants: str | None) -> Wishes:
    return Wishes(choices_of(own), choices_of(tenants))


def choices_of(kept: str | None) -> Choices:
    """Choices as they were kept. Names this release does not know any more are passed over."""
    return CHOICES.validate_json(kept, extra="ignore") if kept else NOTHING


def _terms(row: asyncpg.Record) -> PairTerms:
    mentors, mentees = _weeks(row["hours"])
    return PairTerms(
        PersonId(row["mentor_id"]),
        PersonId(row["mentee_id"]),
        tuple(row["channels"]),
        mentors,
        mentees,
    )


@lru_cache(maxsize=4_096)
def _weeks(kept: str) -> tuple[Week, Week]:
    hours = orjson.loads(kept)
    mentor, mentee = (tuple(Window(*each) for each in hours[side]) for side in ("mentor", "mentee"))
    return (ALWAYS if mentor == ALWAYS else mentor), (ALWAYS if mentee == ALWAYS else mentee)
