"""What a report of mail that came back says, and when an address is given up. Pure.

Reports come from any server in the world: whatever they hold, reading them raises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import Message
from email.utils import getaddresses
from hashlib import sha256
from typing import Literal, TypeAlias
from uuid import UUID

from flufl.bounce import all_failures

from shared.ids import TenantId

# `soft` may pass by itself (a full mailbox); `complaint` is a reader who called it spam.
Kind: TypeAlias = Literal["hard", "soft", "complaint"]

SOFT_LIMIT = 5
SOFT_WINDOW = timedelta(days=30)
LARGEST = 1_000_000
# A report has a handful of parts; more is an attack on who reads it.
_PARTS = 50
_BOUNDARIES = 100
_ADDRESSES = 20
_VERP = re.compile(r"\+([0-9a-f]{32})@")
_OUR_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")
_RECIPIENTS = ("Original-Recipient", "Final-Recipient")
_TO_US = ("To", "Delivered-To", "X-Original-To", "Envelope-To")


@dataclass(frozen=True, slots=True)
class Report:
    """One report: of which mail or which addresses. `report_id` is the same when it comes again."""

    report_id: str
    kind: Kind
    message_id: UUID | None = None
    addresses: frozenset[str] = frozenset()


def gives_up(kind: Kind, soft_lately: int) -> bool:
    """Whether no more mail goes there, after `soft_lately` soft ones within SOFT_WINDOW."""
    return kind != "soft" or soft_lately >= SOFT_LIMIT


def address_hash(tenant: TenantId, address: str) -> bytes:
    """What is kept of an address: another for each tenant."""
    return sha256(f"{tenant}\n{address.strip().lower()}".encode()).digest()


def read(raw: bytes) -> Report | None:
    """The report in a mail; None for a mail that reports no failure."""
    # Parsing is as deep as the mail is nested: one that is too deep is not a report.
    if len(raw) > LARGEST or raw.lower().count(b"boundary") > _BOUNDARIES:
        return None
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        parts = _parts(mail)
        kind, addresses = _verdict(mail, parts)
        if kind is None:
            return None
        return Report(_id(mail, raw), kind, _message_id(mail, parts), addresses)
    except Exception:
        # The parsers raise whatever a hostile mail makes them raise; it is not a report then.
        return None


def _parts(mail: Message) -> list[Message]:
    found = []
    for part in mail.walk():
        found.append(part)
        if len(found) == _PARTS:
            break
    return found


def _verdict(mail: Message, parts: list[Message]) -> tuple[Kind | None, frozenset[str]]:
    """RFC 5965 complaints, then RFC 3464 statuses, then what other servers write in words."""
    if any(part.get_content_type() == "message/feedback-report" for part in parts):
        return "complaint", _addresses(parts, ("Original-Rcpt-To",))
    addresses = _addresses(parts, _RECIPIENTS)
    actions = {each.split(";")[0].strip().lower() for each in _all(parts, "Action")}
    statuses = {each.strip()[:1] for each in _all(parts, "Status")}
    if "failed" in actions:
        # 4.x.x that was given up: the address may be right.
        return ("soft" if statuses == {"4"} else "hard"), addresses
    if "delayed" in actions:
        return "soft", addresses
    if actions:
        return None, addresses
    temporary, permanent = all_failures(mail)
    if permanent:
        return "hard", _decoded(permanent)
    return ("soft", _decoded(temporary)) if temporary else (None, frozenset())


def _all(parts: list[Message], name: str) -> Iterator[str]:
    for part in parts:
        for value in part.get_all(name, []):
            yield str(value)


def _addresses(parts: list[Message], names: tuple[str, ...]) -> frozenset[str]:
    values = [value.rpartition(";")[2] for name in names for value in _all(parts, name)]
    found = [address.lower() for _, address in getaddresses(values[:_ADDRESSES])]
    return frozenset(each for each in found if "@" in each)


def _decoded(found: frozenset[bytes] | set[bytes]) -> frozenset[str]:
    return frozenset(each.decode("ascii", "ignore").lower() for each in found)


def _message_id(mail: Message, parts: list[Message]) -> UUID | None:
    """The address it came back to knows best; then the mail it quotes."""
    for name in _TO_US:
        for value in mail.get_all(name, []):
            if found := _VERP.search(str(value)):
                return UUID(found[1])
    quoted = [part for part in parts if part is not mail]
    for value in (*_all(quoted, "Message-ID"), *_quoted_text(parts)):
        if found := _OUR_ID.search(value):
            return UUID(found[1])
    return None


def _quoted_text(parts: list[Message]) -> Iterator[str]:
    for part in parts:
        if part.get_content_type() == "text/rfc822-headers":
            yield str(part.get_payload())


def _id(mail: Message, raw: bytes) -> str:
    named = str(mail.get("Message-ID", "")).strip().encode("utf-8", "replace")
    return sha256(named or raw).hexdigest()
