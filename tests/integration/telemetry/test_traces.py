"""One trace from a request over outbox, log and handlers to the mail, at a real collector's door.

Seen to fail with the outbox writing the fact's own `traceparent` alone: the trace ends at its
first service.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.local.demo import drive
from deploy.local.demo.api import Api
from deploy.local.demo.director import MAIL_SETTINGS, PACE
from deploy.local.demo.noise import Record
from deploy.local.demo.population import CONTENT_TYPE, key_of, population
from deploy.local.demo.size import DemoSize
from deploy.local.mailbox import HOST, Mailbox
from deploy.local.network import SERVICES, Network, NetworkOptions
from deploy.local.stack import Stack
from shared.clock import FileClock
from shared.events.topics import PEOPLE
from shared.ids import TenantId
from shared.kafka.producer import Producer
from tests.support import callers
from tests.support.receiver import Receiver
from tests.support.waiting import until

pytestmark = pytest.mark.stack

TENANT = TenantId("acme")
SMALL = DemoSize(people=20, pairs=2, weeks=2)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ASKED = f"00-{TRACE}-00f067aa0ba902b7-01"
LONG_S = 90.0


@dataclass(frozen=True)
class Span:
    service: str
    name: str
    parent: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """What has come in over OTLP/HTTP."""

    receiver: Receiver

    def spans(self, trace: str) -> list[Span]:
        found = []
        for got in self.receiver.got:
            request = ExportTraceServiceRequest.FromString(got.body)
            for of_resource in request.resource_spans:
                service = {it.key: it.value.string_value for it in of_resource.resource.attributes}[
                    "service.name"
                ]
                found += [
                    Span(service, it.name, it.parent_span_id.hex(), _read(it.attributes))
                    for scope in of_resource.scope_spans
                    for it in scope.spans
                    if it.trace_id.hex() == trace
                ]
        return found


def _read(attributes: Sequence[Any]) -> dict[str, str]:
    return {it.key: it.value.string_value or str(it.value.int_value) for it in attributes}


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with Receiver() as receiver:
        yield Collector(receiver)


@pytest.fixture(scope="module")
async def network(collector: Collector) -> AsyncIterator[Network]:
    with Stack.start() as stack, Mailbox() as mailbox:
        clock_file = stack.run_dir / "clock"
        FileClock(clock_file).set(datetime(2026, 3, 3, 10, tzinfo=UTC))
        traced = {f"{name.upper()}_TRACES_URL": collector.receiver.url for name in SERVICES}
        never = {f"{name.upper()}_TRACES_SHARE": "0" for name in SERVICES}
        options = NetworkOptions(
            clock_file=clock_file,
            smtp=(HOST, mailbox.port),
            issuer=callers.issuer,
            environ={**MAIL_SETTINGS, **PACE, **traced, **never, "OTEL_BSP_SCHEDULE_DELAY": "200"},
        )
        with Network(stack, options) as network:
            await asyncio.to_thread(network.start)
            yield network


async def test_a_request_is_followed_to_the_mail_it_causes(
    network: Network, collector: Collector
) -> None:
    people = population(SMALL, 7, TENANT)
    headers = [("content-type", CONTENT_TYPE)]
    hr = Producer(network.stack.kafka_bootstrap, client_id="hr")
    await hr.send_all(
        [Record(PEOPLE.name, key_of(one, TENANT), one.line, headers) for one in people]
    )
    await hr.close()
    async with Api(network, TENANT) as api:

        async def known() -> bool:
            page = await api.get("matching", "/v1/people?limit=1")
            return bool(page["total"] == len(people))

        await until(known, timeout_s=LONG_S, what="everybody known to matching")
        couples, _ = await drive.form_pairs(api, SMALL.pairs)
    couple = couples[0]
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)
    asked = network.issuer.headers(couple.mentor_id, "participant", TENANT)
    async with httpx.AsyncClient(base_url=network.url("sessions")) as http:
        answer = await http.post(
            f"/v1/pairs/{couple.pair_id}/sessions",
            headers={**asked, "traceparent": ASKED},
            json={"starts_at": at.isoformat(), "duration_minutes": 60},
        )
    assert answer.is_success, answer.text

    wanted = {
        ("trustfold-sessions", "POST /v1/pairs/{pair}/sessions"),
        ("trustfold-sessions", "send mentoring.public.sessions.v1"),
        ("trustfold-insights", "process mentoring.public.sessions.v1"),
        ("trustfold-notifications", "process mentoring.public.sessions.v1"),
        ("trustfold-notifications", "send calendar"),
    }

    async def followed() -> bool:
        return wanted <= {(it.service, it.name) for it in collector.spans(TRACE)}

    await until(followed, timeout_s=LONG_S, what="the trace as far as the mail")
    spans = collector.spans(TRACE)
    for it in spans:
        people_named = json.dumps(it.attributes)
        assert couple.mentor_id not in people_named
        assert couple.mentee_id not in people_named


async def test_gauges_of_every_service_are_told_by_its_processes(network: Network) -> None:
    told = {
        "matching": "trustfold_matching_index_stale",
        "sessions": 'trustfold_sweep_delay_seconds{service="sessions"}',
        "notifications": 'trustfold_messages_due{channel="email"}',
        "insights": "trustfold_score_age_seconds",
    }
    for service, name in told.items():
        wanted = [
            name,
            f'trustfold_outbox_age_seconds{{service="{service}"}}',
            f'trustfold_dead_letters{{group="{service}",status="parked"}}',
            f'trustfold_relay_leads{{service="{service}"}} 1.0',
            f'trustfold_dead_letter_cap{{group="{service}"}} 1000.0',
            f'trustfold_event_age_seconds_count{{group="{service}"}}',
        ]
        async with httpx.AsyncClient(base_url=network.url(service)) as http:

            async def all_told(http: httpx.AsyncClient = http, wanted: list[str] = wanted) -> bool:
                text = (await http.get("/metrics")).text
                return all(f"\n{each}" in text for each in wanted)

            await until(all_told, what=f"{service}: {wanted}")
