"""`trustfold insights export`: a programme's releases as a file. Decides nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from services.insights.domain.epochs import epoch_named
from services.insights.queries.programmes import Release
from services.insights.views import exports
from services.insights.views.exports import Form
from shared.audit import ops
from shared.command import EXIT_USAGE, await_, dsn_of, errors
from shared.http import read_tenant
from shared.ids import ProgrammeId
from shared.postgres.pool import open_pool

_SERVICE = "insights"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def export(
    programme: Annotated[str, typer.Argument(help="The programme's id.")],
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is replaced.")],
    form: Annotated[Form, typer.Option("--format", help="What the file is.")] = Form.CSV,
    since: Annotated[str | None, typer.Option(help="From this month on, yyyy-mm.")] = None,
) -> None:
    """Write what was released of a programme: a row for each month and unit."""
    of, first = read_tenant(tenant), None
    if of is None:
        errors.print(f"{tenant!r} is not the id of a tenant")
        raise typer.Exit(EXIT_USAGE)
    if since is not None:
        if not _MONTH.fullmatch(since):
            errors.print(f"{since!r} is not a month: yyyy-mm")
            raise typer.Exit(EXIT_USAGE)
        first = epoch_named(since)
    dsn = dsn_of(_SERVICE)
    line = ops.line_of("trustfold insights export", of, {"programme_id": programme})

    async def run() -> list[Release]:
        await ops.say_at(dsn, _SERVICE, line)
        async with await open_pool(dsn, service=_SERVICE, size=1) as pool:
            return await exports.releases(pool, (of, ProgrammeId(programme)), first)

    found = await_(run())
    try:
        out.write_bytes(exports.written(found, form))
    except OSError as error:
        errors.print(f"{out}: {error.strerror}")
        raise typer.Exit(EXIT_USAGE) from None
    typer.echo(f"{len(found)} rows in {out}")
