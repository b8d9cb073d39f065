"""Traces: one W3C context from a request through outbox, log and handlers to what is sent.

A fact carries the context of the request that caused it (`traceparent`), whether spans are exported
or not, so a log line can always be found by its trace. Spans go to a collector over OTLP/HTTP, and
only those of sampled traces: whoever began the trace has decided which.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

# W3C Trace Context, section 3.2; zeros alone are no id. Later versions may say more behind it.
_W3C = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)
_NOTHING = Context()
STOP_TIMEOUT_S = 5.0


class _Process:
    """What is told of this process; nothing until it is configured."""

    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(0.0)))
    tracer = provider.get_tracer("trustfold")
    is_exporting = False


def configure(service: str, url: str | None, share: float) -> None:
    """Begin traces of this process; call once. With `url` (OTLP/HTTP, .../v1/traces) spans are sent
    there: `share` of the traces that begin here, and all that came here sampled.
    """
    _Process.provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(share if url else 0.0)),
        resource=Resource({SERVICE_NAME: f"trustfold-{service}"}),
        span_limits=SpanLimits(max_attribute_length=200),
    )
    if url:
        _Process.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    _Process.tracer = _Process.provider.get_tracer("trustfold")
    _Process.is_exporting = url is not None


async def close() -> None:
    """Send what is left, for a few seconds at most."""
    _Process.is_exporting = False
    try:
        await asyncio.wait_for(asyncio.to_thread(_Process.provider.shutdown), STOP_TIMEOUT_S)
    except TimeoutError:
        return


@contextmanager
def request(name: str, traceparent: str | None) -> Iterator[Span]:
    """The span of a request that came in, in the trace it came with or in a new one."""
    with _Process.tracer.start_as_current_span(
        name, context=_after(traceparent), kind=SpanKind.SERVER, record_exception=False
    ) as span:
        yield span


def current() -> str:
    """The `traceparent` of what is being done here, empty when nothing is being traced."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id(traceparent: str) -> str | None:
    """The id that a trace is found by; None where there is none."""
    read = _W3C.match(traceparent)
    return read and read[1]


def is_exporting() -> bool:
    """Whether spans are sent anywhere."""
    return _Process.is_exporting


def is_wanted(traceparent: str) -> bool:
    """Whether a span of this trace would be sent anywhere. Cheap: asked of every record."""
    return _Process.is_exporting and traceparent[-1:] in "13579bdf" and len(traceparent) > 54


def tell(
    name: str,
    kind: SpanKind,
    traceparent: str,
    took_s: float,
    attributes: Mapping[str, str | int],
    *,
    failed: str | None = None,
) -> None:
    """A span that has just ended after `took_s`, of the trace that its cause belongs to."""
    if not is_wanted(traceparent):
        return
    ended_ns = time.time_ns()
    span = _Process.tracer.start_span(
        name,
        context=_after(traceparent),
        kind=kind,
        attributes=attributes,
        start_time=ended_ns - int(took_s * 1e9),
    )
    if failed is not None:
        span.set_status(Status(StatusCode.ERROR, failed))
    span.end(ended_ns)


def _after(traceparent: str | None) -> Context:
    """The context of who caused it; an empty one for what nobody did or what cannot be read."""
    read = _W3C.match(traceparent or "")
    if read is None:
        return _NOTHING
    trace_id_, span_id, flags = (int(part, 16) for part in read.groups())
    context = SpanContext(trace_id_, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return trace.set_span_in_context(NonRecordingSpan(context), _NOTHING)
