"""What is told of attempts to hand messages over, to log, metrics and traces: ids, never words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opentelemetry.trace import SpanKind

from services.notifications.domain.attempt import Next, Outcome
from services.notifications.domain.message import Message
from services.notifications.queries.messages import Due
from shared import metrics, tracing
from shared.logging import logger

_log = logger("notifications.sending")


def who(message: Message) -> dict[str, str | None]:
    """What a log line says of a message."""
    return {
        "tenant": message.tenant,
        "message_id": str(message.message_id),
        "workflow": message.workflow,
        "channel": message.channel,
        "trace_id": tracing.trace_id(message.cause.traceparent),
    }


def tell_attempt(handed: Sequence[Due], outcome: Outcome, took_s: float) -> None:
    """A span for each message, in the trace of the fact that it tells of."""
    failed = None if outcome.fate == "accepted" else outcome.reason or outcome.fate
    for due in handed:
        message = due.message
        tracing.tell(
            f"send {message.channel}",
            SpanKind.CLIENT,
            message.cause.traceparent,
            took_s,
            {
                "trustfold.tenant": message.tenant,
                "trustfold.workflow": message.workflow,
                "trustfold.message": str(message.message_id),
                "trustfold.attempt": due.attempt,
            },
            failed=failed,
        )


def tell_settled(due: Due, then: Next, now: datetime) -> None:
    """A line of the log, and one more in the count of its channel."""
    metrics.MESSAGES.labels(due.message.channel, then.state).inc()
    # What was sent is a fact on the topic; a line for each would slow sending down.
    tell = _log.debug if then.state == "sent" else _log.info
    tell(
        "attempt ended",
        action="message_attempted",
        state=then.state,
        reason=then.reason,
        attempt=due.attempt,
        waited_s=round((now - due.message.not_before).total_seconds(), 3),
        **who(due.message),
    )
