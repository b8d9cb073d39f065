"""Requests made from a service's own OpenAPI document, and what every answer has to be.

Three of four ask about things that are there, as somebody of the tenant, for times that can be
agreed on. Holds no test and knows no service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
FEW, MANY = 6, 100
_turns = count()


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask, about what and as whom. `ids` are by the name a path has for them; `callers`
    are headers, asked with in turn.
    """

    url: str
    now: datetime
    ids: Mapping[str, Sequence[str]]
    callers: Sequence[Mapping[str, str]]


def documented(api: FastAPI, *, thorough: bool) -> Any:
    """The operations of the document; `thorough` adds every boundary value there is."""
    config = schemathesis.Config()
    config.projects.default.phases.coverage.enabled = thorough
    return schemathesis.openapi.from_dict(api.openapi(), config=config)


def bounded(examples: int) -> settings:
    """The same requests in every run."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def ask(case: Any, target: Target) -> None:
    """Send one request, aimed by its turn, and look at the answer."""
    turn = next(_turns)
    if turn % 4 != 3:
        for name in case.path_parameters or {}:
            if known := target.ids.get(name.removesuffix("_id")):
                case.path_parameters[name] = known[turn % len(known)]
        case.headers = dict(target.callers[turn % len(target.callers)])
        case.body = sooner(case.body, target.now)
    answer = case.call(base_url=target.url)
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert answer.json()["status"] == answer.status_code


def sooner(body: Any, now: datetime) -> Any:
    """The body with its times moved into the weeks after now, each to where its own digits say."""
    if isinstance(body, dict):
        return {name: sooner(value, now) for name, value in body.items()}
    if isinstance(body, list):
        return [sooner(each, now) for each in body]
    try:
        at = datetime.fromisoformat(body)
    except (TypeError, ValueError):
        return body
    near = now + timedelta(days=at.day, minutes=at.minute * 15)
    return near.replace(tzinfo=now.tzinfo if at.tzinfo else None).isoformat()
