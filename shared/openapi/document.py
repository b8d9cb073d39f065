"""Makes a service's OpenAPI document from its app, without a database or a broker. No files."""

from __future__ import annotations

import importlib
import json
from typing import Any

from shared.command import SERVICES
from shared.settings import ServiceSettings

Document = dict[str, Any]

# What an app must be told to be built; nothing is connected to.
_STAND_INS = {"postgres": "postgresql://nobody@nowhere", "kafka": "nowhere:1"}
_STAND_IN = "nobody@mentoring.example"
_SHARED_ANSWERS = {"4XX": "Refused", "503": "Away"}


def documents() -> dict[str, Document]:
    """Each service's document by its name."""
    return {service: document(service) for service in SERVICES}


def document(service: str) -> Document:
    """The document of one service: paths and parts in alphabetical order, errors said once."""
    module = importlib.import_module(f"services.{service}.settings")
    cls: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    told: dict[str, Any] = {
        name: _STAND_INS.get(name, _STAND_IN)
        for name, field in cls.model_fields.items()
        if field.is_required()
    }
    build = importlib.import_module(f"services.{service}.app").build
    api = build(cls(**told), None, None).api
    return _ordered(_with_shared_answers(json.loads(json.dumps(api.openapi()))))


def _with_shared_answers(made: Document) -> Document:
    """The same answer stands in every operation: it is said once, among the components."""
    shared: dict[str, Any] = {}
    for methods in made["paths"].values():
        for operation in methods.values():
            for status, name in _SHARED_ANSWERS.items():
                answer = operation["responses"].get(status)
                if answer is not None and shared.setdefault(name, answer) == answer:
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    made.setdefault("components", {})["responses"] = shared
    return made


def _ordered(made: Document) -> Document:
    parts = {
        kind: dict(sorted(named.items())) for kind, named in sorted(made["components"].items())
    }
    return {**made, "paths": dict(sorted(made["paths"].items())), "components": parts}
