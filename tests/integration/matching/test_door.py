"""Events over HTTP: every form comes in, each event once, and what is wrong is named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import pytest
from cloudevents.core.bindings import http as binding
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from services.matching.handlers import door
from shared.events.envelope import Event
from shared.events.people import PersonJoined, PersonLeft
from tests.conftest import MakePool
from tests.integration.matching.conftest import START, Matching, matching_with
from tests.support.callers import as_

pytestmark = pytest.mark.stack

HR = as_("payroll", "hr")
PATH = "/v1/events"
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


def joined(n: int = 1, **changes: Any) -> dict[str, Any]:
    """A structured event about person `n`; `changes` are of its attributes, `data` of its data."""
    data = {"person_id": f"e{n}", "email": f"e{n}@acme.example", "display_name": f"Person {n}"}
    said = {
        "specversion": "1.0",
        "id": f"hr-{n}",
        "source": "urn:example:hr",
        "type": "person.joined",
        "time": "2026-03-02T08:00:00Z",
        "data": data | changes.pop("data", {}),
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


async def send(
    matching: Matching, body: Any, kind: Mapping[str, str] = BATCH, who: Mapping[str, str] = HR
) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return await matching.http.post(PATH, content=content, headers={**who, **kind})


async def published(matching: Matching) -> list[Event]:
    """What waits in the outbox, in its order."""
    return await matching.announced()


def named(event: Event) -> tuple[str, str]:
    return event.source, event.ce_id


async def test_the_three_forms_of_the_binding_are_one_event(matching: Matching) -> None:
    attributes = {name: value for name, value in joined().items() if name != "data"}
    event = CloudEvent(
        {**attributes, "time": START, "datacontenttype": "application/json"}, joined()["data"]
    )
    fates = []
    for form in (binding.to_binary, binding.to_structured):
        sent = form(event, JSONFormat())
        answer = await matching.http.post(PATH, content=sent.body, headers={**sent.headers, **HR})
        fates.append((answer.status_code, answer.json()["status"]))
    again = await send(matching, [joined(time=START.isoformat())])

    assert fates == [(202, "accepted"), (202, "duplicate")]
    assert again.json()["duplicate"] == 1
    (only,) = await published(matching)
    assert named(only) == ("urn:example:hr", "hr-1")
    assert isinstance(only.fact, PersonJoined)
    assert (only.tenant, only.occurred_at) == ("acme", START)


async def test_a_batch_keeps_its_good_events_and_says_what_became_of_each(
    matching: Matching,
) -> None:
    await send(matching, [joined(1)])

    answer = await send(
        matching,
        [
            joined(2),
            joined(3, data={"email": "nobody"}),
            joined(1),
            joined(1, data={"display_name": "Somebody else"}),
            joined(4, tenant="globex"),
            joined(5, type="session.held"),
            joined(6, source="urn:trustfold:service:matching"),
            joined(7, time=None),
            joined(8, data={"timezone": "Europe/Atlantis"}),
            "nonsense",
            joined(9, type="person.left", data={"left_on": "2026-03-01"}),
        ],
    )

    told = answer.json()
    assert (answer.status_code, told["accepted"], told["duplicate"]) == (200, 2, 1)
    refused = {
        item["index"]: item["errors"][0]["field"]
        for item in told["items"]
        if item["status"] == "refused"
    }
    assert refused == {
        1: "data.email",
        3: "id",
        4: "tenant",
        5: "type",
        6: "source",
        7: "time",
        8: "data.timezone",
        9: "event",
    }
    assert [event.ce_id for event in await published(matching)] == ["hr-1", "hr-2", "hr-9"]
    assert isinstance((await published(matching))[-1].fact, PersonLeft)


async def test_the_network_knows_them_by_what_came_in(matching: Matching) -> None:
    await send(matching, [joined(1), joined(2)])

    await matching.delivers(*await published(matching))

    known = (await matching.get("/v1/people")).json()
    assert [person["person_id"] for person in known["people"]] == ["e1", "e2"]


async def test_a_retry_beside_the_first_try_comes_in_once(matching: Matching) -> None:
    batch = [joined(n) for n in range(50)]

    answers = await asyncio.gather(*(send(matching, batch) for _ in range(6)))

    assert sum(answer.json()["accepted"] for answer in answers) == 50
    assert len(await published(matching)) == 50


async def test_two_of_one_name_in_a_batch_are_told_apart(matching: Matching) -> None:
    other = joined(1, data={"display_name": "Other"})

    told = (await send(matching, [joined(1), joined(1), other])).json()

    assert [item["status"] for item in told["items"]] == ["accepted", "duplicate", "refused"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "field"),
    [
        pytest.param(b"{", STRUCTURED, 422, "body", id="half a document"),
        pytest.param(b"{}", BATCH, 422, "body", id="no array"),
        pytest.param(joined(data={"email": "x"}), STRUCTURED, 422, "data.email", id="a bad field"),
        pytest.param(b"{}", {"Content-Type": "text/csv"}, 415, "Content-Type", id="another kind"),
        pytest.param(b"{}", {"Content-Type": "application/json"}, 415, "Content-Type", id="plain"),
        pytest.param([joined()] * 1001, BATCH, 413, None, id="too many"),
        pytest.param(b" " * (4 * 1024 * 1024 + 1), BATCH, 413, None, id="too long"),
        pytest.param(b"[" * 200_000, BATCH, 422, "body", id="nested without end"),
    ],
)
async def test_what_cannot_be_read_is_refused_by_name(
    matching: Matching, body: Any, kind: Mapping[str, str], status: int, field: str | None
) -> None:
    answer = await send(matching, body, kind)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if field:
        assert answer.json()["errors"][0]["field"] == field
    assert await published(matching) == []


async def test_only_hr_says_who_people_are(matching: Matching) -> None:
    for role in ("participant", "manager", "service"):
        refused = await send(matching, [joined()], who=as_("eve", role))
        assert refused.status_code == 403


async def test_another_tenant_may_use_the_same_names(matching: Matching) -> None:
    ours = await send(matching, [joined()])
    theirs = await send(matching, [joined()], who=as_("hr", "hr", "globex"))

    assert (ours.json()["accepted"], theirs.json()["accepted"]) == (1, 1)
    assert [event.tenant for event in await published(matching)] == ["acme", "globex"]


async def test_a_sender_in_a_hurry_is_told_when_to_come_back(service_pool: MakePool) -> None:
    pool, batch = await service_pool("matching"), [joined(n) for n in range(20)]
    async with matching_with(pool, events_per_s=10.0, events_burst=20.0) as slow:
        await send(slow, batch)

        late = await send(slow, batch)

        assert (late.status_code, late.headers["Retry-After"]) == (429, "2")
        assert (await send(slow, batch, who=as_("hr", "hr", "globex"))).status_code == 200
        slow.clock.at = START.replace(minute=1)
        assert (await send(slow, batch)).json()["duplicate"] == 20


async def test_names_are_forgotten_after_a_while(matching: Matching) -> None:
    await send(matching, [joined()])

    assert await door.forget(matching.pool, START + door.REMEMBERED) == 0
    matching.clock.at = START + 2 * door.REMEMBERED
    assert await door.forget(matching.pool, matching.clock.now()) == 1
