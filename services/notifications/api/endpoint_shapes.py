"""What goes in and out about endpoints. Secrets go out once, addresses of chats never."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.notifications.domain.webhook import Endpoint, State
from services.notifications.handlers.endpoints import Opened
from services.notifications.queries.delivery_log import Delivery, Replay
from shared.ids import PersonId
from shared.shapes import Body, Instant

Url = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Type = Annotated[str, StringConstraints(pattern=r"^[a-z_.*]{1,64}$")]
Types = Annotated[
    Sequence[Type],
    Field(
        min_length=1,
        max_length=64,
        description="types of facts, families of them (`session.*`), or `*` for all",
    ),
]


class EndpointIn(Body):
    """Where to send, and what."""

    url: Url = Field(description="https, on port 443 or 8443")
    types: Types


class ChangeIn(Body):
    """What is to be otherwise; what is left out stays."""

    url: Url | None = None
    types: Types | None = None
    is_enabled: bool | None = None


class ReplayIn(Body):
    """Since when, until when (now, unless you say), and what (what it is sent anyway)."""

    from_at: Instant = Field(alias="from")
    until: Instant | None = None
    types: Types | None = None


class ChatIn(Body):
    url: Url


class EndpointOut(BaseModel):
    """`reason` says why it is disabled: asked, gone (it answered 410), failing (for five days)."""

    endpoint_id: UUID
    url: str
    types: Sequence[str]
    is_enabled: bool
    reason: str | None
    failing_since: datetime | None
    revision: int
    created_at: datetime
    created_by: PersonId


class OpenedOut(EndpointOut):
    """`secret` is null in the answer to a retry: ask for a new one if it was lost."""

    secret: str | None


class EndpointsOut(BaseModel):
    items: Sequence[EndpointOut]


class AttemptOut(BaseModel):
    """How one attempt ended: a status, or an error's code where there was no answer."""

    number: int
    ended_at: datetime
    status: int | None
    error: str | None
    duration_ms: int


class DeliveryOut(BaseModel):
    delivery_id: UUID
    event_id: UUID = Field(description="the header `webhook-id`")
    type: str
    state: State
    created_at: datetime
    ended_at: datetime | None
    replay_id: UUID | None
    attempts: Sequence[AttemptOut]


class DeliveriesOut(BaseModel):
    items: Sequence[DeliveryOut]
    next_cursor: int | None


class ReplayOut(BaseModel):
    """`queued` of what was found so far; `skipped` waited already. `is_done`: all is queued."""

    replay_id: UUID
    from_at: datetime = Field(serialization_alias="from")
    until: datetime
    types: Sequence[str]
    queued: int
    skipped: int
    is_done: bool
    delivered: int
    failed: int


class ChatOut(BaseModel):
    """The address itself is never shown: whoever knows it can write there."""

    is_set: bool
    host: str | None


def endpoint_out(endpoint: Endpoint) -> EndpointOut:
    """The endpoint without its secret."""
    return EndpointOut(
        endpoint_id=endpoint.endpoint_id,
        url=endpoint.url,
        types=endpoint.types,
        is_enabled=endpoint.is_enabled,
        reason=endpoint.reason,
        failing_since=endpoint.failing_since,
        revision=endpoint.revision,
        created_at=endpoint.created_at,
        created_by=endpoint.created_by,
    )


def opened_out(opened: Opened) -> OpenedOut:
    """The endpoint with its secret, where this is the one answer that shows it."""
    return OpenedOut(**dict(endpoint_out(opened.endpoint)), secret=opened.secret)


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """The delivery and its attempts."""
    return DeliveryOut(
        delivery_id=delivery.delivery_id,
        event_id=delivery.event_id,
        type=delivery.type,
        state=delivery.state,
        created_at=delivery.created_at,
        ended_at=delivery.ended_at,
        replay_id=delivery.replay_id,
        attempts=[
            AttemptOut(
                number=each.number,
                ended_at=each.ended_at,
                status=each.status,
                error=each.error,
                duration_ms=each.duration_ms,
            )
            for each in delivery.attempts
        ],
    )


def deliveries_out(found: Sequence[Delivery], limit: int) -> DeliveriesOut:
    """A page, and where the next begins if there may be one."""
    cursor = found[-1].position if len(found) == limit else None
    return DeliveriesOut(items=[delivery_out(each) for each in found], next_cursor=cursor)


def replay_out(replay: Replay) -> ReplayOut:
    """The replay and how far it has come."""
    return ReplayOut(
        replay_id=replay.replay_id,
        from_at=replay.from_at,
        until=replay.until_at,
        types=replay.types,
        queued=replay.queued,
        skipped=replay.skipped,
        is_done=replay.is_done,
        delivered=replay.delivered,
        failed=replay.failed,
    )


def chat_out(host: str | None) -> ChatOut:
    """Whether an address is set, and of which host."""
    return ChatOut(is_set=host is not None, host=host)
