"""Notifications on a real database and a real SMTP server, driven step by step on a fixed clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailbox import HOST, Mailbox
from services.notifications.app import build
from services.notifications.domain.preferences import Choices
from services.notifications.handlers import preferences
from services.notifications.settings import NotificationsSettings
from shared.asking import Ask
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.ids import PersonId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from shared.service import Service
from tests.unit.notifications.builders import MENTEE, MENTOR, START, TENANT, happened, joined

NAMES = {MENTOR: "Zoë Ångström", MENTEE: "Bo"}
MAIL = ["email", "calendar"]
SENDER = "no-reply@mentoring.example"


CUT = "cut"
KEEP_AND_CUT = "keep and cut"


class Difficult(Mailbox):
    """A server that answers from a script, then with yes.

    CUT and KEEP_AND_CUT close the connection in the place of an answer to DATA. `seen` is every
    mail that got that far, `peers` every connection it came by.
    """

    def __init__(self, *, recipient: Sequence[str] = (), data: Sequence[str] = ()) -> None:
        self.recipient, self.data = list(recipient), list(data)
        self.seen: list[EmailMessage] = []
        self.peers: set[object] = set()
        super().__init__()

    def answer_recipient(self, address: str) -> str:
        return self.recipient.pop(0) if self.recipient else super().answer_recipient(address)

    def answer_data(self, mail: EmailMessage) -> str:
        self.seen.append(mail)
        answer = self.data.pop(0) if self.data else super().answer_data(mail)
        return "250 kept" if answer == KEEP_AND_CUT else answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.peers.add(session.peer)
        cut = self.data[:1] in ([CUT], [KEEP_AND_CUT])
        answer = await super().handle_DATA(server, session, envelope)
        if cut:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer


@dataclass
class Rig:
    """One service in one process. `again` is another process of it on the same database."""

    pool: Pool
    clock: FixedClock
    port: int
    service: Service

    @classmethod
    def on(cls, pool: Pool, port: int, **settings: Any) -> Rig:
        clock = FixedClock(START)
        return cls(pool, clock, port, build(settings_for(port, **settings), pool, clock))

    def again(self, **settings: Any) -> Rig:
        service = build(settings_for(self.port, **settings), self.pool, self.clock)
        return Rig(self.pool, self.clock, self.port, service)

    async def apply(self, *events: Event) -> None:
        """What the delivery does with a batch."""
        async with self.pool.acquire() as conn, conn.transaction():
            await self.service.apply(conn, events, self.clock.now())

    async def tell(self, *facts: Fact) -> None:
        await self.apply(*(happened(fact, at=self.clock.now()) for fact in facts))

    async def everybody_joins(self) -> None:
        await self.tell(*(joined(person, name) for person, name in NAMES.items()))

    async def send(self) -> int:
        return int(await self._step("send"))

    async def inbox(self) -> int:
        return int(await self._step("inbox"))

    async def digest(self) -> int:
        return int(await self._step("digest"))

    async def tidy(self) -> int:
        return int(await self._step("tidy"))

    async def chooses(self, of_whom: PersonId, choices: Choices) -> None:
        """Somebody, or EVERYBODY, says how they want to be told."""
        ask = Ask(TENANT, PersonId("boss"), self.clock.now())
        await preferences.choose(self.pool, ask, of_whom, choices)

    async def _step(self, name: str) -> int:
        (loop,) = (loop for loop in self.service.loops if loop.name == name)
        done = await loop.step()
        assert isinstance(done, int)
        return done

    def pass_time(self, **parts: float) -> None:
        self.clock.at += timedelta(**parts)

    async def states(self, channel: str = "mail") -> list[tuple[str, str, int, str | None]]:
        """Recipient, state, attempts and reason of each message on the channel."""
        rows = await self.rows(
            "SELECT person_id, state, attempt, reason FROM message WHERE channel = ANY($1)"
            " ORDER BY person_id",
            MAIL if channel == "mail" else [channel],
        )
        return [tuple(row) for row in rows]

    async def rows(self, statement: str, *args: object) -> list[Any]:
        """What a query finds among all tenants."""
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            return list(await conn.fetch(statement, *args))

    async def change(self, statement: str, *args: object) -> None:
        """What somebody else did to the tables of any tenant."""
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            await conn.execute(statement, *args)

    async def announced(self, channel: str = "email") -> list[tuple[str, str]]:
        """Type and recipient of what waits in the outbox about the channel."""
        rows = await self.rows("SELECT type, payload FROM outbox ORDER BY position")
        read = [(row["type"], orjson.loads(row["payload"])) for row in rows]
        return [(type_, fact["person_id"]) for type_, fact in read if fact["channel"] == channel]


def settings_for(port: int, **settings: Any) -> NotificationsSettings:
    return NotificationsSettings(
        **{
            "postgres": "postgresql://unused",
            "kafka": "unused:9092",
            "smtp_host": HOST,
            "smtp_port": port,
            "smtp_starttls": False,
            "smtp_connections": 1,
            "smtp_keep_s": 0,
            "sender": SENDER,
            "send_timeout_s": 2.0,
            **settings,
        }
    )
