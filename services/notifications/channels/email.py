"""Email over SMTP: a few connections, kept from batch to batch, one transaction per message.

Retries nothing itself. The Message-ID comes from the message's id alone, so a message that is sent
again after a crash is the same mail to every server and client that looks (RFC 5322 3.6.4).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address

import aiosmtplib

from services.notifications.channels import Letter
from services.notifications.channels.mail import Sender, envelope_address, written
from services.notifications.domain.attempt import Outcome
from services.notifications.domain.message import Channel as Name
from shared.logging import logger

QUIT_TIMEOUT_S = 2.0
PERMANENT = range(500, 600)
CLOSING = 421
_log = logger("notifications.email")


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in, and as whom. `timeout_s` bounds one message, connecting included."""

    host: str
    port: int
    starttls: bool
    username: str | None
    password: str | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many connections there are at most, after how many mails each is made anew, and for how
    long one that nobody uses is kept.
    """

    connections: int = 4
    mails_each: int = 500
    idle_s: float = 0.0


class EmailChannel:
    """The email channel. At most `connections` letters are under way, each on a connection of its
    own; one on which anything unexpected happened is closed and never used again.
    """

    carries: Sequence[Name] = ("email", "calendar")

    def __init__(
        self,
        server: Server,
        sender: str,
        sender_name: str,
        *,
        keeping: Keeping = Keeping(),
        bounces: str | None = None,
        unsubscribe: str | None = None,
    ) -> None:
        self._server = server
        self._sender = Sender(Address(sender_name, addr_spec=sender), bounces, unsubscribe)
        self._keeping = keeping
        self._free = asyncio.Semaphore(keeping.connections)
        self._idle: list[_Connection] = []
        self._users = 0
        self._is_closed = False
        self._expiry: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[EmailChannel]:
        """For one batch: connections are made when letters are delivered."""
        self._users += 1
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        for connection in self._idle:
            connection.is_doubtful = True
        try:
            yield self
        finally:
            self._users -= 1
            await self._leave()

    async def aclose(self) -> None:
        """Close what is kept. What is still under way ends as it would, and is not kept."""
        self._is_closed = True
        if self._expiry is not None:
            self._expiry.cancel()
        await self._close_idle()

    async def deliver(self, letter: Letter, now: datetime) -> Outcome:
        """Hand one letter over; waits for a connection to be free."""
        try:
            to = envelope_address(letter.address)
        except (ValueError, HeaderParseError):
            return Outcome("refused", "bad_address")
        mail = written(letter, sender=self._sender, to=to, now=now)
        async with self._free:
            connection = self._idle.pop() if self._idle else self._new()
            try:
                outcome = await connection.transfer(self._sender.envelope(letter), to, mail)
            except BaseException:
                connection.drop()
                raise
            await self._put_back(connection)
        return outcome

    def _new(self) -> _Connection:
        return _Connection(self._server, self._sender.address.domain)

    async def _put_back(self, connection: _Connection) -> None:
        if (
            not connection.is_usable
            or self._is_closed
            or connection.mails >= self._keeping.mails_each
        ):
            await connection.close()
        else:
            self._idle.append(connection)

    async def _leave(self) -> None:
        if self._users:
            return
        if self._keeping.idle_s <= 0 or self._is_closed:
            await self._close_idle()
        elif self._idle:
            self._expiry = asyncio.create_task(self._expire())

    async def _expire(self) -> None:
        await asyncio.sleep(self._keeping.idle_s)
        self._expiry = None
        await self._close_idle()

    async def _close_idle(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close() for connection in idle))


class _Connection:
    """One SMTP connection, made with its first letter. `is_doubtful` is asked before it is used."""

    def __init__(self, server: Server, local: str) -> None:
        self.mails = 0
        self.is_doubtful = False
        self._timeout_s = server.timeout_s
        # Without a local name the library asks the resolver for one, blocking the event loop.
        self._client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            start_tls=server.starttls,
            username=server.username,
            password=server.password,
            timeout=server.timeout_s,
            local_hostname=local,
        )

    @property
    def is_usable(self) -> bool:
        return self._client.is_connected

    async def transfer(self, sender: str, to: Address, mail: bytes) -> Outcome:
        connected = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._ready()
                connected = True
                await self._hand_over(sender, to, mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return self._answered(error.recipients[0].code, "recipient")
        except aiosmtplib.SMTPDataError as error:
            return self._answered(error.code, "message")
        except aiosmtplib.SMTPNotSupported:
            # Before the transfer this is our own set-up (no STARTTLS, no AUTH), later the address.
            if connected:
                return Outcome("refused", "address_not_supported")
            self.drop()
            return _away("set_up")
        except aiosmtplib.SMTPSenderRefused as error:
            self.drop()
            return _away(f"sender_{error.code}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self.drop()
            # Once a transfer has begun nobody can tell whether the server kept the message.
            return Outcome("deferred", "interrupted") if connected else _away(type(error).__name__)
        self.mails += 1
        return Outcome("accepted")

    async def _ready(self) -> None:
        if self.is_doubtful and self._client.is_connected:
            # Closed by the server while nobody looked: found out before a letter is on it.
            try:
                await self._client.rset(timeout=self._timeout_s / 4)
            except (aiosmtplib.SMTPException, OSError):
                self.drop()
        self.is_doubtful = False
        if not self._client.is_connected:
            self.mails = 0
            await self._client.connect()

    async def _hand_over(self, sender: str, to: Address, mail: bytes) -> None:
        wide = not to.addr_spec.isascii()
        options = ["SMTPUTF8", "BODY=8BITMIME"] if wide else []
        await self._client.sendmail(sender, [to.addr_spec], mail, mail_options=options)

    def _answered(self, code: int, what: str) -> Outcome:
        if code == CLOSING:
            self.drop()
        fate = f"{what}_{code}"
        return Outcome("refused", fate) if code in PERMANENT else Outcome("deferred", fate)

    async def close(self) -> None:
        """Say goodbye where there is somebody to say it to."""
        if self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(QUIT_TIMEOUT_S):
                    await self._client.quit()
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        self._client.close()


def _away(why: str) -> Outcome:
    _log.warning("mail server cannot be used", action="smtp_unreachable", why=why)
    return Outcome("unreachable", "server_unreachable")
