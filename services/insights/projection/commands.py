"""`trustfold insights verify` and `rebuild`: what is asked, and how the answer is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.insights.domain.replay import PairOf
from services.insights.projection import verify as proving
from services.insights.projection.place import Effort, Place, Progress
from services.insights.projection.swap import Rebuilt, roll_back
from services.insights.projection.swap import rebuild as build_anew
from services.insights.queries.loading import LIVE
from shared.audit import ops
from shared.command import EXIT_PROBLEM, await_, settings_of
from shared.ids import TenantId
from shared.postgres.tenancy import SEES_ALL
from shared.runtime import clock_of
from shared.settings import ServiceSettings

# How many pairs a person is shown; `--json` has all of them.
SHOWN = 10
MOST_READERS = 8

Json = Annotated[bool, typer.Option("--json", help="The result as one JSON document on stdout.")]


def verify(
    tenant: Annotated[str | None, typer.Option(help="One tenant; all when left out.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the orders and the duplicates.")] = 1,
    orders: Annotated[int, typer.Option(min=1, help="How many random orders to fold in.")] = 3,
    as_json: Json = False,
) -> None:
    """Prove the stored scores: fold the log itself, in random orders, a third of it twice.

    Exit code 1 when any facet score is further than 1e-9 from its fold, or when pairs or counts
    are not the same. Reads only, and is exact while facts arrive.
    """
    settings = settings_of("insights")
    question = proving.Question(TenantId(tenant) if tenant else None, seed, orders)

    async def ask(progress: Progress) -> proving.Verdict:
        dsn = settings.dsn
        conn = await asyncpg.connect(dsn, server_settings={"search_path": LIVE, **SEES_ALL})
        try:
            return await proving.verify(conn, settings.broker, question, progress)
        finally:
            await conn.close()

    with _progress() as progress:
        verdict = await_(ask(progress))
    if tenant and not (verdict.pairs or verdict.missing):
        raise typer.BadParameter(f"neither the log nor the database knows a pair of {tenant!r}")
    if as_json:
        typer.echo(json.dumps(_verdict(verdict)))
    else:
        _show_verdict(verdict)
    if not verdict.ok:
        raise typer.Exit(EXIT_PROBLEM)


def rebuild(
    admin: Annotated[str, typer.Option(envvar="TRUSTFOLD_POSTGRES", help="DSN of a superuser.")],
    batch: Annotated[int, typer.Option(min=1, help="Records read at once.")] = 10_000,
    swap: Annotated[bool, typer.Option(help="Put it in service, or leave it to look at.")] = True,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Put the previous one back instead.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Swap though the log tells less than is stored.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build the projection anew from the log beside the live one, compare, swap.

    Workers, API and relay stay in service. Nothing is swapped when the live projection holds what
    the log does not tell.
    """
    settings = settings_of("insights")
    place = _place(settings, admin)
    line = ops.line_of("trustfold insights rebuild", ids={"way": "back" if rollback else "anew"})
    await_(ops.say_at(settings.dsn, LIVE, line))
    if rollback:
        await_(roll_back(place))
        typer.echo(
            json.dumps({"rolled_back": True}) if as_json else "the previous one is in service"
        )
        return
    with _progress() as progress:
        done = await_(
            build_anew(place, Effort(_readers(), batch), progress, swap=swap, force=force)
        )
    if as_json:
        typer.echo(json.dumps(_rebuilt(done)))
    else:
        _show_rebuilt(done)


def _readers() -> int:
    # Each waits for the broker and the database half of its time.
    return min(MOST_READERS, 2 * (os.cpu_count() or 1))


def _place(settings: ServiceSettings, admin: str) -> Place:
    return Place(settings.dsn, admin, settings.broker, clock_of(settings))


@contextmanager
def _progress() -> Iterator[Progress]:
    """Says on stderr how far it is."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("starting", total=None)

        def say(phase: str, done: int, total: int) -> None:
            far = f": {done:,} of {total:,}" if total else ""
            bars.update(bar, description=phase + far)

        yield say


def _verdict(verdict: proving.Verdict) -> dict[str, Any]:
    told = verdict.told
    return {
        "ok": verdict.ok,
        "pairs": verdict.pairs,
        "missing": [_named(of) for of in verdict.missing],
        "invented": [_named(of) for of in verdict.invented],
        "records": told.records,
        "parked": told.parked,
        "unreadable": told.unreadable,
        "begins_late": told.begins_late,
        "runs": [{**asdict(run), "worst": _named(run.worst)} for run in verdict.runs],
    }


def _show_verdict(verdict: proving.Verdict) -> None:
    table = Table("order", "facts", "given twice", "largest difference", box=None)
    table.add_column("worst pair", overflow="fold")
    for run in verdict.runs:
        worst = _named(run.worst) or "-"
        row = (run.seed, f"{run.facts:,}", f"{run.duplicates:,}", f"{run.difference:.1e}", worst)
        table.add_row(*row)
    told = verdict.told
    console = Console()
    console.print(f"{verdict.pairs:,} pairs from {told.records:,} records", highlight=False)
    console.print(table)
    if told.parked or told.unreadable:
        typer.echo(
            f"passed over: {told.parked:,} dead letters, {told.unreadable:,} unreadable records"
        )
    for late in told.begins_late:
        typer.echo(f"the log does not begin at 0 any more: {late}")
    if verdict.ok:
        typer.echo("the scores are what the log says")
        return
    for word, pairs in (("not stored", verdict.missing), ("not in the log", verdict.invented)):
        for of in pairs[:SHOWN]:
            typer.echo(f"{word}: {_named(of)}")
    typer.echo(
        "the stored scores are NOT what the log says: `trustfold insights rebuild` makes them anew;"
        " docs/howto/prove-the-scores.md says how to find out why"
    )


def _rebuilt(done: Rebuilt) -> dict[str, Any]:
    comparison = asdict(done.comparison)
    comparison["repaired"] = {_named(of): why for of, why in done.comparison.repaired.items()}
    return {**asdict(done), "comparison": comparison}


def _show_rebuilt(done: Rebuilt) -> None:
    found = done.comparison
    rate = done.records / max(done.build_s, 1e-9)
    typer.echo(f"{done.records:,} records in {done.build_s:.1f} s ({rate:,.0f}/s), then")
    typer.echo(f"{done.followed:,} more that had come meanwhile; {done.unreadable:,} unreadable")
    typer.echo(
        f"{found.pairs:,} pairs, {found.facts:,} facts, {found.found:,} of it missing before"
    )
    typer.echo(f"largest difference of a state: {found.largest_difference:.1e}")
    for of, why in list(found.repaired.items())[:SHOWN]:
        typer.echo(f"repaired: {_named(of)} {why}")
    if len(found.repaired) > SHOWN:
        typer.echo(f"and {len(found.repaired) - SHOWN:,} more; --json names all")
    if done.swapped:
        typer.echo(
            f"in service; workers waited {done.waited_s:.2f} s. To go back: rebuild --rollback"
        )
    else:
        typer.echo("not swapped: it is in the schema insights_next")


def _named(of: PairOf | None) -> str | None:
    return f"{of[0]}/{of[1]}" if of else None
