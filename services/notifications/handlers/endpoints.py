"""Commands on endpoints: who is told, with which secret, and what is sent once more. No SQL."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson

from services.notifications.domain.web_address import Reach, read_url
from services.notifications.domain.webhook import (
    KEPT_FOR,
    PING,
    SECRET_BYTES,
    Endpoint,
    check_types,
    new_secret,
)
from services.notifications.handlers.fan_out import SOURCE
from services.notifications.queries import deliveries, delivery_log, endpoints
from services.notifications.queries.deliveries import Kept
from services.notifications.queries.delivery_log import Delivery, Replay
from shared import once
from shared.asking import Ask
from shared.errors import Conflict, NotFound, Rejected
from shared.ids import new_id
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for

MAX_ENDPOINTS = 20


class TooMany(Conflict):
    """This tenant has as many endpoints as it can have."""

    slug = "too-many-endpoints"


class Disabled(Conflict):
    """This endpoint is disabled: enable it first."""

    slug = "endpoint-disabled"


@dataclass(frozen=True, slots=True)
class Opened:
    """An endpoint, and its secret in the one answer that shows it; None in that to a retry."""

    endpoint: Endpoint
    secret: str | None

    @property
    def revision(self) -> int:
        """The endpoint's."""
        return self.endpoint.revision


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be otherwise; None is as it was."""

    url: str | None = None
    types: Sequence[str] | None = None
    is_enabled: bool | None = None


async def create(pool: Pool, ask: Ask, reach: Reach, url: str, types: Sequence[str]) -> Opened:
    """Send what is of these types there from now on. Raises Rejected, TooMany and KeyReused."""
    address, checked = read_url(url, reach).text, check_types(types)
    fingerprint = once.fingerprint_of("endpoint", address, checked)
    async with acting_for(pool, ask.tenant) as conn:
        await endpoints.hold(conn, ask.tenant)
        if (made := await once.earlier(conn, ask, fingerprint)) is not None:
            return Opened(await _find(conn, ask, UUID(made)), None)
        if len(await endpoints.of_tenant(conn, ask.tenant)) >= MAX_ENDPOINTS:
            raise TooMany
        endpoint = Endpoint(
            *(ask.tenant, new_id(), address, checked, True, None, None, 1, ask.now, ask.person)
        )
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))
        await endpoints.add(conn, endpoint, secret)
        await once.remember(conn, ask, fingerprint, str(endpoint.endpoint_id))
        return Opened(endpoint, secret)


async def view_all(pool: Pool, ask: Ask) -> Sequence[Endpoint]:
    """The tenant's endpoints, the oldest first."""
    async with reading_for(pool, ask.tenant) as conn:
        return await endpoints.of_tenant(conn, ask.tenant)


