"""No secret and no word of anybody's is in a byte that a service says, whatever goes wrong."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from shared.command import SERVICES
from tests.support.callers import as_, identity_file
from tests.support.databases import PASSWORD, ROOT, Databases, service_dsn
from tests.support.waiting import until

pytestmark = pytest.mark.stack
MARK = "hush-7f3a-"
WORDS = "Quetzal Wrzesniewski"
ENDS_S = 15.0
START_S = 90.0
# Beside what every service needs.
MORE = {"notifications": {"SMTP_HOST": "127.0.0.1", "SENDER": "no-reply@mentoring.example"}}


def secrets_of(service: str) -> dict[str, str]:
    """A value of its own for every secret setting, long enough to be one."""
    module = importlib.import_module(f"services.{service}.settings")
    fields = getattr(module, f"{service.capitalize()}Settings").model_fields
    secret = [
        name
        for name, field in fields.items()
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    ]
    assert "postgres" in secret
    return {name.upper(): f"{MARK}{name}-{'x' * 32}" for name in secret if name != "postgres"}


class Running:
    """A service in a process of its own; all it says goes into a file."""

    def __init__(self, service: str, log: Path, settings: Mapping[str, str]) -> None:
        self.service, self.log = service, log
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        known = {
            "KAFKA": "127.0.0.1:9",
            "KAFKA_TLS": "true",
            "KAFKA_USER": "someone",
            "HTTP_PORT": str(self.port),
            "IDENTITY_FILE": str(identity_file()),
            **MORE.get(service, {}),
            **settings,
        }
        ours = {f"{service.upper()}_{name}": value for name, value in known.items()}
        self.env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **ours}

    async def start(self, *roles: str) -> asyncio.subprocess.Process:
        words = [part for role in roles for part in ("--role", role)]
        with self.log.open("ab") as out:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "shared.cli", "run", self.service, *words,
                env=self.env, cwd=ROOT, stdout=out, stderr=out,
            )  # fmt: skip

    async def fails(self, *roles: str) -> None:
        """It is started, and ends or goes on trying."""
        process = await self.start(*roles)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), ENDS_S)
        if process.returncode is None:
            process.kill()
            await process.wait()

    def said(self, *hidden: str) -> list[str]:
        """Those of `hidden` that are in what it said."""
        text = self.log.read_text(errors="replace").lower()
        return [each for each in hidden if each.lower() in text]


# Ann is known, and what she says of herself is refused by the database, which would quote it.
_QUOTING = (
    "SET search_path = matching, public",
    """
    INSERT INTO matching.person (tenant, person_id, display_name, timezone, languages, hours, roles,
                                 capacity, offers, goals, active, as_of, event_id)
    VALUES ('acme', 'ann', 'Quetzal', 'UTC', '{en}', '[]', '{mentee}', 0, '{}', '{}', true, now(),
            gen_random_uuid())
    """,
    "ALTER TABLE matching.profile ADD CONSTRAINT no CHECK (about = 'never') NOT VALID",
)
_TABLES = """
    SELECT tablename FROM pg_tables WHERE schemaname = $1
    AND tablename NOT IN ('audit', 'outbox') AND NOT starts_with(tablename, 'stream')
