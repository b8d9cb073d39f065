"""The demo from beginning to end: start everything, tell the story, read back what came of it."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from random import Random
from typing import Any
from uuid import uuid4

from deploy.local import external
from deploy.local.demo import drive, live, noise, quiet
from deploy.local.demo.api import Api, DemoFailed
from deploy.local.demo.drive import Interlude, Stage
from deploy.local.demo.log import Log, again
from deploy.local.demo.noise import Couple, Record, encoded
from deploy.local.demo.outcome import Played, collect
from deploy.local.demo.population import CONTENT_TYPE, Employee, key_of, ndjson, population
from deploy.local.demo.refold import stored_difference
from deploy.local.demo.size import DemoSize
from deploy.local.demo.story import story
from deploy.local.foreground import Foreground
from deploy.local.mailbox import HOST, Mailbox
from deploy.local.network import Network, NetworkOptions
from deploy.local.progress import say
from deploy.local.stack import Stack, StackOptions
from shared.clock import FileClock
from shared.events.topics import FEEDBACK, PAIRS, PEOPLE, SESSIONS
from shared.ids import TenantId

TENANT = "northwind"
SENDER = "mentoring@northwind.example"
PEOPLE_TWICE = 5
RECORDS_TWICE = 60
LATE_PAIRS = 6
# Months pass in a minute here, so what a service does every few seconds it does all the time.
PACE = {
    "SESSIONS_SWEEP_EVERY_S": "0.2",
    "NOTIFICATIONS_SEND_EVERY_S": "0.1",
    "INSIGHTS_SURFACE_EVERY_S": "1.0",
    "INSIGHTS_LOOK_EVERY_S": "0.2",
    "NOTIFICATIONS_LEASE_S": "86400",
}
MAIL_SETTINGS = {"NOTIFICATIONS_SENDER": SENDER, "NOTIFICATIONS_SMTP_STARTTLS": "false"}

Outcome = tuple[dict[str, Any], EmailMessage | None]


def play(size: DemoSize, seed: int, *, containers: bool, front: Foreground) -> Outcome:
    """Everything, on a stack of its own. Raises StackError or DemoFailed."""
    say("starting Kafka and Postgres")
    with Stack.start(StackOptions(containers=containers)) as stack, Mailbox() as mailbox:
        stack.on_death(front.died)
        clock = FileClock(stack.run_dir / "clock")
        clock.set(size.starts_at)
        namespace, tenant = _own_names()
        options = NetworkOptions(
            clock_file=stack.run_dir / "clock",
            smtp=(HOST, mailbox.port),
            namespace=namespace,
            environ={**MAIL_SETTINGS, **PACE},
        )
        with Network(stack, options, front.died).start(say) as network:
            director = _Director(size, seed, mailbox, network, namespace)
            return front.run(director.direct(clock, tenant))


def _own_names() -> tuple[str, TenantId]:
    """On a broker or database that others use, the demo keeps to topics and a tenant of its own."""
    shared = any(
        os.environ.get(name) for name in (external.KAFKA_VARIABLE, external.POSTGRES_VARIABLE)
    )
    if not shared:
        return "", TenantId(TENANT)
    name = f"demo-{uuid4().hex[:8]}"
    return f"{name}.", TenantId(f"{TENANT}-{name}")


class _Director:
    """Knows the order of things. `played` remembers what was done, for the checks."""

    def __init__(
        self, size: DemoSize, seed: int, mailbox: Mailbox, network: Network, namespace: str
    ) -> None:
        self._size = size
        self._chance = Random(f"{seed}/noise")
        self._mailbox = mailbox
        self._network = network
        self._namespace = namespace
        self._played = Played(size, seed)
        self._couples: list[Couple] = []

    async def direct(self, clock: FileClock, tenant: TenantId) -> Outcome:
        """Tell the whole story and collect what came of it."""
        bootstrap = self._network.stack.kafka_bootstrap
        async with Api(self._network, tenant) as api, Log(bootstrap, self._namespace) as log:
            stage = Stage(api, log, clock, tenant)
            await self._people(stage)
            self._couples, self._played.unmatched = await drive.form_pairs(api, self._size.pairs)
            if len(self._couples) != self._size.pairs:
                raise DemoFailed(
                    f"matching proposed {len(self._couples)} of {self._size.pairs} pairs"
                )
            say(f"{len(self._couples)} pairs accepted by both sides and started")
            await self._live(stage)
            self._played.mails = len(self._mailbox.messages)
            difference = await stored_difference(
                self._network.dsn("insights"), tenant, self._played.seed
            )
            return await collect(stage, self._played, difference), _a_mail(self._mailbox)

    async def _people(self, stage: Stage) -> None:
        everybody = population(self._size, self._played.seed, stage.tenant)
        path = self._network.stack.run_dir / "people.ndjson"
        path.write_bytes(ndjson(everybody))
        say(f"{len(everybody)} people from HR as CloudEvents, one a line ({path}), the first:")
        say(f"  {everybody[0].line.decode()}")
        twice = self._chance.sample(everybody, PEOPLE_TWICE)
        await stage.log.send(_record(one, stage.tenant) for one in (*everybody, *twice))
        self._played.duplicates += len(twice)
        wanted = len(everybody)

        async def known() -> bool:
            page = await stage.api.get("matching", "/v1/people?limit=1")
            return bool(page["total"] == wanted)

        await quiet.until(known, f"{wanted} people known to matching")

    async def _live(self, stage: Stage) -> None:
        weeks = self._size.weeks
        say(f"{weeks} weeks of their life, over HTTP, with duplicates, late and poison events")

        def week(share: float) -> datetime:
            return self._size.starts_at + timedelta(weeks=round(weeks * share))

        interludes = (
            Interlude(week(0.3), lambda: self._sow_poison(stage)),
            Interlude(week(0.5), lambda: self._repeat(stage)),
            Interlude(week(0.75), lambda: self._come_late(stage)),
        )
        with live.line(self._size) as line:

            async def on_day(day: date) -> None:
                records = sum((await stage.log.ends()).values())
                line.at(day, records, len(self._mailbox.messages))

            actions = story(self._size, self._played.seed)
            await drive.perform(stage, self._couples, actions, interludes, on_day)
            await drive.finish(stage, self._size.ends_at)

    async def _sow_poison(self, stage: Stage) -> None:
        self._played.poison = noise.poison(self._couples[0], stage.tenant, stage.now)
        await stage.log.send(each.record for each in self._played.poison)

    async def _repeat(self, stage: Stage) -> None:
        """Send again what is there already: new offsets, the same ids."""
        poisoned = {each.record.value for each in self._played.poison}
        topics = [topic.name for topic in (SESSIONS, FEEDBACK, PAIRS)]
        seen = [each for each in await stage.log.read(topics) if each.value not in poisoned]
        twice = self._chance.sample(seen, min(RECORDS_TWICE, len(seen)))
        await stage.log.send(again(twice, stage.log))
        self._played.duplicates += len(twice)

    async def _come_late(self, stage: Stage) -> None:
        # Not the first: it is the one that poison was about.
        late = noise.late_facts(self._couples[1 : 1 + LATE_PAIRS], stage.tenant, stage.now)
        await stage.log.send(encoded(event) for event in late)
        self._played.late = len(late)


def _record(employee: Employee, tenant: TenantId) -> Record:
    headers = (("content-type", CONTENT_TYPE),)
    return Record(PEOPLE.name, key_of(employee, tenant), employee.line, headers)


def _a_mail(mailbox: Mailbox) -> EmailMessage | None:
    mails = mailbox.messages
    return mails[len(mails) // 2] if mails else None
