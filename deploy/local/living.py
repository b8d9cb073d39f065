"""The demo's network, half a year old and alive: what `trustfold up` shows.

Its story began half a year ago. Most of it goes by as fast as the machine can, the last days slowly
enough to be watched, and from the present on time is the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from deploy.local.demo import drive, quiet
from deploy.local.demo.api import Api
from deploy.local.demo.drive import MANAGER, PROGRAMME, Stage
from deploy.local.demo.log import Log
from deploy.local.demo.noise import Couple, Record
from deploy.local.demo.population import CONTENT_TYPE, Employee, key_of, population
from deploy.local.demo.size import DemoSize
from deploy.local.demo.story import Action, story
from deploy.local.issuer_page import Someone
from deploy.local.network import Network
from deploy.local.progress import say
from shared.clock import FileClock
from shared.events.topics import PEOPLE
from shared.ids import TenantId

SEED = 7
PEOPLE_COUNT, PAIRS = 110, 40
PAST, FUTURE = timedelta(weeks=25), timedelta(weeks=4)
# The last days before the present, one each so many seconds: about four minutes to watch.
SLOWLY = timedelta(days=16)
DAY_TAKES_S = 15.0
TICK_S = 0.2
SAY_EVERY = timedelta(days=28)
HR = "hr-1"
MENTORS, MENTEES = 6, 8


def size_until(now: datetime) -> DemoSize:
    """A demo that began on a Monday half a year before now, and goes on for some weeks."""
    monday = (now - PAST).date() - timedelta(days=(now - PAST).weekday())
    starts_at = datetime.combine(monday, datetime.min.time(), UTC) + timedelta(hours=8)
    weeks = (PAST + FUTURE) // timedelta(weeks=1)
    return DemoSize(people=PEOPLE_COUNT, pairs=PAIRS, weeks=weeks, starts_at=starts_at)


class Living:
    """One network and the story that is told on it."""

    def __init__(self, network: Network, clock: FileClock, size: DemoSize, tenant: TenantId):
        self._network, self._clock, self._size, self._tenant = network, clock, size, tenant
        self._people = population(size, SEED, tenant)

    async def begin(self, api: Api, log: Log) -> Sequence[Couple]:
        """People from HR, a matching run, pairs that say yes."""
        self._network.issuer.signing_in.let_in(someones(self._people, self._tenant))
        headers = (("content-type", CONTENT_TYPE),)
        await log.send(
            Record(PEOPLE.name, key_of(one, self._tenant), one.line, headers)
            for one in self._people
        )

        async def known() -> bool:
            page = await api.get("matching", "/v1/people?limit=1")
            return bool(page["total"] >= len(self._people))

        await quiet.until(known, "the people known to matching")
        couples, _ = await drive.form_pairs(api, self._size.pairs)
        return couples

    async def go_on(self, api: Api, log: Log, couples: Sequence[Couple]) -> None:
        """The past, then the present, for ever."""
        stage = Stage(api, log, self._clock, self._tenant)
        now = datetime.now(UTC)
        told = story(self._size, SEED)
        past = [action for action in told if action.at <= now]
        slowly_from = (now - SLOWLY).date()
        said = self._size.starts_at.date()

        async def on_day(day: date) -> None:
            nonlocal said
            if day - said >= SAY_EVERY or day == slowly_from:
                said = day
                slow = day >= slowly_from
                say(f"  the story is at {day}" + (", and slows down" if slow else ""))
            if day >= slowly_from:
                await asyncio.sleep(DAY_TAKES_S)

        await drive.perform(stage, couples, past, (), on_day)
        say("  the story has come to the present: from now on time is the real one")
        await self._present(stage, couples, told[len(past) :])

    async def _present(
        self, stage: Stage, couples: Sequence[Couple], later: Sequence[Action]
    ) -> None:
        async def no_day(_: date) -> None:
            return

        for at, group in groupby(later, key=lambda action: action.at):
            await self._until(at)
            await drive.perform(stage, couples, group, (), no_day)
        await self._until(datetime.max.replace(tzinfo=UTC))

    async def _until(self, at: datetime) -> None:
        """Keep the clock at the real time until then."""
        while (now := datetime.now(UTC)) < at:
            # Never backwards: the story may be some minutes ahead.
            self._clock.set(max(now, self._clock.now()))
            await asyncio.sleep(TICK_S)


def someones(people: Sequence[Employee], tenant: TenantId) -> list[Someone]:
    """Whom one can be on the page: who runs the programme, HR, some mentors and mentees."""

    def of(one: Employee, roles: tuple[str, ...], what: str, group: str) -> Someone:
        label = f"{one.fact.display_name}, {what}"
        return Someone(one.fact.person_id, roles, tenant, label, group)

    def part(role: str) -> list[Employee]:
        parts = [(one, one.fact.participation) for one in people]
        return [one for one, part in parts if part and role in part.roles]

    heading = "Who looks after mentoring"
    overseers = [
        of(one, ("manager", "participant"), f"runs {PROGRAMME}", heading)
        for one in people
        if one.fact.person_id == MANAGER
    ]
    hr = Someone(HR, ("hr",), tenant, "Human resources", heading)
    mentors = [of(it, ("participant",), "mentor", "Mentors") for it in part("mentor")]
    mentees = [of(it, ("participant",), "mentee", "Mentees") for it in part("mentee")]
    return [*overseers, hr, *mentors[:MENTORS], *mentees[:MENTEES]]
