"""Generated weeks around the days on which clocks change: who was written to, and when.

What may be is worked out here a minute at a time and in other words than in the service.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.notifications.domain.preferences import Choices, Digest, Hours
from services.notifications.domain.rules import TOLD
from services.notifications.domain.workflow import Mode
from services.notifications.domain.workflows import WORKFLOWS
from shared.events.contracts.examples import sample_event
from shared.events.envelope import Event, new_event
from shared.events.fact import Fact, PairFact
from shared.events.people import PersonJoined, PersonLeaveEnded
from shared.events.sessions import AgreementSigned
from shared.events.sessions.agreements import AgreedHours
from shared.ids import PairId, PersonId, new_id
from tests.integration.notifications.recording import MINUTE, Recording, sender
from tests.integration.notifications.rig import Rig
from tests.unit.notifications.builders import TENANT

pytestmark = pytest.mark.stack

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
MODES: tuple[Mode, ...] = ("now", "digest")
DAYS, PAIRS = 6, 3
# Days before clocks change in Europe; in America they change two weeks earlier, or one later.
SPRING, AUTUMN = "2026-03-24T00:00:00+00:00", "2026-10-22T00:00:00+00:00"
STEPS_MIN, LATER_STEPS_MIN = (7, 20, 45, 90), (90, 180, 300)


@dataclass(frozen=True)
class Someone:
    """One side of a pair, and all that decides when they may be written to."""

    person: PersonId
    zone: ZoneInfo
    hours: tuple[Hours, ...]
    budget: int
    digest: Digest
    mode: Mode
    agreed: tuple[AgreedHours, ...]
    away: tuple[date, date]

    def choices(self) -> Choices:
        return Choices(
            ways={"*": {"email": self.mode}},
            hours=self.hours,
            budget_per_day=self.budget,
            digest=self.digest,
        )

    def may_be_written_to(self, at: datetime, *, by_the_pair: bool) -> bool:
        local = at.astimezone(self.zone)
        if self.away[0] <= local.date() < self.away[1]:
            return False
        minute, weekday = local.hour * 60 + local.minute, local.isoweekday()
        for windows, asked in ((self.hours, True), (self.agreed, by_the_pair and self.agreed)):
            if asked and not any(
                each.weekday == weekday and each.from_minute <= minute < each.until_minute
                for each in windows
            ):
                return False
        return True


@pytest.mark.parametrize(
    ("begin", "seed"),
    [
        pytest.param(SPRING, 1, id="as spring begins"),
        *(pytest.param(SPRING, seed, marks=pytest.mark.full) for seed in range(2, 10)),
        *(pytest.param(AUTUMN, seed, marks=pytest.mark.full) for seed in range(10, 18)),
    ],
)
async def test_nobody_is_written_to_out_of_hours_too_often_too_late_or_twice(
    rig: Rig, begin: str, seed: int
) -> None:
    chance = random.Random(seed)
    rig.clock.at = datetime.fromisoformat(begin)
    people = [someone(chance, f"p{n}", rig.clock.at) for n in range(2 * PAIRS)]
    pairs = {PairId(UUID(int=n + 1)): people[2 * n : 2 * n + 2] for n in range(PAIRS)}
    for each in people:
        await rig.chooses(each.person, each.choices())
    await rig.apply(*beginnings(people, pairs, rig.clock.at))
    facts = sorted(generated(chance, pairs, rig.clock.at), key=lambda event: event.occurred_at)

    post = Recording()
    sending = sender(rig, post)
    end = rig.clock.at + timedelta(days=DAYS + 10)
    while rig.clock.at < end:
        due = [event for event in facts if event.occurred_at <= rig.clock.at]
        facts = facts[len(due) :]
        # As at a rebalance: some of it is delivered twice.
        await rig.apply(*due, *due[:1])
        await sending.tidy()
        await sending.step()
        await sending.step_digests()
        await rig.inbox()
        rig.pass_time(minutes=chance.choice(STEPS_MIN if facts else LATER_STEPS_MIN))

    await assert_all_was_right(rig, post, {each.person: each for each in people})


def someone(chance: random.Random, name: str, begin: datetime) -> Someone:
    begins = chance.choice((0, 6, 8, 9)) * 60
    ends = chance.choice((12, 18, 20, 24)) * 60
    days = chance.choice((range(1, 8), range(1, 6), (2, 7)))
    hours = tuple(Hours(weekday=day, from_minute=begins, until_minute=ends) for day in days)
    person = PersonId(name)
    agreed = tuple(
        AgreedHours(person_id=person, weekday=day, from_minute=600, until_minute=1020)
        for day in (range(1, 8) if chance.random() < 0.5 else ())
    )
    back = begin.date() + timedelta(days=chance.randrange(6, 9))
    away = (begin.date() + timedelta(days=4), back) if chance.random() < 0.3 else (back, back)
    digest = Digest(at_minute=chance.choice((0, 150, 540)), weekdays=tuple(range(1, 8)))
    zone = ZoneInfo(chance.choice(ZONES))
    budget, mode = chance.randrange(0, 4), chance.choice(MODES)
    return Someone(person, zone, hours, budget, digest, mode, agreed, away)


def beginnings(
    people: list[Someone], pairs: dict[PairId, list[Someone]], at: datetime
) -> list[Event]:
    told: list[Fact] = []
    for each in people:
        told.append(
            PersonJoined(
                person_id=each.person,
                email=f"{each.person}@acme.example",
                display_name=f"Person {each.person}",
                timezone=each.zone.key,
            )
        )
        if each.away[0] < each.away[1]:
            told.append(
                PersonLeaveEnded(
                    person_id=each.person,
                    leave_id="l1",
                    started_on=each.away[0],
                    back_on=each.away[1],
                )
            )
    for pair, (mentor, mentee) in pairs.items():
        told.append(
            AgreementSigned(
                pair_id=pair,
                mentor_id=mentor.person,
                mentee_id=mentee.person,
                agreement_version=1,
                cadence_days=14,
                notice_hours=24,
                channels=("video",),
                hours=mentor.agreed + mentee.agreed,
            )
        )
    return [_event(fact, at) for fact in told]


def generated(
    chance: random.Random, pairs: dict[PairId, list[Someone]], begin: datetime
) -> list[Event]:
    """Facts of every kind that is spoken of, at any time of day."""
    kinds: list[type[Fact]] = sorted(
        (kind for kind in TOLD if issubclass(kind, PairFact) and kind is not AgreementSigned),
        key=lambda kind: kind.type,
    )
    events = []
    for pair, (mentor, mentee) in pairs.items():
        for _ in range(40):
            at = begin + timedelta(minutes=chance.randrange(DAYS * 1440))
            fact = sample_event(chance.choice(kinds)).fact
            sides = {"mentor_id": mentor.person, "mentee_id": mentee.person, "pair_id": pair}
            changes: dict[str, object] = {
                name: chance.choice((mentor.person, mentee.person))
                for name in ("by", "of")
                if name in type(fact).model_fields
            }
            for name in ("starts_at", "due_at", "until", "answer_until"):
                if name in type(fact).model_fields:
                    changes[name] = at + timedelta(hours=chance.randrange(1, 120))
            for name in ("session_id", "commitment_id", "reply_id"):
                if name in type(fact).model_fields:
                    changes[name] = UUID(int=chance.randrange(1, 2**100))
            events.append(_event(fact.model_copy(update={**sides, **changes}), at))
    return events


def _event(fact: Fact, at: datetime) -> Event:
    return new_event(fact, event_id=new_id(), tenant=TENANT, service="test", now=at)


async def assert_all_was_right(rig: Rig, post: Recording, people: dict[PersonId, Someone]) -> None:
    rows = {row["message_id"]: row for row in await rig.rows("SELECT * FROM message")}
    digests = {row["digest_id"] for row in rows.values()} - {None}
    handed = [letter.message_id for _, letter in post.taken]
    assert len(handed) == len(set(handed)), "nothing twice"
    assert len(handed) > PAIRS, "something was said at all"
    used: Counter[tuple[PersonId, date]] = Counter()
    for at, letter in post.taken:
        row = rows.get(letter.message_id)
        person = people[PersonId(letter.address.partition("@")[0])]
        if row is not None:
            assert at < row["expires_at"], "nothing stale"
            assert at >= row["not_before"], "nothing too early"
            if row["is_urgent"] or WORKFLOWS[row["workflow"]].is_critical:
                continue
        else:
            assert letter.message_id in digests
        assert person.may_be_written_to(at, by_the_pair=row is not None), (at, row)
        used[person.person, at.astimezone(person.zone).date()] += 1
    for (person_id, day), count in used.items():
        assert count <= people[person_id].budget, f"{person_id} on {day}"
    open_still = [
        (row["workflow"], row["channel"], row["state"], row["reason"])
        for row in rows.values()
        if row["state"] in ("waiting_for_address", "queued", "gathered", "claimed")
        and row["not_before"] < rig.clock.at - timedelta(days=8)
        and row["expires_at"] < rig.clock.at - 60 * MINUTE
    ]
    assert open_still == [], "nothing is forgotten"
