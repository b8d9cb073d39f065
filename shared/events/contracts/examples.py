"""Makes the golden example of a new fact: believable, fixed, in binary mode. Pure, nothing random.

Only the first example of a version is made here. Once committed it is kept for ever: it stands for
the records that are in the logs.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.events.compatibility import Schema
from shared.events.contracts.schemas import schema_of
from shared.events.envelope import OWN_SOURCE_PREFIX, Event, encode
from shared.events.fact import Fact
from shared.ids import TenantId, derived_id

TENANT = TenantId("acme")
OCCURRED_AT = datetime(2026, 3, 18, 15, 4, 5, tzinfo=UTC)
OUTSIDE_PRODUCERS = {"hr": "urn:acme:hr"}
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

_TRUST = {"score": 0.74, "low": 0.58, "high": 0.87, "band": "steady"}
_DIRECTION = {
    **_TRUST,
    "facets": {
        facet: {"r": 6.5, "s": 1.25, "score": 0.78, "low": 0.55, "high": 0.93} for facet in "ELHRBP"
    },
}
_SHARED = {
    **_TRUST,
    "top_reason": "commitment_kept",
    "weakest": "L",
    "up": ["commitment_kept", "session_held"],
    "down": ["commitment_missed_warned"],
}
_REASON = {
    "code": "commitment_missed",
    "facet": "R",
    "event_id": "019cf0e1-7b00-7c11-8d22-9e33af44b055",
}

# What a field of this name holds in every example, so that the examples tell one story.
_STORY: dict[str, Any] = {
    "person_id": "e-1042",
    "email": "amina.yusuf@acme.example",
    "display_name": "Amina Yusuf",
    "locale": "en",
    "timezone": "Africa/Lagos",
    "country": "NG",
    "manager_id": "e-0007",
    "org_unit": "platform",
    "languages": ["en", "ha"],
    "hours": [{"weekday": 3, "from_minute": 840, "until_minute": 1020}],
    "participation": {
        "roles": ["mentor"],
        "capacity": 2,
        "offers": ["system_design"],
        "goals": ["public_speaking"],
    },
    "left_on": "2026-03-31",
    "erased_on": "2026-06-30",
    "leave_id": "leave-2026-7",
    "started_on": "2026-03-02",
    "back_on": "2026-03-16",
    "pair_id": "019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b",
    "mentor_id": "e-1042",
    "mentee_id": "e-2718",
    "programme_id": "spring-2026",
    "fit": 0.82,
    "reasons": [{"code": "shared_goals", "detail": ["system_design"], "weight": 0.6}],
    "started_at": "2026-01-12T09:00:00Z",
    "ended_at": "2026-03-18T15:00:00Z",
    "by": "e-2718",
    "about": "e-1042",
    "agreement_version": 1,
    "cadence_days": 14,
    "notice_hours": 24,
    "channels": ["email"],
    "session_id": "019cf0e1-7a80-7b21-9c34-5d6e7f809a1b",
    "starts_at": "2026-03-18T14:00:00Z",
    "duration_minutes": 45,
    "confirmed_by": ["e-1042", "e-2718"],
    "commitment_id": "019ce5a0-1b2c-7d3e-8f40-516273849a5b",
    "due_at": "2026-03-17T17:00:00Z",
    "kept_at": "2026-03-16T11:30:00Z",
    "warned_at": "2026-03-15T08:20:00Z",
    "told_at": "2026-03-18T09:10:00Z",
    "on_time": True,
    "with_notice": True,
    "missed_by": ["e-1042"],
    "excused": None,
    "previous_due_at": "2026-03-12T17:00:00Z",
    "boundary_id": "019ce5a1-2b3c-7d4e-8f50-617283940a5b",
    "term": "hours",
    "repair_id": "019cf0e3-0a1b-7c2d-8e3f-40516273849a",
    "repairs": "019ce5a0-1b2c-7d3e-8f40-516273849a5b",
    "missed_due_at": "2026-03-10T17:00:00Z",
    "delivered_at": "2026-03-18T15:00:00Z",
    "goal_id": "019a3c4d-5e6f-7081-92a3-b4c5d6e7f809",
    "measurable": True,
    "size": "medium",
    "off_limits": [{"person_id": "e-2718", "weekday": 5, "from_minute": 720, "until_minute": 1440}],
    "feedback": "in_session",
    "review_on": "2026-04-13",
    "previous_starts_at": "2026-03-31T14:00:00Z",
    "reply_id": "019ce5a0-1b2c-7d3e-8f40-516273849a5b",
    "of": "e-1042",
    "until": "2026-03-20T15:00:00Z",
    "progress": 0.6,
    "introduction_id": "019cf0e4-1b2c-7d3e-8f40-516273849a5c",
    "item": "listened",
    "answer": True,
    "shared": False,
    "model": "v1",
    "revision": 7,
    "as_of": "2026-03-18T14:45:00Z",
    "half_life_days": 90.0,
    "health": 0.71,
    "gap": 0.06,
    "about_mentor": _DIRECTION,
    "about_mentee": _DIRECTION,
    "partner_safe": {
        "as_of": "2026-03-18T14:45:00Z",
        "about_mentor": _SHARED,
        "about_mentee": _SHARED,
    },
    "epoch": "2026-03-18",
    "alerted_on": "2026-03-04",
    "probability_low": 0.86,
    "next_step": "repair_delivered",
    "pairs": 40,
    "mentors": 25,
    "mentees": 40,
    "bands": {"too_early": 0.1, "steady": 0.7, "watch": 0.15, "strained": 0.05},
    "facets": {"E": 0.8, "L": 0.7, "H": 0.75, "R": 0.8, "B": 0.65, "P": 0.7},
    "benefits": {"clarity": 0.65, "growth": 0.2, "problem_solving": 0.35, "network": 0.1},
    "notification_id": "019cf0f2-0a1b-7c2d-8e3f-405162738495",
    "workflow": "session_reminder",
    "channel": "email",
    "because_of": "019cf0e1-7b00-7c11-8d22-9e33af44b055",
}
# Where a name means something else in one fact.
_TOLD_OTHERWISE: dict[str, dict[str, Any]] = {
    "pair.ended": {"reason": "completed"},
    "agreement.signed": {
        "hours": [{"person_id": "e-1042", "weekday": 3, "from_minute": 840, "until_minute": 1020}],
    },
    "session.rescheduled": {"starts_at": "2026-04-01T14:00:00Z", "channel": "video"},
    "commitment.moved": {"reason": "leave"},
    "reply.requested": {"about": "commitment"},
    "trust.alerted": {"about": "mentor", "band": "strained", "reasons": [_REASON]},
    "trust.resolved": {"about": "mentor", "band": "watch", "reason": "recovered"},
    "commitment.shown_false": {"confirmed_by": "both"},
    "boundary.breached": {"confirmed_by": "both"},
    "programme.measured": {"epoch": "2026-02", "as_of": "2026-03-01T00:00:00Z"},
    "notification.failed": {"reason": "mailbox_unknown"},
    "session.scheduled": {"starts_at": "2026-04-01T14:00:00Z", "channel": "video"},
}
_FORMATS = {
    "uuid": "019cf0e1-7c00-7d11-8e22-9f33a044b155",
    "date-time": "2026-03-18T15:00:00Z",
    "date": "2026-03-18",
}


def sample(fact: type[Fact]) -> dict[str, Any]:
    """The first golden example of `fact`: its record's key, headers and value."""
    key, value, headers = encode(sample_event(fact))
    return {
        "key": key.decode(),
        "headers": {name: content.decode() for name, content in headers},
        "value": json.loads(value),
    }


