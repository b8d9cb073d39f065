"""`trustfold insights models`: versions of the model, from a terminal. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.insights import models
from services.insights.models import Comparison
from shared.audit import ops
from shared.audit.line import Line
from shared.audit.recording import append
from shared.command import EXIT_USAGE, await_, dsn_of, errors
from shared.ids import TenantId
from shared.postgres.pool import Pool, open_pool

app = typer.Typer(
    help="Versions of the trust model: register, compare over a tenant, put in force.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="The result as one JSON document on stdout.")]
Tenant = Annotated[str, typer.Option(help="The tenant.")]
console = Console(highlight=False, soft_wrap=True)

T = TypeVar("T")
_SAID = "trustfold insights models "


@app.command("ls")
def ls(tenant: Tenant, as_json: Json = False) -> None:
    """Every version there is, and which is in force for a tenant."""
    found = _with_pool(lambda pool: models.described(pool, TenantId(tenant)))
    if as_json:
        typer.echo(json.dumps(found))
        return
    for each in found:
        mark = "in force" if each["in_force"] else ""
        base = (each["document"] or {}).get("base", "built in")
        console.print(f"{each['number']:>3}  {each['name']:<16} {base:<16} {mark}")


@app.command("register")
def register(
    file: Annotated[Path, typer.Argument(help="A JSON document: name, base, what differs.")],
    as_json: Json = False,
) -> None:
    """Keep a new version. It never changes afterwards, and is not in force yet."""
    try:
        document: Any = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        errors.print(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None
    if not isinstance(document, dict):
        errors.print(f"{file}: not a JSON object with name, base and what differs")
        raise typer.Exit(EXIT_USAGE)
    model = _with_pool(
        lambda pool: models.register(pool, document, datetime.now(UTC)),
        ops.line_of(_SAID + "register"),
    )
    if as_json:
        typer.echo(json.dumps({"name": model.name, "number": model.number}))
        return
    console.print(f"{model.name} is version {model.number}; compare it before it is put in force:")
    console.print(f"  trustfold insights models diff {model.name} --tenant TENANT")


@app.command("diff")
def diff(
    name: Annotated[str, typer.Argument(help="The version to compare.")],
    tenant: Tenant,
    against: Annotated[str | None, typer.Option(help="Else the one in force.")] = None,
    as_json: Json = False,
) -> None:
    """Fold every pair of a tenant under both: who changes band, and by how much."""
    now = datetime.now(UTC)
    found = _with_pool(
        lambda pool: models.difference(pool, TenantId(tenant), against, name, now),
        ops.line_of(_SAID + "diff", TenantId(tenant), {"name": name}),
    )
    if as_json:
        typer.echo(json.dumps(_as_data(found)))
    else:
        _show(found)


@app.command("switch")
def switch(
    name: Annotated[str, typer.Argument(help="The version to put in force.")], tenant: Tenant
) -> None:
    """Make a tenant's scores with a version from now on; every pair is published anew."""
    now = datetime.now(UTC)
    pairs = _with_pool(
        lambda pool: models.switch(pool, TenantId(tenant), name, now),
        ops.line_of(_SAID + "switch", TenantId(tenant), {"name": name}),
    )
    console.print(f"{name} is in force for {tenant}; {pairs} pairs are being published anew")


def _with_pool(work: Callable[[Pool], Awaitable[T]], line: Line | None = None) -> T:
    async def run() -> T:
        async with await open_pool(dsn_of("insights"), service="insights", size=2) as pool:
            if line is not None:
                await append(pool, "insights", [line])
            return await work(pool)

    return await_(run())


def _as_data(found: Comparison) -> dict[str, Any]:
    return {
        "one": found.one,
        "other": found.other,
        "at": found.at.isoformat(),
        "pairs": found.pairs,
        "mean_change": found.mean,
        "largest_change": found.largest,
        "moves": [{"before": a, "after": b, "directions": n} for (a, b), n in found.moves.items()],
        "most_changed": [change._asdict() for change in found.changed],
    }


def _show(found: Comparison) -> None:
    console.print(f"{found.pairs:,} pairs under {found.one} and {found.other}")
    console.print(f"a score changes by {found.mean:.3f} on average, {found.largest:.3f} at most")
    if not found.moves:
        console.print("no direction changes its band")
        return
    table = Table("from", "to", "directions", box=None)
    for (before, after), directions in found.moves.most_common():
        table.add_row(before, after, f"{directions:,}")
    console.print(table)
    table = Table("pair", "about", "before", "after", "bands", box=None)
    for change in found.changed:
        bands = f"{change.band_before} -> {change.band_after}"
        table.add_row(
            change.pair_id, change.about, f"{change.before:.3f}", f"{change.after:.3f}", bands
        )
    console.print(table)
