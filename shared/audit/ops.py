"""What people who run the network do from a terminal, on record like every request.

A line is written before the command does or shows anything; who it was is the system's user.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from shared.audit.line import CLI, OPS, Line
from shared.audit.reading import connected
from shared.audit.recording import append_in
from shared.ids import TenantId, new_id
from shared.postgres.pool import Connection
from shared.postgres.tenancy import act_for_all

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,48}")


def line_of(
    command: str, tenant: TenantId = OPS, ids: Mapping[str, str] = MappingProxyType({})
) -> Line:
    """A command by whoever runs this process; `ids` say what it is about."""
    now = datetime.now(UTC)
    return Line(tenant, now, new_id(), _who(), "ops", CLI, command, tuple(ids.items()))


async def say(conn: Connection, service: str, line: Line) -> None:
    """Put it on record, in a transaction of its own."""
    async with conn.transaction():
        await act_for_all(conn)
        await append_in(conn, service, [line])


async def say_at(dsn: str, service: str, line: Line) -> None:
    """As `say`, over a connection of its own."""
    async with connected(dsn, service) as conn:
        await say(conn, service, line)


def _who() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = ""
    return f"ops:{name if _PLAIN.fullmatch(name) else os.getuid()}"
