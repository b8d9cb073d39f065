"""`trustfold people`: HR's file of people, and receipts of erasures, from a terminal.

Decides nothing: what a file changes is decided in `people_file.changes`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from services.matching.people_file.changes import Change, Reading, Refusal
from services.matching.people_file.columns import FIELDS
from services.matching.people_file.work import Fate, Import, Summary, Wanted
from services.matching.receipts import BadReceipt, read_receipt
from shared.asking import Ask
from shared.command import EXIT_PROBLEM, EXIT_USAGE, await_, dsn_of, errors
from shared.errors import Rejected
from shared.http import read_tenant
from shared.ids import PersonId
from shared.postgres.pool import open_pool

app = typer.Typer(help="People: HR's file, receipts of erasures.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True, markup=False)

SHOWN = 10
_FILE = typer.Argument(exists=True, dir_okay=False, readable=True, help="Text with columns.")
_MAP = typer.Option(
    help=f"COLUMN=field, as often as needed; COLUMN=- leaves it out. Fields: {', '.join(FIELDS)}."
)
_MOST = typer.Option(
    "--max-deactivations", help="Beyond it nothing is done: a number, or a share of those here."
)
_DATES = typer.Option(help="How dates are written, as %d.%m.%Y; 2026-12-31 is always read.")


@app.command("import")
def import_(  # noqa: PLR0913 - a command has its options
    file: Annotated[Path, _FILE],
    tenant: Annotated[str, typer.Option(help="Whose people they are.")],
    apply: Annotated[bool, typer.Option(help="Do it; else it is only shown.")] = False,
    full: Annotated[bool, typer.Option(help="Who is not in the file has left.")] = False,
    map: Annotated[list[str] | None, _MAP] = None,
    max_leaving: Annotated[str, _MOST] = "5%",
    encoding: Annotated[str | None, typer.Option(help="utf-8, utf-16, cp1252, ...")] = None,
    delimiter: Annotated[str | None, typer.Option(help="One character, or tab.")] = None,
    date_format: Annotated[str | None, _DATES] = None,
    strict: Annotated[bool, typer.Option(help="One bad row, and nothing is done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each row.")] = False,
) -> None:
    """Show what a file of people changes; with --apply, change it.

    A field without a column stays as it is. Rows that cannot be read for certain are left out and
    named. A second run after one that was stopped does nothing twice.
    """
    between = "\t" if delimiter in ("tab", r"\t") else delimiter
    wanted = Wanted(_mapping(map or ()), encoding, between, full, max_leaving)
    how = Reading(datetime.now(UTC).date(), date_format)
    refused = await_(_run(file, _tenant_ask(tenant), wanted, how, (apply, strict, as_json)))
    if refused:
        raise typer.Exit(EXIT_PROBLEM)


async def _run(
    file: Path, ask: Ask, wanted: Wanted, how: Reading, flags: tuple[bool, bool, bool]
) -> int:
    apply, strict, as_json = flags
    pool = await open_pool(dsn_of("matching"), service="matching", size=2)
    try:
        with file.open("rb") as opened:
            work = Import(pool, ask, opened, wanted, how)
            _say_shape(work)
            await _through(work.look(), work, "looking", as_json=as_json and not apply)
            work.require_safe()
            if strict and work.summary.refused:
                raise Rejected(f"{work.summary.refused} rows are refused: nothing was changed")
            if apply:
                await _through(work.apply(), work, "changing", as_json=as_json)
            _say_summary(work.summary, applied=apply, as_json=as_json)
            return work.summary.refused
    finally:
        await pool.close()


async def _through(fates: AsyncIterator[Fate], work: Import, doing: str, *, as_json: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    shown = dict[str, int]()
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as progress:
        task = progress.add_task(doing, total=work.shape.lines)
        async for fate in fates:
            kind = "refused" if isinstance(fate, Refusal) else fate.kind
            shown[kind] = shown.get(kind, 0) + 1
            progress.update(task, advance=1)
            if as_json:
                typer.echo(json.dumps(_row(fate)))
            elif doing == "looking" and kind != "unchanged" and shown[kind] <= SHOWN:
                progress.console.print(_line(fate))
            elif doing == "looking" and kind != "unchanged" and shown[kind] == SHOWN + 1:
                progress.console.print(f"  ... more {kind}: --json shows every row")


def _say_shape(work: Import) -> None:
    shape, used = work.shape, work.columns
    errors.print(f"read as {shape.encoding}, cells apart by {shape.delimiter!r}")
    if shape.guessed:
        errors.print("  it is not UTF-8: if names look wrong, say --encoding")
    named = [f"{shape.header[at]} = {field}" for at, field in used.items()]
    errors.print(f"  {', '.join(named)}")
    if ignored := [name for at, name in enumerate(shape.header) if at not in used]:
        errors.print(f"  left out: {', '.join(ignored)}")


def _line(fate: Fate) -> str:
    if isinstance(fate, Refusal):
        return f"  line {fate.line}: refused, {fate.message}"
    what = f" ({', '.join(fate.fields)})" if fate.fields else ""
    return f"  line {fate.line}: {fate.person_id} {fate.kind}{what}"


def _row(fate: Fate) -> dict[str, Any]:
    if isinstance(fate, Refusal):
        return {"kind": "refused", **asdict(fate)}
    assert isinstance(fate, Change)
    return {
        "kind": fate.kind, "line": fate.line, "person_id": fate.person_id, "fields": fate.fields,
    }  # fmt: skip


def _say_summary(summary: Summary, *, applied: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"kind": "summary", "applied": applied, **asdict(summary)}))
        return
    console.print(
        f"{summary.joined} joined, {summary.changed} changed, {summary.left} left,"
        f" {summary.missing} missing, {summary.unchanged} unchanged, {summary.refused} refused"
    )
    for name, count in summary.fields.most_common():
        console.print(f"  {name}: {count}")
    if not applied:
        console.print("Nothing was changed: say --apply to do it.")


def _mapping(said: list[str] | tuple[str, ...]) -> dict[str, str]:
    pairs = [each.rpartition("=") for each in said]
    for column, equals, field in pairs:
        if not (column and equals and field):
            raise typer.BadParameter("say COLUMN=field", param_hint="--map")
    return {column: field for column, _, field in pairs}


def _tenant_ask(said: str) -> Ask:
    tenant = read_tenant(said)
    if tenant is None:
        raise typer.BadParameter("that is no tenant's id", param_hint="--tenant")
    return Ask(tenant, PersonId("people-import"), datetime.now(UTC), "hr")


@app.command("verify-receipt")
def verify_receipt(
    file: Annotated[Path, typer.Argument(exists=True, help="A receipt, as the API gave it.")],
    key: Annotated[Path, typer.Option(exists=True, help="The public key, a JWK.")],
) -> None:
    """Say whether a receipt of an erasure is ours and unchanged, and what it lists."""
    try:
        said = read_receipt(file.read_text().strip(), key.read_text())
    except (BadReceipt, ValueError) as error:
        errors.print(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None
    typer.echo(json.dumps(said, indent=2))
