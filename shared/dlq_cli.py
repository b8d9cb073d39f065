"""`trustfold dlq`: look at dead letters and decide over them. Handles none itself.

A redrive is carried out by the group's own worker, through its handlers and its inbox.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from shared.audit import ops
from shared.command import ServiceName, await_, dsn_of
from shared.kafka import dead_letters
from shared.kafka.dead_letters import DeadLetter, Status
from shared.postgres.pool import Connection

app = typer.Typer(help="Dead letters: ls, show, redrive, drop.", no_args_is_help=True)

T = TypeVar("T")
_BECOMES = {"redrive": "redriving", "drop": "dropped"}
Json = Annotated[bool, typer.Option("--json")]
Ids = Annotated[list[int] | None, typer.Argument(help="Ids from `ls`.")]
All = Annotated[bool, typer.Option("--all", help="Every parked one.")]


@app.command()
def ls(
    service: ServiceName, status: Status | None = None, limit: int = 100, as_json: Json = False
) -> None:
    """List dead letters, oldest first."""
    letters = _with(service, "ls", lambda conn: dead_letters.ls(conn, status, limit))
    if as_json:
        print(json.dumps([_summary(letter) for letter in letters]))
        return
    table = Table("id", "status", "reason", "detail", "topic", "at", "tries", box=None)
    for it in letters:
        where = f"{it.partition}@{it.offset}"
        table.add_row(
            str(it.id), it.status, it.reason, it.detail, it.topic, where, str(it.attempts)
        )
    Console().print(table if letters else "no dead letters")


@app.command()
def show(service: ServiceName, letter_id: int) -> None:
    """Show one dead letter whole, as JSON; bytes that are not text are base64."""
    letter = _with(
        service,
        "show",
        lambda conn: dead_letters.get(conn, letter_id),
        {"letter_id": str(letter_id)},
    )
    if letter is None:
        raise typer.BadParameter(f"{service} has no dead letter {letter_id}; see `dlq ls`")
    whole = {
        **_summary(letter),
        "key": _text(letter.key),
        "value": _text(letter.value),
        "headers": [[name, _text(value)] for name, value in letter.headers],
    }
    print(json.dumps(whole, indent=2))


@app.command()
def redrive(service: ServiceName, ids: Ids = None, every: All = False) -> None:
    """Have parked records tried again by the service's worker. Twice is the same as once."""
    _decide(service, "redrive", ids, every)


@app.command()
def drop(service: ServiceName, ids: Ids = None, every: All = False) -> None:
    """Give parked records up for good. They stay listed, as dropped."""
    _decide(service, "drop", ids, every)


def _decide(service: str, command: str, ids: list[int] | None, every: bool) -> None:
    if bool(ids) == every:
        raise typer.BadParameter("name the ids, or say --all")
    status: Any = _BECOMES[command]
    named = {f"letter_{n}": str(each) for n, each in enumerate(ids or ())}
    done = _with(
        service, command, lambda conn: dead_letters.decide(conn, status, ids),
        named or {"letter_id": "all"},
    )  # fmt: skip
    print(f"{len(done)} {status}")
    if ids and (left := sorted(set(ids) - set(done))):
        print(f"not parked any more, so left alone: {', '.join(map(str, left))}")


def _with(
    service: str,
    command: str,
    ask: Callable[[Connection], Awaitable[T]],
    ids: Mapping[str, str] = MappingProxyType({}),
) -> T:
    """What `ask` answers, once it is on record that somebody asked."""
    dsn = dsn_of(service)
    line = ops.line_of(f"trustfold dlq {command}", ids=ids)

    async def asked() -> T:
        conn = await asyncpg.connect(dsn, server_settings={"search_path": service})
        try:
            await ops.say(conn, service, line)
            return await ask(conn)
        finally:
            await conn.close()

    return await_(asked())


def _summary(letter: DeadLetter) -> dict[str, object]:
    def text(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "id": letter.id,
        "status": letter.status,
        "group": letter.group,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "recorded_at": text(letter.recorded_at),
        "reason": letter.reason,
        "detail": letter.detail,
        "attempts": letter.attempts,
        "parked_at": text(letter.parked_at),
        "decided_at": text(letter.decided_at),
    }


def _text(raw: bytes | None) -> object:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(raw).decode()}
