"""Whatever is asked over HTTP is answered as documented: never a 5xx, every refusal a problem.

The requests are made from the service's own OpenAPI document. Three of four ask about things that
are there, as somebody of the tenant, for times such as a pair can agree on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

from services.sessions.api import build_api
from services.sessions.domain.rules import Rules
from shared.clock import FixedClock
from tests.integration.sessions.serving import Serving, Things
from tests.integration.sessions.world import START, TENANT
from tests.support.databases import Databases

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
FEW, MANY = 6, 100
# What only a manager may is asked by somebody of neither side.
BOSS = ("boss", "manager")


def documented(*, thorough: bool) -> Any:
    """The operations of the document; `thorough` adds every boundary value there is."""
    config = schemathesis.Config()
    config.projects.default.phases.coverage.enabled = thorough
    api = build_api(None, FixedClock(START), Rules())  # type: ignore[arg-type]
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


@pytest.fixture(scope="module")
def serving(databases: Databases) -> Iterator[Serving]:
    with Serving(databases).running() as running:
        yield running


@pytest.fixture
def things(serving: Serving) -> Things:
    """A pair of the operation's own; its first session has begun, its first promise is accepted."""
    place = next(places)
    made = Things(serving, f"mentor-{place}", f"mentee-{place}")
    made.fill()
    serving.clock.at += timedelta(days=1, minutes=1)
    return made


places, turns = count(), count()


def ask(case: Any, things: Things) -> None:
    """Send one request, aimed by its turn, and look at the answer."""
    turn = next(turns)
    aimed = turn % 4 != 3
    if aimed:
        for name in case.path_parameters or {}:
            if known := things.ids.get(name.removesuffix("_id")):
                case.path_parameters[name] = known[turn % len(known)]
        person, role = (*things.sides, *things.sides, BOSS)[turn % 5]
        case.headers = {"X-Tenant": TENANT, "X-Person": person, "X-Role": role}
        case.body = sooner(case.body, things.serving.clock.now())
    answer = case.call(base_url=things.serving.url)
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


quick, long = documented(thorough=False), documented(thorough=True)


@quick.parametrize()  # type: ignore[untyped-decorator]
@bounded(FEW)
def test_what_is_asked_is_answered_as_documented(case: Any, things: Things) -> None:
    """Seen to fail with a route that lets a ValueError out, and with a status nobody documented."""
    ask(case, things)


@pytest.mark.full
@long.parametrize()  # type: ignore[untyped-decorator]
@bounded(MANY)
def test_what_is_asked_at_length_is_answered_as_documented(case: Any, things: Things) -> None:
    ask(case, things)
