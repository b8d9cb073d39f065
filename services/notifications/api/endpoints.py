"""Routes of endpoints: where a tenant is sent facts, and where people are written to in a chat."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.notifications.api.endpoint_shapes import (
    ChangeIn,
    ChatIn,
    ChatOut,
    DeliveriesOut,
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    EndpointsOut,
    OpenedOut,
    ReplayIn,
    ReplayOut,
    chat_out,
    deliveries_out,
    delivery_out,
    endpoint_out,
    opened_out,
    replay_out,
)
from services.notifications.domain.web_address import Reach
from services.notifications.domain.webhook import State
from services.notifications.handlers import chat, endpoints
from services.notifications.handlers.endpoints import Change
from services.notifications.queries.delivery_log import LATEST
from shared.asking import Asked, Reading
from shared.postgres.pool import Pool

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[int, Query(ge=0, le=LATEST, description="`next_cursor` of the page before")]


def build_router(pool: Pool, reach: Reach) -> APIRouter:
    """Endpoints are for managers and services; a chat address is its person's own."""
    router = APIRouter()
    _endpoints(router, pool, reach)
    _secret_and_test(router, pool)
    _log(router, pool)
    _replays(router, pool)
    _chat(router, pool, reach)
    return router


def _endpoints(router: APIRouter, pool: Pool, reach: Reach) -> None:
    @router.post("/v1/endpoints", status_code=201, summary="Be sent facts from now on")
    async def create(asked: Asked, body: EndpointIn) -> OpenedOut:
        """`secret` is shown this once: with it you check the signatures (Standard Webhooks)."""
        made = await endpoints.create(pool, asked.ask, reach, body.url, body.types)
        return asked.answer(opened_out, made)

    @router.get("/v1/endpoints", summary="Where facts are sent")
    async def view_all(asked: Reading) -> EndpointsOut:
        found = await endpoints.view_all(pool, asked.ask)
        return EndpointsOut(items=[endpoint_out(each) for each in found])

    @router.get("/v1/endpoints/{endpoint}", summary="One endpoint")
    async def view(endpoint: UUID, asked: Reading) -> EndpointOut:
        return asked.answer(endpoint_out, await endpoints.view(pool, asked.ask, endpoint))

    @router.patch("/v1/endpoints/{endpoint}", summary="Change, disable or enable it")
    async def change(endpoint: UUID, asked: Asked, body: ChangeIn) -> EndpointOut:
        """Needs the ETag that was read. What has waited is sent when it is enabled again."""
        wanted = Change(body.url, body.types, body.is_enabled)
        changed = await endpoints.change(pool, asked.require_match(), reach, endpoint, wanted)
        return asked.answer(endpoint_out, changed)

    @router.delete("/v1/endpoints/{endpoint}", status_code=204, summary="Send no more there")
    async def remove(endpoint: UUID, asked: Asked) -> None:
        """Deletes its log as well, and what waits for it."""
        await endpoints.remove(pool, asked.ask, endpoint)


def _secret_and_test(router: APIRouter, pool: Pool) -> None:
    @router.post("/v1/endpoints/{endpoint}/secret", summary="A new secret, shown this once")
    async def rotate(endpoint: UUID, asked: Asked) -> OpenedOut:
        """For 24 hours, what is sent is signed with the secret before it as well."""
        return asked.answer(opened_out, await endpoints.rotate(pool, asked.ask, endpoint))

    @router.post("/v1/endpoints/{endpoint}/ping", status_code=202, summary="Send a test there")
    async def ping(endpoint: UUID, asked: Asked) -> DeliveryOut:
        """An event `endpoint.pinged`, sent and tried again like every other."""
        return delivery_out(await endpoints.ping(pool, asked.ask, endpoint))


def _log(router: APIRouter, pool: Pool) -> None:
    @router.get("/v1/endpoints/{endpoint}/deliveries", summary="What was sent, and how it ended")
    async def log(
        endpoint: UUID,
        asked: Reading,
        state: State | None = None,
        cursor: Cursor = LATEST,
        limit: Limit = 50,
    ) -> DeliveriesOut:
        """The newest events first."""
        found = await endpoints.log(
            pool, asked.ask, endpoint, state=state, before=cursor, limit=limit
        )
        return deliveries_out(found, limit)

    @router.post(
        "/v1/endpoints/{endpoint}/deliveries/{delivery}/retry",
        status_code=202,
        summary="Send it again",
    )
    async def retry(endpoint: UUID, delivery: UUID, asked: Asked) -> DeliveryOut:
        """At once, unless something earlier about the same pair waits. It has the same id."""
        return delivery_out(await endpoints.retry(pool, asked.ask, endpoint, delivery))


def _replays(router: APIRouter, pool: Pool) -> None:
    @router.post("/v1/endpoints/{endpoint}/replay", status_code=202, summary="Send again, since")
    async def start(endpoint: UUID, asked: Asked, body: ReplayIn) -> ReplayOut:
        """What we took in since `from`, for the last 30 days, in order and under the same ids.

        What waits to be sent anyway is not doubled.
        """
        span = (body.from_at, body.until)
        found = await endpoints.start_replay(pool, asked.ask, endpoint, span, body.types)
        return replay_out(found)

    @router.get("/v1/endpoints/{endpoint}/replay/{replay}", summary="How far a replay has come")
    async def view(endpoint: UUID, replay: UUID, asked: Reading) -> ReplayOut:
        return replay_out(await endpoints.view_replay(pool, asked.ask, endpoint, replay))


def _chat(router: APIRouter, pool: Pool, reach: Reach) -> None:
    @router.get("/v1/me/chat", summary="Whether I am written to in a chat, and at which host")
    async def view(asked: Reading) -> ChatOut:
        return chat_out(await chat.view(pool, asked.ask))

    @router.put("/v1/me/chat", summary="Write to me there")
    async def choose(asked: Asked, body: ChatIn) -> ChatOut:
        """A webhook of Slack, of Teams (Workflows), or one that takes `{"text": ...}`."""
        return chat_out(await chat.choose(pool, asked.ask, reach, body.url))

    @router.delete("/v1/me/chat", status_code=204, summary="Write to me in no chat")
    async def stop(asked: Asked) -> None:
        await chat.stop(pool, asked.ask)
