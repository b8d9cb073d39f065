"""What every `trustfold` command shares: service names, settings, failing in one sentence."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import asyncpg
import typer
import uvloop
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from rich.console import Console

from shared.errors import TrustfoldError
from shared.settings import SECRETS, DatabaseSettings, ServiceSettings

SERVICES = ("matching", "sessions", "notifications", "insights")
EXIT_PROBLEM = 1
EXIT_USAGE = 2
# Failures that a sentence explains; anything else is a bug and shows its traceback.
EXPECTED = (TrustfoldError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError)

errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

T = TypeVar("T")
S = TypeVar("S", bound=BaseSettings)


def _known(value: str) -> str:
    if value not in SERVICES:
        raise typer.BadParameter(f"choose one of {', '.join(SERVICES)}")
    return value


ServiceName = Annotated[str, typer.Argument(callback=_known, help="|".join(SERVICES))]


def settings_of(service: str) -> ServiceSettings:
    """The service's settings from its environment; exits naming every variable that is wrong."""
    module = importlib.import_module(f"services.{service}.settings")
    cls: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return from_environment(cls, str(cls.model_config["env_prefix"]))


def dsn_of(service: str) -> str:
    """The DSN of the service's own role, from its environment; exits when it is not there."""
    return from_environment(DatabaseSettings, f"{service.upper()}_").dsn


def from_environment(cls: type[S], prefix: str, secrets: Path = SECRETS) -> S:
    """Settings from the environment, and from files where there are any; exits as above."""
    try:
        return cls(_env_prefix=prefix, _secrets_dir=secrets if secrets.is_dir() else None)
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            name = prefix + "_".join(str(part) for part in problem["loc"]).upper()
            errors.print(f"{name}: {problem['msg']}")
        raise typer.Exit(EXIT_USAGE) from None


def await_(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; an expected failure ends the command in one sentence, not in a traceback."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except EXPECTED as error:
        _end(error)
    except ExceptionGroup as group:
        expected, rest = group.split(EXPECTED)
        if rest is not None or expected is None:
            raise
        _end(_first(expected))


def _first(group: ExceptionGroup[Any]) -> Exception:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _end(error: Exception) -> NoReturn:
    errors.print(f"{type(error).__name__}: {error}")
    raise typer.Exit(EXIT_PROBLEM) from None
