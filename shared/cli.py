"""`trustfold`: one command for people who run the network. Starts nothing when it is imported.

Services and the local stack are loaded by name when their command is called: an image that holds
one service needs none of the others, and no `deploy/`.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from shared import dlq_cli, logging
from shared.command import EXIT_PROBLEM, ServiceName, await_, dsn_of, errors, settings_of
from shared.events.topics import every_topic
from shared.kafka.admin import create_topics
from shared.postgres.migrate import migrate as apply_migrations
from shared.runtime import ROLES
from shared.runtime import run as run_service

ROOT = Path(__file__).parent.parent

app = typer.Typer(
    help="Trustfold: a mentoring network whose trust scores explain themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
contracts = typer.Typer(help="The contracts: schemas, examples, AsyncAPI.", no_args_is_help=True)
app.add_typer(contracts, name="contracts")
app.add_typer(dlq_cli.app, name="dlq")


class _Insights(TyperGroup):
    """The commands of insights, loaded when one of them, or their list, is asked for."""

    @property
    def commands(self) -> Any:
        return get_command(importlib.import_module("services.insights.cli").app).commands  # type: ignore[attr-defined]

    @commands.setter
    def commands(self, _: Any) -> None:
        """Typer sets what it found here: nothing."""


insights = typer.Typer(
    cls=_Insights, help="Insights: prove its scores, build them anew.", no_args_is_help=True
)
app.add_typer(insights, name="insights")


@app.command()
def run(
    service: ServiceName,
    role: Annotated[list[str] | None, typer.Option(help="|".join(ROLES) + ", default all")] = None,
) -> None:
    """Run one service until SIGTERM: its API, worker and relay, or some of them."""
    settings = settings_of(service)
    build = importlib.import_module(f"services.{service}.app").build
    if unknown := set(role or ()) - set(ROLES):
        raise typer.BadParameter(f"no role is called {', '.join(sorted(unknown))}")
    logging.configure(service)
    chosen = frozenset(name for name in ROLES if not role or name in role)
    await_(run_service(service, settings, lambda pool, clock: build(settings, pool, clock), chosen))


@app.command()
def migrate(
    service: ServiceName,
    admin: Annotated[str, typer.Option(envvar="TRUSTFOLD_POSTGRES", help="DSN of a superuser.")],
) -> None:
    """Make a service's role and schema where missing, and apply what is not applied yet."""
    dsn = dsn_of(service)
    folder = ROOT / "services" / service / "migrations"
    await_(apply_migrations(admin, dsn, service=service, migrations=folder))


@app.command()
def topics(
    bootstrap: Annotated[str, typer.Option(envvar="TRUSTFOLD_KAFKA", help="host:port,...")],
    namespace: Annotated[str, typer.Option(help="Put before every name.")] = "",
    replicas: int = 3,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Create the topics that are missing, each with all its settings stated."""
    done = await_(create_topics(bootstrap, every_topic(), namespace=namespace, replicas=replicas))
    if as_json:
        print(json.dumps({"created": done.created, "existing": done.existing}))
        return
    for name in done.created:
        print(f"created  {name}")
    print(f"{len(done.created)} created, {len(done.existing)} were there")


@contracts.command("generate")
def contracts_generate() -> None:
    """Write what is missing or stale; refuses a change that would break a reader."""
    module = _contracts()
    try:
        written = module.generate(ROOT)
    except module.ContractBroken as error:
        _report(error.problems, "")
    for path in written:
        print(f"wrote {path}")
    print("contracts are up to date")


@contracts.command("check")
def contracts_check() -> None:
    """Fail when a committed contract is stale or a change would break a reader."""
    _report(_contracts().check(ROOT), "contracts are up to date")


@contracts.command("verify")
def contracts_verify(files: list[Path]) -> None:
    """Say of each event in the files (JSON or NDJSON) whether the network can read it."""
    said = _contracts().verify(files)
    for line in said:
        print(line)
    if any(line.startswith("no ") for line in said):
        raise typer.Exit(EXIT_PROBLEM)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Say in words what is wrong with this machine."""
    raise typer.Exit(importlib.import_module("deploy.local.doctor").run_doctor(json_output=as_json))


@app.command()
def up(
    containers: Annotated[bool, typer.Option(help="Broker and database from Docker.")] = False,
) -> None:
    """Start the whole network here and print its addresses, until Ctrl-C."""
    raise typer.Exit(importlib.import_module("deploy.local.up").up(containers=containers))


@app.command()
def demo(
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write it as data.")] = None,
    seed: int = 7,
    containers: Annotated[bool, typer.Option(help="Broker and database from Docker.")] = False,
) -> None:
    """Six months of eighty pairs in two minutes, on a real broker and database."""
    module = importlib.import_module("deploy.local.demo")
    raise typer.Exit(module.demo(json_file=json_file, seed=seed, containers=containers))


@app.command()
def simulate(
    pairs: Annotated[int, typer.Option(min=1)] = 200,
    seed: int = 1,
    days: Annotated[int, typer.Option(min=1)] = 365,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Pairs whose truth is known, through a real broker and the insights service."""
    module = importlib.import_module("deploy.local.simulate")
    raise typer.Exit(module.simulate(pairs=pairs, seed=seed, days=days, as_json=as_json))


def _contracts() -> Any:
    return importlib.import_module("shared.events.contracts")


def _report(problems: list[str], fine: str) -> None:
    for problem in problems:
        errors.print(problem)
    if problems:
        raise typer.Exit(EXIT_PROBLEM)
    print(fine)


def main() -> None:
    """The console entry point."""
    app(prog_name="trustfold")


if __name__ == "__main__":
    main()
