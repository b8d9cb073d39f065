"""The connection pool: one place for its limits. Runs no statement of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

STATEMENT_TIMEOUT_S = 30.0
IDLE_IN_TRANSACTION_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0

# What asyncpg raises when the database is away or restarting: wait and try again.
UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
)


async def open_pool(
    dsn: str, *, service: str, size: int, settings: Mapping[str, str] | None = None
) -> Pool:
    """A pool whose connections see the service's own schema first. `settings` are of each session.

    Raises OSError or asyncpg.PostgresError when the database cannot be reached.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        server_settings={
            # Extensions are in public, for whoever of the services uses them.
            "search_path": f"{service}, public",
            "application_name": f"trustfold-{service}",
            "statement_timeout": str(int(STATEMENT_TIMEOUT_S * 1000)),
            "idle_in_transaction_session_timeout": str(int(IDLE_IN_TRANSACTION_TIMEOUT_S * 1000)),
            "jit": "off",
            **(settings or {}),
        },
        reset=_as_it_is,
    )


async def _as_it_is(_: Connection) -> None:
    """Give a connection back without asking it to forget, which would cost each use a round trip.

    What we set and lock ends with its transaction. Who keeps more than that (the relay its lead,
    a listener its channel) gives it up before giving back the connection.
    """