def sample_event(fact: type[Fact]) -> Event:
    """A believable event about `fact`: always the same one."""
    event_id = _time_ordered_id(fact.type)
    producer = fact.topic.producers[0]
    outside = OUTSIDE_PRODUCERS.get(producer)
    source = outside or OWN_SOURCE_PREFIX + producer
    ce_id = f"hr-export-{event_id.hex[-6:]}" if outside else str(event_id)
    cause = "" if outside else str(_time_ordered_id("cause of " + fact.type))
    return Event(
        event_id=derived_id(TENANT, source, ce_id) if outside else event_id,
        source=source,
        tenant=TENANT,
        occurred_at=OCCURRED_AT,
        fact=_sample_fact(fact),
        ce_id=ce_id,
        correlation_id=cause,
        causation_id=cause,
        traceparent="" if outside else _TRACE,
    )


def _sample_fact(fact: type[Fact]) -> Fact:
    schema = schema_of(fact)
    story = {**_STORY, **_TOLD_OTHERWISE.get(fact.type, {})}
    told = {name: story[name] for name in schema["properties"] if name in story}
    rest = {
        name: _invented(schema, node)
        for name, node in schema["properties"].items()
        if name not in told and name in schema.get("required", ())
    }
    return fact.model_validate_json(json.dumps({**told, **rest}))


def _invented(document: Schema, node: Schema) -> Any:
    """A plain value that fits a field the story does not tell of."""
    for keyword in ("default", "const"):
        if keyword in node:
            return node[keyword]
    if "$ref" in node:
        return _invented(document, document["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]])
    if "enum" in node or "anyOf" in node:
        return node["enum"][0] if "enum" in node else _invented(document, node["anyOf"][0])
    match node.get("type"):
        case "string":
            return _FORMATS.get(node.get("format", ""), "example")
        case "integer" | "number":
            return max(1, node.get("minimum", 1), node.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case "array":
            return [_invented(document, node["items"])] * max(1, node.get("minItems", 1))
        case "object":
            fields = node.get("properties", {})
            return {name: _invented(document, fields[name]) for name in node.get("required", ())}
    return None


def _time_ordered_id(name: str) -> UUID:
    """A UUIDv7 of the example's instant whose other bits come from `name`."""
    instant = int(OCCURRED_AT.timestamp() * 1000).to_bytes(6, "big")
    bits = bytearray(instant + hashlib.sha256(name.encode()).digest()[:10])
    bits[6] = 0x70 | bits[6] & 0x0F
    bits[8] = 0x80 | bits[8] & 0x3F
    return UUID(bytes=bytes(bits))
