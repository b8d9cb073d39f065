"""Uses a broker or database that someone else runs. Never starts, stops or changes it."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from deploy.local import kafka_probe
from deploy.local.errors import StackError

KAFKA_VARIABLE = "TRUSTFOLD_KAFKA"
POSTGRES_VARIABLE = "TRUSTFOLD_POSTGRES"
DEFAULT_KAFKA_PORT = 9092
DEFAULT_POSTGRES_PORT = 5432
CONNECT_TIMEOUT_S = 5.0


def checked_kafka(bootstrap: str) -> str:
    """Return the bootstrap servers if one of them answers; StackError otherwise."""
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        address = (host or server.strip(), int(port) if host else DEFAULT_KAFKA_PORT)
        if kafka_probe.ask(*address, timeout_s=CONNECT_TIMEOUT_S):
            return bootstrap
    raise StackError(
        f"{KAFKA_VARIABLE}={bootstrap}: no broker answers a metadata request there within "
        f"{CONNECT_TIMEOUT_S:.0f} s. Start it, correct the address, or unset {KAFKA_VARIABLE} "
        "to use the embedded broker."
    )


def checked_postgres(dsn: str) -> str:
    """Return the DSN if its server accepts connections; StackError otherwise."""
    parts = urlsplit(dsn)
    shown = f"{parts.scheme}://{parts.hostname}:{parts.port or DEFAULT_POSTGRES_PORT}{parts.path}"
    if not parts.scheme.startswith("postgres") or not parts.hostname:
        raise StackError(
            f"{POSTGRES_VARIABLE} is not a DSN such as postgresql://user:password@host:5432/name"
        )
    try:
        address = (parts.hostname, parts.port or DEFAULT_POSTGRES_PORT)
        socket.create_connection(address, CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise StackError(
            f"{POSTGRES_VARIABLE}={shown}: {error}. Start the server, correct the address, or "
            f"unset {POSTGRES_VARIABLE} to use the embedded database."
        ) from error
    return dsn