"""


async def execute(dsn: str, *statements: str) -> None:
    conn = await asyncpg.connect(dsn)
    for statement in statements:
        await conn.execute(statement)
    await conn.close()


async def break_tables(dsn: str, service: str) -> None:
    """From here on every statement fails but those of the audit trail."""
    conn = await asyncpg.connect(dsn)
    for row in await conn.fetch(_TABLES, service):
        name = row["tablename"]
        await conn.execute(f'ALTER TABLE {service}."{name}" RENAME TO "{name}_gone"')
    await conn.close()


async def is_up(http: httpx.AsyncClient) -> bool:
    with suppress(httpx.TransportError):
        return (await http.get("/health/live")).is_success
    return False


async def provoke(http: httpx.AsyncClient) -> set[int]:
    """Everything that can go wrong with a request."""
    statuses = set()
    profile = {"about": WORDS, "wishes": WORDS}
    for headers in (
        as_("ann"),
        as_("ann", "hr"),
        as_("svc", "service"),
        {"Authorization": f"Bearer {MARK}token"},
        {"Authorization": f"Basic {MARK}basic"},
        {"Authorization": as_("ann")["Authorization"] + MARK},
    ):
        for method, path in (
            ("PUT", "/v1/me/profile"),
            ("GET", f"/v1/me/ranking?q={MARK}query"),
            ("GET", "/v1/pairs"),
            ("GET", "/v1/me/preferences"),
            ("GET", "/v1/programmes"),
            ("GET", "/v1/trust"),
            ("GET", f"/v1/unsubscribe/{MARK}link"),
            ("GET", f"/v1/calendar/{MARK}calendar.ics"),
            ("POST", "/v1/events"),
        ):
            answer = await http.request(method, path, headers=headers, json=profile)
            statuses.add(answer.status_code)
            assert MARK not in answer.text
            assert answer.status_code != 500 or answer.json()["title"] == "failed"
    return statuses


@pytest.mark.parametrize("service", SERVICES)
async def test_no_secret_and_no_persons_words_are_in_what_a_service_says(
    databases: Databases, tmp_path: Path, service: str
) -> None:
    dsn = await databases.create(service)
    own = service_dsn(dsn, service)
    address = own.replace(f":{PASSWORD}@", "@")
    secrets = secrets_of(service) | {"POSTGRES": address, "POSTGRES_PASSWORD": PASSWORD}
    secrets.pop("RECEIPT_KEY", None)
    if "SMTP_PASSWORD" in secrets:
        secrets["PUBLIC_URL"] = "https://mentoring.example"
    running = Running(service, tmp_path / "log", secrets)
    if service == "matching":
        await execute(dsn, *_QUOTING)
    process = await running.start("api")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as http:
        await until(lambda: is_up(http), timeout_s=START_S, what="up")
        refused = await provoke(http)
        await break_tables(dsn, service)
        failed = await provoke(http)
        await execute(dsn, f"ALTER TABLE {service}.audit RENAME TO audit_gone")
        unrecorded = await provoke(http)
    process.terminate()
    await process.wait()

    assert 401 in refused
    assert (500 in refused) == (service == "matching")
    assert 500 in failed
    assert 503 in unrecorded
    assert 500 not in unrecorded
    assert running.log.stat().st_size > 0
    assert running.said(MARK, PASSWORD, *WORDS.split()) == []
    await databases.drop(dsn)


@pytest.mark.parametrize("service", SERVICES)
async def test_no_secret_is_in_what_a_service_says_that_cannot_start(
    stack: object, databases: Databases, tmp_path: Path, service: str
) -> None:
    dsn = await databases.create(service)
    own = service_dsn(dsn, service)
    parts = urlsplit(own)
    secrets = secrets_of(service)
    secrets.pop("POSTGRES_PASSWORD")  # these addresses have their own
    for wrong in (
        f"postgresql://someone:{MARK}away@127.0.0.1:9/nowhere",
        f"postgresql://someone:{MARK}raw/#?@{parts.hostname}/trustfold",
        f"postgresql://{MARK}user:{MARK}port@127.0.0.1:{MARK}/x",
        f"{MARK}nothing",
        own.replace(parts.path, f"/{'nowhere'}"),
    ):
        await Running(service, tmp_path / "log", secrets | {"POSTGRES": wrong}).fails("api")
    short = dict.fromkeys(secrets, MARK)  # the wrong length, the wrong form
    running = Running(service, tmp_path / "log", {**short, "POSTGRES": own})
    await running.fails("api")

    assert running.log.stat().st_size > 0
    assert running.said(MARK, PASSWORD) == []
    await databases.drop(dsn)
