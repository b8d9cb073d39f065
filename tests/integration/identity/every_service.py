"""The four services' own APIs, each on a database of its own. Holds no test."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from shared.clock import FixedClock
from shared.command import SERVICES
from shared.identity.access import Access
from shared.postgres.pool import Pool
from shared.service import Service
from shared.settings import ServiceSettings
from tests.unit.notifications.builders import START

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a service cannot be built without, beside a database and a broker.
_MORE: dict[str, dict[str, Any]] = {
    "notifications": {"smtp_host": "127.0.0.1", "sender": "no-reply@mentoring.example"}
}


def settings_of(service: str, **changed: Any) -> ServiceSettings:
    """What it needs to be built, and no more."""
    module = importlib.import_module(f"services.{service}.settings")
    cls = getattr(module, f"{service.capitalize()}Settings")
    known = {"postgres": "postgresql://unused", "kafka": "unused:1", **_MORE.get(service, {})}
    made: ServiceSettings = cls(**known, **changed)
    return made


def built(service: str, pool: Pool) -> Service:
    """The service as its composition root makes it; its clock stands still."""
    app = importlib.import_module(f"services.{service}.app")
    made: Service = app.build(settings_of(service), pool, FixedClock(START))
    return made


def table_of(service: str) -> Access:
    """Its table of who may call what."""
    access: Access = importlib.import_module(f"services.{service}.access").ACCESS
    return access


def routes_of(api: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route, as the service declared them; a mount has every method."""
    for route in api.routes:
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods or ())
        if isinstance(route, Mount):
            yield from ((method, f"{route.path}/{{path}}") for method in METHODS)


__all__ = ["SERVICES", "built", "routes_of", "table_of"]
