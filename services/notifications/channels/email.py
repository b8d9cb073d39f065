"""Email over SMTP: a few connections for a batch, one transaction per message. Retries nothing.

The Message-ID comes from the message's id alone, so a message that is sent again after a crash is
the same mail to every server and client that looks (RFC 5322 3.6.4).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from email.utils import format_datetime

import aiosmtplib

from services.notifications.channels import Invitation, Letter
from services.notifications.channels.calendar import calendar_entry
from services.notifications.domain.attempt import Outcome
from services.notifications.domain.message import Channel as Name
from services.notifications.rendering import plain_name
from shared.logging import logger

QUIT_TIMEOUT_S = 2.0
PERMANENT = range(500, 600)
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
class Envelope:
    """Who mails are from; the domain of `sender` names our Message-IDs.

    With `bounces`, a mail that comes back names its message: it goes to `bounces+<id>@<domain>`.
    """

    sender: Address
    bounces: Address | None = None

    def return_path(self, letter: Letter) -> str:
        """Where a mail goes that cannot be delivered (RFC 5321 4.4)."""
        if self.bounces is None:
            return self.sender.addr_spec
        return f"{self.bounces.username}+{letter.message_id.hex}@{self.bounces.domain}"


class EmailChannel:
    """The email channel; invitations are mails too."""

    carries: Sequence[Name] = ("email", "calendar")

    def __init__(self, server: Server, envelope: Envelope) -> None:
        self._server = server
        self._envelope = envelope

    @asynccontextmanager
    async def open(self) -> AsyncIterator[_Post]:
        """As many SMTP connections as deliver at once, each made when it is first needed."""
        post = _Post(self._server, self._envelope)
        try:
            yield post
        finally:
            await post.close()


class _Post:
    """A connection has one letter at a time; who delivers takes one that is free, or a new one."""

    def __init__(self, server: Server, envelope: Envelope) -> None:
        self._server = server
        self._envelope = envelope
        self._free: list[_Connection] = []

    async def deliver(self, letter: Letter, now: datetime) -> Outcome:
        connection = self._free.pop() if self._free else _Connection(self._server, self._envelope)
        try:
            return await connection.deliver(letter, now)
        finally:
            self._free.append(connection)

    async def close(self) -> None:
        """Say goodbye everywhere. Nothing is being delivered any more."""
        await asyncio.gather(*(connection.close() for connection in self._free))


class _Connection:
    def __init__(self, server: Server, envelope: Envelope) -> None:
        self._timeout_s = server.timeout_s
        self._envelope = envelope
        # Without a local name the library asks the resolver for one, blocking the event loop.
        self._client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            start_tls=server.starttls,
            username=server.username,
            password=server.password,
            timeout=server.timeout_s,
            local_hostname=envelope.sender.domain,
        )

    async def deliver(self, letter: Letter, now: datetime) -> Outcome:
        try:
            address = envelope_address(letter.address)
        except (ValueError, HeaderParseError):
            return Outcome("refused", "bad_address")
        mail = compose(letter, self._envelope, to=address, now=now)
        connected = False
        try:
            async with asyncio.timeout(self._timeout_s):
                if not self._client.is_connected:
                    await self._client.connect()
                connected = True
                await self._transfer(mail, address, self._envelope.return_path(letter))
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _answered(error.recipients[0].code, "recipient")
        except aiosmtplib.SMTPDataError as error:
            return _answered(error.code, "message")
        except aiosmtplib.SMTPNotSupported:
            # Before the transfer this is our own set-up (no STARTTLS, no AUTH), later the address.
            return Outcome("refused", "address_not_supported") if connected else _away("set_up")
        except aiosmtplib.SMTPSenderRefused as error:
            return _away(f"sender_{error.code}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            # Once a transfer has begun nobody can tell whether the server kept the message.
            return Outcome("deferred", "interrupted") if connected else _away(type(error).__name__)
        return Outcome("accepted")

    async def _transfer(self, mail: EmailMessage, to: Address, return_path: str) -> None:
        wide = not to.addr_spec.isascii()
        await self._client.sendmail(
            return_path,
            [to.addr_spec],
            mail.as_bytes(policy=MAIL.clone(utf8=wide)),
            mail_options=["SMTPUTF8", "BODY=8BITMIME"] if wide else [],
        )

    async def close(self) -> None:
        """Say goodbye where there is somebody to say it to."""
        if self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(QUIT_TIMEOUT_S):
                    await self._client.quit()
        self._client.close()


def compose(letter: Letter, envelope: Envelope, *, to: Address, now: datetime) -> EmailMessage:
    """The letter as a mail: the same bytes for the same arguments.

    No text can add a header: names have no line breaks, and the header classes refuse any.
    """
    sender = envelope.sender
    mail = EmailMessage(policy=MAIL)
    mail["From"] = sender
    reader = Address(plain_name(letter.name), to.username, to.domain)
    mail["To"] = reader
    mail["Subject"] = letter.words.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{letter.message_id}@{sender.domain}>"
    mail["References"] = f"<{letter.thread}@{sender.domain}>"
    # RFC 3834: vacation responders must not answer.
    mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe is not None:
        # RFC 8058: a client may ask this address by POST, with no page and no question.
        mail["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.words.text)
    mail.add_alternative(letter.words.html, subtype="html")
    if letter.invitation is not None:
        _invite(mail, letter, letter.invitation, sender, reader)
    for n, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"part-{n}-{letter.message_id.hex}")
    return mail


def _invite(
    mail: EmailMessage, letter: Letter, invitation: Invitation, sender: Address, to: Address
) -> None:
    """Once for clients that show an invitation, and once as a file for those that do not."""
    entry = calendar_entry(invitation, letter.words, organiser=sender, attendee=to)
    method = "CANCEL" if invitation.is_cancelled else "REQUEST"
    mail.add_alternative(
        entry.decode(), subtype="calendar", params={"method": method}, cte="quoted-printable"
    )
    mail.add_attachment(entry, maintype="application", subtype="ics", filename="invite.ics")


def envelope_address(text: str) -> Address:
    """The address with its domain as it is in DNS. Raises ValueError or HeaderParseError."""
    user, _, domain = text.rpartition("@")
    if not user or not domain or plain_name(text) != text:
        raise ValueError("not an address")
    narrow = domain.encode("idna").decode("ascii")
    # The parser knows ASCII alone: other letters stand in the places of atoms, and nowhere else.
    shape = "".join(char if char.isascii() else "x" for char in user)
    parsed = Address(addr_spec=f"{shape}@{narrow}")
    return parsed if user.isascii() else Address(username=user, domain=narrow)


def _answered(code: int, what: str) -> Outcome:
    fate = f"{what}_{code}"
    return Outcome("refused", fate) if code in PERMANENT else Outcome("deferred", fate)


def _away(why: str) -> Outcome:
    _log.warning("mail server cannot be used", action="smtp_unreachable", why=why)
    return Outcome("unreachable", "server_unreachable")
