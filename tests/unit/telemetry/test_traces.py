"""Traces: whose trace a request belongs to, and what is told of it."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from starlette.types import Receive, Scope, Send
from structlog.contextvars import get_contextvars

from shared import tracing
from shared.http import new_api
from shared.watching import Watching

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ASKED = f"00-{TRACE}-00f067aa0ba902b7-01"


class Seen:
    """An application that notes what it can see of the trace."""

    def __init__(self) -> None:
        self.traceparent, self.log = "", {}  # type: str, dict[str, object]
        self.api = new_api("sessions", "A test")

        @self.api.get("/v1/pairs/{pair}")
        async def _look(pair: str) -> str:
            self.traceparent, self.log = tracing.current(), dict(get_contextvars())
            return pair

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.api(scope, receive, send)


async def ask(seen: Seen, path: str, **headers: str) -> None:
    transport = httpx.ASGITransport(Watching(seen, "sessions"))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        await http.get(path, headers=headers)


async def test_a_request_goes_on_in_the_trace_it_came_with() -> None:
    seen = Seen()
    await ask(seen, "/v1/pairs/7", traceparent=ASKED)
    assert seen.traceparent.startswith(f"00-{TRACE}-")
    assert seen.traceparent.endswith("-01")
    assert seen.traceparent != ASKED
    assert seen.log["trace_id"] == TRACE


@pytest.mark.parametrize(
    "wrong",
    ["", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-00f067aa0ba902b7-01"],
)
async def test_a_request_without_a_trace_begins_one_that_nobody_pays_for(wrong: str) -> None:
    seen = Seen()
    await ask(seen, "/v1/pairs/7", traceparent=wrong)
    assert int(seen.traceparent[-2:], 16) % 2 == 0  # not sampled
    assert seen.log["trace_id"] == tracing.trace_id(seen.traceparent)


def test_outside_of_a_request_there_is_no_trace() -> None:
    assert tracing.current() == ""


@given(st.text(max_size=80))
def test_a_strangers_words_are_never_taken_for_a_trace_that_is_wanted(text: str) -> None:
    assert not tracing.is_wanted(text)
    assert tracing.trace_id(text) is None or len(tracing.trace_id(text) or "") == 32


async def test_the_time_of_a_request_is_counted_under_its_template_and_names_nobody() -> None:
    labels = {"service": "sessions", "method": "GET", "route": "/v1/pairs/{pair}", "status": "2xx"}
    count = "trustfold_request_seconds_count"
    before = REGISTRY.get_sample_value(count, labels) or 0
    await ask(Seen(), "/v1/pairs/ann")
    assert REGISTRY.get_sample_value(count, labels) == before + 1
    text = [sample.labels for metric in REGISTRY.collect() for sample in metric.samples]
    assert not any("ann" in found.values() for found in text)


async def test_what_is_served_for_the_cluster_is_not_counted() -> None:
    seen = Seen()
    await ask(seen, "/metrics")
    labels = {"service": "sessions", "method": "GET", "route": "none", "status": "4xx"}
    assert REGISTRY.get_sample_value("trustfold_request_seconds_count", labels) is None
