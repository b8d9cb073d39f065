"""A line of the audit trail, and how one is chained to the line before it. Pure.

A line holds ids, roles, times and route templates: no body, no name, no word of a query.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from shared.ids import TenantId

# Whom no tenant speaks for; neither can be a tenant's name.
NOBODY = TenantId("@nobody")
OPS = TenantId("@ops")
CLI = "CLI"
PRUNE = "trustfold audit prune"
# What the canonical bytes are made by; another way to make them gets another number.
_FORM = 1


@dataclass(frozen=True, slots=True)
class Line:
    """What one request did. `ids` are (name, id) of its path, in its order; `route` is the
    template. Without a `status` it says that a change was about to begin.
    """

    tenant: TenantId
    at: datetime
    request: UUID
    person: str
    role: str
    method: str
    route: str
    ids: tuple[tuple[str, str], ...] = ()
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain is: its newest line."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """A line in its place of a chain."""

    line: Line
    seq: int
    prev: bytes
    hash: bytes


def beginning(service: str, tenant: TenantId) -> Head:
    """What the first line of a chain is chained to: no two chains begin alike."""
    return Head(0, sha256(f"trustfold audit/{_FORM}/{service}/{tenant}".encode()).digest())


def hash_of(line: Line, seq: int, prev: bytes) -> bytes:
    """SHA-256 over the line before's hash and the canonical bytes of this one."""
    return sha256(prev + _canonical(line, seq)).digest()


def chain(lines: Iterable[Line], head: Head) -> Iterator[Link]:
    """The lines of one tenant, each after the other, from `head` on."""
    for line in lines:
        link = Link(line, head.seq + 1, head.hash, hash_of(line, head.seq + 1, head.hash))
        yield link
        head = Head(link.seq, link.hash)


def _canonical(line: Line, seq: int) -> bytes:
    at = line.at.astimezone(UTC).isoformat(timespec="microseconds")
    whole = [
        _FORM, seq, line.tenant, at, str(line.request), line.person, line.role, line.method,
        line.route, [list(each) for each in line.ids], line.status,
    ]  # fmt: skip
    return json.dumps(whole, separators=(",", ":")).encode()
