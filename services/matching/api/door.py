"""The door for HR systems that have no Kafka: CloudEvents over HTTP (binding 1.0.2, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.matching.domain.door import Refusal, judge, judge_read
from services.matching.handlers import door
from shared.asking import Ask, Reading
from shared.errors import Rejected
from shared.events.envelope import Event, read
from shared.http import REFUSED, problem
from shared.ids import TenantId
from shared.postgres.pool import Pool
from shared.rate import Buckets

MAX_EVENTS = 1_000
MAX_BYTES = 4 * 1024 * 1024
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            STRUCTURED: {"schema": {"type": "object"}},
            BATCH: {"schema": {"type": "array", "items": {"type": "object"}}},
            JSON: {"schema": {"type": "object"}},
        },
    },
    "responses": {"429": REFUSED},
}


class TooMuch(Rejected):
    """That is more than comes in at once: send it in parts."""

    slug = "too-much"
    status = 413


class NotAnEvent(Rejected):
    """Send a CloudEvent: its attributes as ce- headers, or a structured one, or a batch."""

    slug = "not-an-event"
    status = 415


@dataclass(frozen=True, slots=True)
class Limit:
    """How many events a tenant may send: `per_s` on average, `burst` at once; of one process."""

    per_s: float
    burst: float


def door_router(pool: Pool, limit: Limit) -> APIRouter:
    """Events in."""
    router = APIRouter(prefix="/events", tags=["people"])
    buckets = Buckets(limit.per_s, limit.burst)

    @router.post("", openapi_extra=_BODY)
    async def take_in(asked: Reading, request: Request) -> Response:
        """Say what is so of people, as CloudEvents: one (binary or structured) or a batch.

        Each comes in once, by its source and id. A batch keeps its good events and says of each
        what became of it.
        """
        judged, is_batch = _read(request, await _body(request), asked.ask.tenant)
        wait_s = buckets.take(asked.ask.tenant, len(judged), asked.ask.now.timestamp())
        if wait_s:
            return _later(wait_s)
        items = await _items(pool, asked.ask, judged)
        return _batch(items) if is_batch else _one(items[0])

    return router


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise TooMuch(f"send at most {MAX_BYTES} bytes at once")
    return bytes(body)


def _read(
    request: Request, body: bytes, tenant: TenantId
) -> tuple[Sequence[Event | Refusal], bool]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == BATCH:
        found = _parsed(body)
        if not isinstance(found, list):
            raise Rejected("a batch is an array of events", field="body")
        if len(found) > MAX_EVENTS:
            raise TooMuch(f"send at most {MAX_EVENTS} events at once")
        return [judge(each, tenant) for each in found], True
    if kind == STRUCTURED:
        return [judge(_parsed(body), tenant)], False
    if kind != JSON or "ce-id" not in request.headers:
        raise NotAnEvent(field="Content-Type")
    named = {
        name[3:]: unquote_to_bytes(value.encode("latin-1"))  # binding 3.1.3.2
        for name, value in request.headers.items()
        if name.startswith("ce-")
    }
    headers = [
        (f"ce_{name}", value) for name, value in {"tenant": tenant.encode(), **named}.items()
    ]
    said = {name: value.decode(errors="replace") for name, value in named.items()}
    return [judge_read(lambda: read(body, headers), said, tenant)], False


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Rejected("this is not JSON", field="body") from None


async def _items(
    pool: Pool, ask: Ask, judged: Sequence[Event | Refusal]
) -> list[dict[str, object]]:
    fates = iter(await door.take_in(pool, ask, [it for it in judged if isinstance(it, Event)]))
    items: list[dict[str, object]] = []
    for index, it in enumerate(judged):
        if isinstance(it, Refusal):
            errors = [{"field": it.field, "message": it.message}]
            items.append({"index": index, "status": "refused", "errors": errors})
            continue
        fate, item = next(fates), {"index": index, "id": it.ce_id, "source": it.source}
        if fate == "conflict":
            said = "this source and id were used for another event"
            item |= {"status": "refused", "errors": [{"field": "id", "message": said}]}
        else:
            item["status"] = fate
        items.append(item)
    return items


def _batch(items: Sequence[dict[str, object]]) -> Response:
    counts = {
        status: sum(item["status"] == status for item in items)
        for status in ("accepted", "duplicate", "refused")
    }
    return Response(orjson.dumps({**counts, "items": items}), 200, media_type=JSON)


def _one(item: dict[str, Any]) -> Response:
    if item["status"] == "refused":
        (error,) = item["errors"]
        return problem(422, "event-refused", error["message"], errors=item["errors"])
    return Response(orjson.dumps(item), 202, media_type=JSON)


def _later(wait_s: float) -> Response:
    answer: JSONResponse = problem(429, "too-fast", "send fewer events a second")
    answer.headers["Retry-After"] = str(ceil(wait_s))
    return answer
