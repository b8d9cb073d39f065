"""A letter as a mail: headers, parts and bytes. Sends nothing.

No text can add a header: names have no line breaks, and the header classes refuse any.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache

from services.notifications.channels import Invitation, Letter, calendar
from services.notifications.rendering import plain_name


class _Mail(EmailPolicy):
    """Python's own folding writes a long link or id as encoded words, which no client can follow:
    these headers are folded between their items alone.
    """

    _whole = frozenset({"list-unsubscribe", "references", "in-reply-to", "message-id"})

    def fold(self, name: str, value: str) -> str:
        """The header as text."""
        if name.lower() not in self._whole:
            return str(super().fold(name, value))
        return f"{name}: {str(value).replace(', ', f',{self.linesep} ')}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        """The header as bytes."""
        if name.lower() not in self._whole:
            return super().fold_binary(name, value)
        return self.fold(name, value).encode()


# Lines of seven bits pass every server; eight would need one that offers 8BITMIME (RFC 6152).
MAIL = _Mail(linesep="\r\n", cte_type="7bit")
# Letters, digits and what means the same inside and outside of quotes; no encoded word, no end.
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 '!/+_<>@.:,-]*[A-Za-z0-9.!>])?")
_SHORT = 74
_WIDE = MAIL.clone(utf8=True)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails are from; its domain names our Message-IDs.

    `bounces` is where mails come back to, None for the sender itself. `unsubscribe` is an address
    that takes unsubscriptions by mail, where there is one.
    """

    address: Address
    bounces: str | None = None
    unsubscribe: str | None = None

    def envelope(self, letter: Letter) -> str:
        """The return path: of each letter its own (VERP), so that what comes back says which."""
        if self.bounces is None:
            return self.address.addr_spec
        user, _, domain = self.bounces.rpartition("@")
        return f"{user}+{letter.message_id.hex}@{domain}"


def written(letter: Letter, *, sender: Sender, to: Address, now: datetime) -> bytes:
    """The letter as it goes over the wire: says the same as `compose`.

    Made of text where that is safe: the header classes cost ten times as much as the sending.
    """
    if letter.invitation is None and to.addr_spec.isascii():
        return _quickly(letter, sender, to, now)
    mail = compose(letter, sender=sender, to=to, now=now)
    return mail.as_bytes(policy=MAIL if to.addr_spec.isascii() else _WIDE)


def compose(letter: Letter, *, sender: Sender, to: Address, now: datetime) -> EmailMessage:
    """The letter as a mail: the same bytes for the same arguments."""
    reader = Address(plain_name(letter.name), to.username, to.domain)
    mail = EmailMessage(policy=MAIL)
    mail["From"] = sender.address
    mail["To"] = reader
    mail["Subject"] = letter.words.subject
    mail["Date"] = format_datetime(now)
    domain = sender.address.domain
    mail["Message-ID"] = f"<{letter.message_id}@{domain}>"
    if letter.thread != letter.message_id:
        # Clients that group by In-Reply-To alone find the thread as well.
        mail["In-Reply-To"] = mail["References"] = f"<{letter.thread}@{domain}>"
    # RFC 3834: vacation responders must not answer.
    mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe is not None:
        _unsubscribe(mail, letter.unsubscribe, sender.unsubscribe)
    mail.set_content(letter.words.text)
    mail.add_alternative(letter.words.html, subtype="html")
    mail.set_boundary(f"part-{letter.message_id.hex}")
    if letter.invitation is not None:
        _invite(mail, letter, letter.invitation, sender.address, reader)
    return mail


def _quickly(letter: Letter, sender: Sender, to: Address, now: datetime) -> bytes:
    domain = sender.address.domain
    boundary = f"part-{letter.message_id.hex}"
    reader = Address(plain_name(letter.name), to.username, to.domain)
    lines = [
        _sender_line(str(sender.address)),
        _line("To", str(reader)),
        _line("Subject", letter.words.subject),
        f"Date: {format_datetime(now)}\r\nMessage-ID: <{letter.message_id}@{domain}>\r\n",
    ]
    if letter.thread != letter.message_id:
        thread = f"<{letter.thread}@{domain}>"
        lines.append(f"References: {thread}\r\nIn-Reply-To: {thread}\r\n")
    lines.append("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n")
    if letter.unsubscribe is not None:
        way = f",\r\n <mailto:{sender.unsubscribe}?subject=unsubscribe>"
        lines.append(f"List-Unsubscribe: <{letter.unsubscribe}>{way if sender.unsubscribe else ''}")
        lines.append("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n')
    for kind, text in (("plain", letter.words.text), ("html", letter.words.html)):
        lines.append(f'\r\n--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n')
        lines.append("Content-Transfer-Encoding: base64\r\n\r\n")
        encoded = encodebytes("\r\n".join([*text.splitlines(), ""]).encode()).decode()
        lines.append(encoded.replace("\n", "\r\n"))
    lines.append(f"\r\n--{boundary}--\r\n")
    return "".join(lines).encode("ascii")


def _line(name: str, value: str) -> str:
    """A header: as it is where every reader takes it so, by the header classes otherwise."""
    if len(name) + len(value) < _SHORT and _PLAIN.fullmatch(value):
        return f"{name}: {value}\r\n"
    return MAIL.fold(name, MAIL.header_factory(name, value))


@lru_cache(maxsize=16)
def _sender_line(address: str) -> str:
    return MAIL.fold("From", MAIL.header_factory("From", address))


def _unsubscribe(mail: EmailMessage, link: str, address: str | None) -> None:
    """RFC 8058: one request, with no page in between, by the reader's mail program."""
    ways = f"<{link}>, <mailto:{address}?subject=unsubscribe>" if address else f"<{link}>"
    mail["List-Unsubscribe"] = ways
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _invite(
    mail: EmailMessage, letter: Letter, invitation: Invitation, sender: Address, reader: Address
) -> None:
    """As an alternative for clients that answer in place, and as a file for all others."""
    text = calendar.render(invitation, organizer=sender, attendee=reader)
    method = calendar.method(invitation)
    mail.add_alternative(text, subtype="calendar", cte="base64", params={"method": method})
    mail.add_attachment(
        text,
        subtype="calendar",
        cte="base64",
        params={"method": method},
        filename=calendar.FILE_NAME,
    )
    mail.set_boundary(f"whole-{letter.message_id.hex}")
    first = next(iter(mail.iter_parts()))
    first.set_boundary(f"part-{letter.message_id.hex}")


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
