"""`trustfold`: one command for people who run the network. Starts nothing when it is imported.

Services and the local stack are loaded by name when their command is called: an image that holds
one service needs none of the others, and no `deploy/`.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from pydantic_settings import SettingsConfigDict
from typer.core import TyperGroup
from typer.main import get_command

from shared import dlq_cli, logging
from shared.audit import cli as audit_cli
from shared.command import (
    EXIT_PROBLEM,
    ServiceName,
    await_,
    dsn_of,
    errors,
    from_environment,
    settings_of,
)
from shared.events.topics import every_topic
from shared.kafka.acls import acls
from shared.kafka.admin import create_topics
from shared.postgres.migrate import migrate as apply_migrations
from shared.postgres.schema import Phase
from shared.runtime import ROLES
from shared.runtime import run as run_service
from shared.settings import BrokerSettings, DatabaseSettings

ROOT = Path(__file__).parent.parent
OPERATOR = "TRUSTFOLD_"

app = typer.Typer(
    help="Trustfold: a mentoring network whose trust scores explain themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
contracts = typer.Typer(help="The contracts: schemas, examples, AsyncAPI.", no_args_is_help=True)
app.add_typer(contracts, name="contracts")
app.add_typer(dlq_cli.app, name="dlq")
app.add_typer(audit_cli.app, name="audit")


def _of_service(service: str, name: str, about: str) -> None:
    """A group of a service's own commands, loaded when one of them, or their list, is asked for."""

    class Loaded(TyperGroup):
        @property
        def commands(self) -> Any:
            own = importlib.import_module(f"services.{service}.cli").app
            return get_command(own).commands  # type: ignore[attr-defined]

        @commands.setter
        def commands(self, _: Any) -> None:
            """Typer sets what it found here: nothing."""

    app.add_typer(typer.Typer(cls=Loaded, help=about, no_args_is_help=True), name=name)


_of_service("insights", "insights", "Insights: prove its scores, build them anew.")
_of_service("matching", "people", "People: HR's file, receipts of erasures.")


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
    admin: Annotated[
        str | None, typer.Option(help="DSN of an administrator; else TRUSTFOLD_POSTGRES.")
    ] = None,
    phase: Annotated[
        str, typer.Option(help="pre: before the new code is there; post: after the old has gone.")
    ] = "all",
) -> None:
    """Make a service's role and schema where missing, and apply what is not applied yet."""
    if phase not in get_args(Phase):
        raise typer.BadParameter(f"choose one of {', '.join(get_args(Phase))}")
    dsn = dsn_of(service)
    admin = admin or from_environment(DatabaseSettings, OPERATOR).dsn
    folder = ROOT / "services" / service / "migrations"
    chosen = cast("Phase", phase)
    await_(apply_migrations(admin, dsn, service=service, migrations=folder, phase=chosen))


@app.command("acls")
def acls_(
    namespace: Annotated[str, typer.Option(help="Put before every name.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Say who may do what on the broker, for Apache's kafka-acls.sh. Changes nothing."""
    found = acls(namespace)
    if as_json:
        print(json.dumps([each._asdict() for each in found]))
        return
    for each in found:
        print(each.arguments())


class _Operator(BrokerSettings):
    """How an operator reaches the cluster: TRUSTFOLD_KAFKA_TLS and so on."""

    model_config = SettingsConfigDict(env_prefix=OPERATOR)


@app.command()
def topics(
    bootstrap: Annotated[str, typer.Option(envvar="TRUSTFOLD_KAFKA", help="host:port,...")],
    namespace: Annotated[str, typer.Option(help="Put before every name.")] = "",
    replicas: int = 3,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Create the topics that are missing, each with all its settings stated."""
    reached = _Operator(kafka=bootstrap).broker
    done = await_(create_topics(reached, every_topic(), namespace=namespace, replicas=replicas))
    if as_json:
        print(json.dumps({"created": done.created, "existing": done.existing}))
        return
    for name in done.created:
        print(f"created  {name}")
    print(f"{len(done.created)} created, {len(done.existing)} were there")


@contracts.command("generate")
def contracts_generate() -> None:
    """Write what is missing or stale; refuses a change that would break a reader."""
    module, openapi = _contracts(), _openapi()
    try:
        written = module.generate(ROOT) + openapi.generate(ROOT)
    except (module.ContractBroken, openapi.OpenApiBroken) as error:
        _report(error.problems, "")
    for path in written:
        print(f"wrote {path}")
    print("contracts are up to date")


@contracts.command("check")
def contracts_check() -> None:
    """Fail when a committed contract is stale or a change would break a reader."""
    problems = _contracts().check(ROOT) + _openapi().check(ROOT)
    _report(problems, "contracts are up to date")


@contracts.command("verify")
def contracts_verify(
    files: list[Path],
    as_json: Annotated[bool, typer.Option("--json", help="One object an event.")] = False,
) -> None:
    """Say of each event in the files (one, a batch, NDJSON) whether the network can read it."""
    said = _contracts().verdicts(files)
    for each in said:
        print(json.dumps(each.as_json()) if as_json else each.line)
    if not all(each.is_ok for each in said):
        raise typer.Exit(EXIT_PROBLEM)


@contracts.command("kit")
def contracts_kit(folder: Path) -> None:
    """Write the conformance kit for HR: events to send, and events that are refused."""
    print(f"wrote {len(_contracts().write_kit(folder))} files to {folder}")


@contracts.command("export")
def contracts_export(
    folder: Path,
    form: Annotated[str, typer.Option("--format", help="registry")] = "registry",
) -> None:
    """Write every published schema under its subject, as a schema registry takes it."""
    if form != "registry":
        raise typer.BadParameter("the only format is registry")
    print(f"wrote {len(_contracts().export(ROOT, folder))} files to {folder}")


@app.command()
def token(
    person: str,
    role: Annotated[list[str], typer.Option(help="participant|manager|hr|service")],
    tenant: Annotated[str, typer.Option(envvar="TRUSTFOLD_TENANT")],
    issuer: Annotated[str, typer.Option(envvar="TRUSTFOLD_ISSUER", help="URL that `up` prints.")],
) -> None:
    """A token of the identity provider of `up` and the demo, for trying things out with curl."""
    print(importlib.import_module("deploy.local.token").fetch(issuer, person, role, tenant))


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Say in words what is wrong with this machine."""
    raise typer.Exit(importlib.import_module("deploy.local.doctor").run_doctor(json_output=as_json))


@app.command()
def up(
    containers: Annotated[bool, typer.Option(help="Broker and database from Docker.")] = False,
    still: Annotated[
        bool, typer.Option(help="A few people on the real clock, and nothing happens by itself.")
    ] = False,
) -> None:
    """Start the whole network here, with a page to look at, until Ctrl-C."""
    module = importlib.import_module("deploy.local.up")
    raise typer.Exit(module.up(containers=containers, still=still))


@app.command()
def demo(
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write it as data.")] = None,
    seed: int = 7,
    containers: Annotated[bool, typer.Option(help="Broker and database from Docker.")] = False,
) -> None:
    """Six months of eighty pairs in some minutes, on a real broker and database."""
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


def _openapi() -> Any:
    return importlib.import_module("shared.openapi")


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
