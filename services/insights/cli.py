"""`trustfold insights`: the commands of insights, put together. `shared.cli` loads it by name."""

from __future__ import annotations

import typer

from services.insights import models_cli, readers_cli
from services.insights.projection import commands as projection

app = typer.Typer(no_args_is_help=True)
app.command()(projection.verify)
app.command()(projection.rebuild)
app.add_typer(models_cli.app, name="models")
app.add_typer(readers_cli.app, name="readers")
