"""What is told of a batch that was committed, for metrics and traces. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opentelemetry.trace import SpanKind

from shared import metrics, tracing
from shared.events.envelope import Event
from shared.postgres.outbox import Waiting


def tell_committed(group: str, events: Sequence[Event], now: datetime, took_s: float) -> None:
    """How old the newest of these facts is, and a span for each whose trace is wanted."""
    if not events:
        return
    age_s = (now - events[-1].occurred_at).total_seconds()
    metrics.EVENT_AGE.labels(group).observe(max(0.0, age_s))
    for event in events:
        if tracing.is_wanted(event.traceparent):
            _tell(group, event, event.traceparent, took_s)


def tell_published(facts: Sequence[Waiting], took_s: float) -> None:
    """A span for each fact that the broker has, whose trace is wanted."""
    if not tracing.is_exporting():
        return
    for fact in facts:
        said = dict(fact.headers)
        traceparent = said.get("ce_traceparent", b"").decode()
        tracing.tell(
            f"send {fact.topic}",
            SpanKind.PRODUCER,
            traceparent,
            took_s,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.destination.name": fact.topic,
                "messaging.message.id": said.get("ce_id", b"").decode(),
                "trustfold.fact": said.get("ce_type", b"").decode(),
                "trustfold.tenant": said.get("ce_tenant", b"").decode(),
            },
        )


def _tell(group: str, event: Event, traceparent: str, took_s: float) -> None:
    """OpenTelemetry's words for messaging (semantic conventions 1.37, messaging spans)."""
    topic = event.fact.topic.name
    tracing.tell(
        f"process {topic}",
        SpanKind.CONSUMER,
        traceparent,
        took_s,
        {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
            "messaging.consumer.group.name": group,
            "messaging.message.id": str(event.event_id),
            "trustfold.fact": event.fact.type,
            "trustfold.tenant": event.tenant,
        },
    )


def who(event: Event | None) -> dict[str, str | None]:
    """What a log line says of a record that could be read: ids of ours and its trace."""
    if event is None:
        return {}
    return {
        "tenant": event.tenant,
        "event_id": str(event.event_id),
        "type": event.fact.type,
        "trace_id": tracing.trace_id(event.traceparent),
    }