async def view(pool: Pool, ask: Ask, endpoint_id: UUID) -> Endpoint:
    """An endpoint. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        return await _find(conn, ask, endpoint_id)


async def change(pool: Pool, ask: Ask, reach: Reach, endpoint_id: UUID, wanted: Change) -> Endpoint:
    """Change it. Enabling it again sends what has waited. Raises NotFound, Moved and Rejected."""
    async with acting_for(pool, ask.tenant) as conn:
        endpoint = await _lock(conn, ask, endpoint_id)
        ask.require_unmoved(endpoint)
        after = endpoint
        if wanted.url is not None:
            after = replace(after, url=read_url(wanted.url, reach).text)
        if wanted.types is not None:
            after = replace(after, types=check_types(wanted.types))
        if wanted.is_enabled is not None and wanted.is_enabled != after.is_enabled:
            reason = None if wanted.is_enabled else "asked"
            after = replace(after, is_enabled=wanted.is_enabled, reason=reason)
        if after == endpoint:
            return endpoint
        # Where it goes or whether is new: what failed before says nothing about it.
        if (after.url, after.is_enabled) != (endpoint.url, endpoint.is_enabled):
            after = replace(after, failing_since=None)
        after = replace(after, revision=endpoint.revision + 1)
        await endpoints.save(conn, after)
        return after


async def remove(pool: Pool, ask: Ask, endpoint_id: UUID) -> None:
    """Delete it, with all that waits for it and its log. Raises NotFound and Moved."""
    async with acting_for(pool, ask.tenant) as conn:
        ask.require_unmoved(await _find(conn, ask, endpoint_id))
        await endpoints.remove(conn, ask.tenant, endpoint_id)


async def rotate(pool: Pool, ask: Ask, endpoint_id: UUID) -> Opened:
    """A new secret; the one before signs beside it for a day. Raises NotFound and Moved."""
    fingerprint = once.fingerprint_of("secret", endpoint_id)
    async with acting_for(pool, ask.tenant) as conn:
        endpoint = await _lock(conn, ask, endpoint_id)
        if await once.earlier(conn, ask, fingerprint) is not None:
            return Opened(endpoint, None)
        ask.require_unmoved(endpoint)
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))
        kept = await endpoints.keys(conn, ask.tenant, endpoint_id)
        await endpoints.save_keys(conn, ask.tenant, endpoint_id, kept.rotated(secret, ask.now))
        await once.remember(conn, ask, fingerprint, str(endpoint_id))
        return Opened(replace(endpoint, revision=endpoint.revision + 1), secret)


async def ping(pool: Pool, ask: Ask, endpoint_id: UUID) -> Delivery:
    """Send a test there, in a line of its own. Raises NotFound and Disabled."""
    fingerprint = once.fingerprint_of("ping", endpoint_id)
    async with acting_for(pool, ask.tenant) as conn:
        await once.hold(conn, ask)
        endpoint = await _find(conn, ask, endpoint_id)
        made = await once.earlier(conn, ask, fingerprint)
        if made is None and not endpoint.is_enabled:
            raise Disabled
        event_id = UUID(made) if made else new_id()
        if made is None:
            kept = _ping(endpoint, event_id, ask.now)
            await deliveries.keep(conn, [kept], ask.now)
            await once.remember(conn, ask, fingerprint, str(event_id))
        found = await delivery_log.find_of_event(conn, ask.tenant, endpoint_id, event_id)
        if found is None:
            raise NotFound
        return found


async def log(
    pool: Pool, ask: Ask, endpoint_id: UUID, *, state: str | None, before: int, limit: int
) -> Sequence[Delivery]:
    """What was and is to be sent there, the newest first. Raises NotFound."""
    states = [state] if state else None
    async with reading_for(pool, ask.tenant) as conn:
        await _find(conn, ask, endpoint_id)
        return await delivery_log.page(
            conn, ask.tenant, endpoint_id, states=states, before=before, limit=limit
        )


async def retry(pool: Pool, ask: Ask, endpoint_id: UUID, delivery_id: UUID) -> Delivery:
    """Send it again, with all its attempts. Raises NotFound."""
    fingerprint = once.fingerprint_of("retry", endpoint_id, delivery_id)
    async with acting_for(pool, ask.tenant) as conn:
        # Not the endpoint's row: who settles deliveries takes the line before it.
        await once.hold(conn, ask)
        found = await delivery_log.find(conn, ask.tenant, endpoint_id, delivery_id)
        if found is None:
            raise NotFound
        if await once.earlier(conn, ask, fingerprint) is not None:
            return found
        await delivery_log.again(conn, ask.tenant, endpoint_id, found, ask.now)
        await once.remember(conn, ask, fingerprint, str(delivery_id))
        return await delivery_log.find(conn, ask.tenant, endpoint_id, delivery_id) or found


async def start_replay(
    pool: Pool,
    ask: Ask,
    endpoint_id: UUID,
    span: tuple[datetime, datetime | None],
    types: Sequence[str] | None,
) -> Replay:
    """Send again what was kept in the span, and is of its types unless others are named.

    Raises NotFound, KeyReused, and Rejected for a span of which nothing is kept.
    """
    from_at, until_at = span[0], span[1] or ask.now
    if from_at < ask.now - KEPT_FOR:
        raise Rejected(f"is over {KEPT_FOR.days} days ago: nothing is kept of it", field="from")
    if not from_at < until_at:
        raise Rejected("must be after `from`", field="until")
    checked = check_types(types) if types is not None else None
    fingerprint = once.fingerprint_of("replay", endpoint_id, span, checked)
    async with acting_for(pool, ask.tenant) as conn:
        endpoint = await _lock(conn, ask, endpoint_id)
        if (made := await once.earlier(conn, ask, fingerprint)) is not None:
            return await _find_replay(conn, ask, endpoint_id, UUID(made))
        replay = Replay(
            *(new_id(), endpoint_id, from_at, until_at, checked or endpoint.types),
            asked_at=ask.now,
            asked_by=ask.person,
        )
        await delivery_log.add_replay(conn, ask.tenant, replay)
        await once.remember(conn, ask, fingerprint, str(replay.replay_id))
        return replay


async def view_replay(pool: Pool, ask: Ask, endpoint_id: UUID, replay_id: UUID) -> Replay:
    """How far a replay has come. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        return await _find_replay(conn, ask, endpoint_id, replay_id)


def _ping(endpoint: Endpoint, event_id: UUID, now: datetime) -> Kept:
    subject = f"ping/{event_id}"
    body = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": SOURCE,
        "type": PING,
        "time": now.isoformat().replace("+00:00", "Z"),
        "subject": str(endpoint.endpoint_id),
        "tenant": endpoint.tenant,
        "datacontenttype": "application/json",
        "data": {"endpoint_id": str(endpoint.endpoint_id)},
    }
    text = orjson.dumps(body).decode()
    return Kept(endpoint.tenant, event_id, PING, subject, text, (endpoint.endpoint_id,))


async def _find(conn: Connection, ask: Ask, endpoint_id: UUID) -> Endpoint:
    endpoint = await endpoints.find(conn, ask.tenant, endpoint_id)
    if endpoint is None:
        raise NotFound
    return endpoint


async def _lock(conn: Connection, ask: Ask, endpoint_id: UUID) -> Endpoint:
    endpoint = await endpoints.lock(conn, ask.tenant, endpoint_id)
    if endpoint is None:
        raise NotFound
    return endpoint


async def _find_replay(conn: Connection, ask: Ask, endpoint_id: UUID, replay_id: UUID) -> Replay:
    replay = await delivery_log.find_replay(conn, ask.tenant, endpoint_id, replay_id)
    if replay is None:
        raise NotFound
    return replay
