"""SCRAM users on a broker, as Kafka's own tools make them (KIP-554). Holds no test."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

SHA_512 = 2
ITERATIONS = 4096


class _Answer(Response):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION = 51, 0, True
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Asked(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION = 51, 0, True
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(
                ("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)
            ),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Users(Request[_Asked]):  # type: ignore[misc]
    API_KEY = 51

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users

    def build(self, request_struct_class: type[_Asked]) -> _Asked:
        made: list[tuple[object, ...]] = []
        for name, password in self._users.items():
            salt = secrets.token_bytes(24)
            salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
            made.append((name, SHA_512, ITERATIONS, salt, salted, {}))
        return request_struct_class([], made, {})


async def add_users(bootstrap: str, users: Mapping[str, str]) -> None:
    """Have the broker know these users by these passwords, with SCRAM-SHA-512."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin._send_request(_Users(users))
        assert all(code == 0 for _, code, *_ in answer.results), answer
    finally:
        await admin.close()
