"""Asks a broker for its metadata over a plain socket: the readiness test of the local cluster."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

METADATA_KEY = 3
METADATA_VERSION = 4
PROBE_TIMEOUT_S = 2.0
MAX_ANSWER_BYTES = 1 << 20


@dataclass(frozen=True)
class ClusterView:
    """What one broker knows: the live brokers and the controller (-1 when there is none)."""

    broker_ids: tuple[int, ...]
    controller_id: int


def ask(host: str, port: int, timeout_s: float = PROBE_TIMEOUT_S) -> ClusterView | None:
    """Return the broker's view of its cluster, or None when it gives no whole answer in time."""
    client = b"probe"
    # Request header v1, then: an empty list of topics, do not create any.
    body = struct.pack(f">hhih{len(client)}s", METADATA_KEY, METADATA_VERSION, 1, 5, client)
    body += struct.pack(">i?", 0, False)
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(struct.pack(">i", len(body)) + body)
            size = struct.unpack(">i", _read(connection, 4))[0]
            if not 0 < size <= MAX_ANSWER_BYTES:
                return None
            return parse(_read(connection, size))
    except (OSError, struct.error, EOFError):
        return None


def parse(answer: bytes) -> ClusterView:
    """Read a metadata answer of version 4, up to the controller's id."""
    at = 8  # correlation id, throttle time
    (count,) = struct.unpack_from(">i", answer, at)
    at += 4
    brokers = []
    for _ in range(count):
        (broker_id,) = struct.unpack_from(">i", answer, at)
        brokers.append(broker_id)
        at = _after_string(answer, at + 4) + 4  # host, port
        at = _after_string(answer, at)  # rack
    at = _after_string(answer, at)  # cluster id
    return ClusterView(tuple(sorted(brokers)), struct.unpack_from(">i", answer, at)[0])


def _after_string(answer: bytes, at: int) -> int:
    (length,) = struct.unpack_from(">h", answer, at)
    return int(at) + 2 + max(0, int(length))


def _read(connection: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts
