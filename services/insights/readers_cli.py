"""`trustfold insights readers`: logins for BI tools, from a terminal. Decides nothing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.insights import readers
from services.insights.queries.readers import Reader
from shared.audit import ops
from shared.audit.line import Line
from shared.command import EXIT_USAGE, await_, dsn_of, errors
from shared.http import read_tenant
from shared.ids import TenantId
from shared.postgres.pool import open_pool

app = typer.Typer(
    help="Logins for BI tools: each reads what was released of one tenant, in insights_v1.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="The result as one JSON document on stdout.")]
Admin = Annotated[str, typer.Option(envvar="TRUSTFOLD_POSTGRES", help="DSN of a superuser.")]
Name = Annotated[str, typer.Argument(help="The login's name: a role of the whole server.")]

_SAID = "trustfold insights readers "
_SCHEMA = "insights"


@app.command("add")
def add(
    name: Name,
    tenant: Annotated[str, typer.Option(help="Whose releases it sees; cannot be changed.")],
    admin: Admin,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password; else one is made.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a login. A password that was made is printed this once."""
    of = read_tenant(tenant)
    if of is None:
        errors.print(f"{tenant!r} is not the id of a tenant")
        raise typer.Exit(EXIT_USAGE)
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    password = readers.new_password() if given is None else given
    dsn, line = dsn_of(_SCHEMA), ops.line_of(_SAID + "add", of, {"name": name})

    async def run() -> None:
        await ops.say_at(dsn, _SCHEMA, line)
        await readers.add(admin, dsn, name, password, (of, datetime.now(UTC)))

    await_(run())
    shown = {} if given is not None else {"password": password}
    if as_json:
        typer.echo(json.dumps({"name": name, "tenant": of, **shown}))
        return
    typer.echo(f"{name} reads what was released of {of}: schema insights_v1")
    if shown:
        typer.echo(f"password, shown this once: {password}")


@app.command("ls")
def ls(
    tenant: Annotated[str | None, typer.Option(help="One tenant; all when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Every login there is, and whose releases it sees."""
    found = await_(_listed(TenantId(tenant) if tenant else None, ops.line_of(_SAID + "ls")))
    if as_json:
        typer.echo(json.dumps([_as_data(each) for each in found]))
        return
    for each in found:
        gone = "" if each.has_role else "  its role is gone: rm it"
        typer.echo(f"{each.name:<24} {each.tenant:<24} {each.added_at:%Y-%m-%d}{gone}")


@app.command("rm")
def rm(name: Name, admin: Admin) -> None:
    """Take a login away, and end its sessions."""
    dsn, line = dsn_of(_SCHEMA), ops.line_of(_SAID + "rm", ids={"name": name})

    async def run() -> None:
        await ops.say_at(dsn, _SCHEMA, line)
        await readers.remove(admin, dsn, name)

    await_(run())
    typer.echo(f"{name} is gone")


async def _listed(tenant: TenantId | None, line: Line) -> list[Reader]:
    dsn = dsn_of(_SCHEMA)
    await ops.say_at(dsn, _SCHEMA, line)
    async with await open_pool(dsn, service=_SCHEMA, size=1) as pool:
        return await readers.listed(pool, tenant)


def _as_data(each: Reader) -> dict[str, object]:
    return {**each._asdict(), "added_at": each.added_at.isoformat()}
