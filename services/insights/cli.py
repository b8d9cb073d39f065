"""`trustfold insights`: the commands of insights, put together. `shared.cli` loads it by name."""

from __future__ import annotations

import typer

from services.insights import exports_cli, models_cli, readers_cli
from services.insights.projection import commands as projection

app = typer.Typer(no_args_is_help=True)
app.command()(projection.verify)
app.command()(projection.rebuild)
app.command()(exports_cli.export)
app.add_typer(models_cli.app, name="models")
app.add_typer(readers_cli.app, name="readers")
