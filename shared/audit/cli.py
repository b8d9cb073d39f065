"""`trustfold audit`: does every chain hold, where does it end, what is in it. Decides nothing."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.audit import ops, queries, reading
from shared.audit.checking import Anchor
from shared.audit.line import PRUNE, Head, Line, Link
from shared.audit.queries import Asked
from shared.audit.reading import Verdict
from shared.command import EXIT_PROBLEM, SERVICES, ServiceName, await_, dsn_of, errors
from shared.ids import TenantId

app = typer.Typer(help="The audit trail: verify, export, head, prune.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]
Tenant = Annotated[str | None, typer.Option(help="One tenant, else all.")]
Services = Annotated[list[str] | None, typer.Argument(help="|".join(SERVICES) + ", default all")]
COLUMNS = (
    "seq", "at", "request", "tenant", "person", "role", "method", "route", "ids", "status", "prev",
    "hash",
)  # fmt: skip


class Format(StrEnum):
    """What `export` writes."""

    NDJSON = "ndjson"
    CSV = "csv"


@app.command()
def verify(
    services: Services = None,
    tenant: Tenant = None,
    head: Annotated[str | None, typer.Option(help="A head's hash, kept elsewhere.")] = None,
    heads: Annotated[Path | None, typer.Option(help="What `head --json` printed then.")] = None,
    as_json: Json = False,
) -> None:
    """Walk the chains from end to end; 1 when a line was changed, removed, put in or moved."""
    chosen = _chosen(services)
    if head and not (tenant and len(chosen) == 1):
        raise typer.BadParameter("--head is the head of one chain: name SERVICE and --tenant")
    anchors = _anchors(heads)
    if head:
        anchors.setdefault((chosen[0], str(tenant)), []).append(Anchor(bytes.fromhex(head)))
    found = [each for service in chosen for each in await_(_verify(service, tenant, anchors))]
    if as_json:
        typer.echo(json.dumps([_verdict(each) for each in found]))
    else:
        for each in found:
            said = each.broken or f"holds, {each.lines:,} lines"
            typer.echo(f"{each.service} {each.tenant}: {said}")
    if any(each.broken for each in found):
        raise typer.Exit(EXIT_PROBLEM)


@app.command()
def head(services: Services = None, tenant: Tenant = None, as_json: Json = False) -> None:
    """Print where each chain is. Kept elsewhere, it shows later that nothing was cut off."""
    found = [
        {"service": service, "tenant": of, "seq": at.seq, "hash": at.hash.hex()}
        for service in _chosen(services)
        for of, at in await_(_heads(service, tenant)).items()
    ]
    if as_json:
        typer.echo(json.dumps(found))
        return
    for each in found:
        typer.echo(f"{each['service']} {each['tenant']} {each['seq']} {each['hash']}")


@app.command()
def export(
    service: ServiceName,
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    since: Annotated[
        datetime | None, typer.Option("--from", help="From this instant, UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this instant, UTC.")] = None,
    as_format: Annotated[Format, typer.Option("--format")] = Format.NDJSON,
) -> None:
    """Write a chain's lines to stdout, oldest first. That it was exported is on record."""
    asked = Asked(since=_utc(since), until=_utc(until))
    await_(_export(service, TenantId(tenant), asked, as_format))


@app.command()
def prune(
    service: ServiceName,
    before: Annotated[datetime, typer.Option(help="Lines older than this instant, UTC.")],
    tenant: Tenant = None,
) -> None:
    """Delete old lines; a line that names the last of them stays, and the chain still verifies."""
    instant = _utc(before)
    assert instant is not None
    for of, (until, lines) in await_(_prune(service, tenant, instant)).items():
        typer.echo(f"{service} {of}: {lines:,} lines deleted, up to {until.seq} {until.hash.hex()}")


async def _verify(
    service: str, tenant: str | None, anchors: dict[tuple[str, str], list[Anchor]]
) -> list[Verdict]:
    found = []
    async with reading.looking(dsn_of(service), service) as conn:
        kept = {TenantId(of) for at, of in anchors if at == service}
        known = {TenantId(tenant)} if tenant else {*await queries.tenants(conn), *kept}
        for of in sorted(known):

            def tell(lines: int, of: str = of) -> None:
                errors.print(f"{service} {of}: {lines:,} lines so far")

            wanted = anchors.get((service, of), ())
            found.append(await reading.verify(conn, service, of, wanted, tell))
    return found


async def _heads(service: str, tenant: str | None) -> dict[TenantId, Head]:
    async with reading.looking(dsn_of(service), service) as conn:
        known = [TenantId(tenant)] if tenant else await queries.tenants(conn)
        return await queries.heads(conn, service, known)


async def _export(service: str, tenant: TenantId, asked: Asked, as_format: Format) -> None:
    async with reading.connected(dsn_of(service), service) as conn:
        await ops.say(conn, service, ops.line_of("trustfold audit export", tenant))
    table = csv.DictWriter(sys.stdout, COLUMNS)
    if as_format is Format.CSV:
        table.writeheader()
    async with reading.looking(dsn_of(service), service) as conn:
        async for link in reading.links(conn, tenant, asked):
            row = as_data(link)
            if as_format is Format.CSV:
                ids = " ".join(f"{name}={value}" for name, value in link.line.ids)
                table.writerow({**row, "ids": ids})
            else:
                sys.stdout.write(json.dumps(row) + "\n")


async def _prune(
    service: str, tenant: str | None, before: datetime
) -> dict[TenantId, tuple[Head, int]]:
    done = {}
    async with reading.connected(dsn_of(service), service) as conn:
        known: Iterable[TenantId] = [TenantId(tenant)] if tenant else await _tenants(service)
        for of in known:

            def said(until: Head, of: TenantId = of) -> Line:
                return ops.line_of(PRUNE, of, {"seq": str(until.seq), "hash": until.hash.hex()})

            if pruned := await reading.prune(conn, service, said, before):
                done[of] = pruned
    return done


async def _tenants(service: str) -> list[TenantId]:
    async with reading.looking(dsn_of(service), service) as conn:
        return await queries.tenants(conn)


def as_data(link: Link) -> dict[str, Any]:
    """A line with everything that its hash is made of."""
    line = link.line
    return {
        "seq": link.seq,
        "at": line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "request": str(line.request),
        "tenant": line.tenant,
        "person": line.person,
        "role": line.role,
        "method": line.method,
        "route": line.route,
        "ids": dict(line.ids),
        "status": line.status,
        "prev": link.prev.hex(),
        "hash": link.hash.hex(),
    }


def _chosen(services: list[str] | None) -> list[str]:
    if unknown := set(services or ()) - set(SERVICES):
        raise typer.BadParameter(f"no service is called {', '.join(sorted(unknown))}")
    return list(services or SERVICES)


def _anchors(file: Path | None) -> dict[tuple[str, str], list[Anchor]]:
    found: dict[tuple[str, str], list[Anchor]] = {}
    for each in json.loads(file.read_text(encoding="utf-8")) if file else ():
        anchor = Anchor(bytes.fromhex(each["hash"]), int(each["seq"]))
        found.setdefault((each["service"], each["tenant"]), []).append(anchor)
    return found


def _verdict(found: Verdict) -> dict[str, object]:
    return {
        "service": found.service,
        "tenant": found.tenant,
        "holds": found.broken is None,
        "lines": found.lines,
        "seq": found.head.seq,
        "hash": found.head.hash.hex(),
        "broken": found.broken,
    }


def _utc(said: datetime | None) -> datetime | None:
    return said.replace(tzinfo=said.tzinfo or UTC) if said else None
