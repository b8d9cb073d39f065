"""The composition root of notifications: the only place where its parts are built."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from services.notifications import gauges
from services.notifications.api import (
    build_api,
    endpoints,
    health,
    mail,
    preferences,
    reading,
    words,
)
from services.notifications.channels.chat import ChatChannel
from services.notifications.channels.email import EmailChannel, Keeping, Server
from services.notifications.channels.guarded_http import GuardedHttp, HttpLimits
from services.notifications.channels.inbox import InboxChannel
from services.notifications.composing import Composer
from services.notifications.delivering import Deliverer, DeliveryLimits
from services.notifications.domain.attempt import RetryPolicy
from services.notifications.domain.web_address import Reach
from services.notifications.handlers.preferences import stop
from services.notifications.links import Links
from services.notifications.live import Live
from services.notifications.rendering import Templates
from services.notifications.sending import Limits, Sender, Ways
from services.notifications.settings import NotificationsSettings
from services.notifications.settling import Settler
from services.notifications.subscribers import HANDLERS
from shared.audit.api import audit_router
from shared.clock import Clock
from shared.events.topics import NOTIFICATIONS_GROUP
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.service import Loop, Service

TIDY_EVERY_S = 1.0
TIDY_DELIVERIES_EVERY_S = 60.0
# What is being sent to endpoints at the end has so long to be answered; the rest is sent again.
DRAIN_S = 5.0


def build(settings: NotificationsSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired and not yet running."""
    templates, links, reach = Templates(), _links(settings), _reach(settings)
    live, email, every = Live(pool, templates), _email(settings), settings.send_every_s
    routers = (
        reading.build_router(pool, clock, templates, live),
        health.build_router(pool, clock),
        preferences.build_router(pool),
        endpoints.build_router(pool, reach),
        mail.build_router(pool, clock, links, stop),
        words.build_router(pool, templates),
        audit_router(pool, "/v1"),
    )
    ways = Ways(
        pool,
        clock,
        Composer(templates, link=links.link if links else None),
        Settler(pool, clock),
        _limits(settings),
        _policy(settings),
    )
    # A client each: slow endpoints take no connection away from people.
    to_chats, to_endpoints = _http(settings, reach), _http(settings, reach)
    chat = ChatChannel(to_chats, reach)
    deliverer = Deliverer(pool, clock, to_endpoints, reach, _shares(settings))
    return Service(
        name="notifications",
        group=NOTIFICATIONS_GROUP,
        apply=per_fact(HANDLERS),
        measure=gauges.measure,
        api=build_api(clock, routers),
        loops=(
            *_sending(Sender(ways, email), Sender(ways, chat), Sender(ways, InboxChannel()), every),
            *_delivering(deliverer, every),
        ),
        serve=live.run,
        close=partial(_close, email, deliverer, (to_chats, to_endpoints)),
    )


def _sending(post: Sender, chat: Sender, inbox: Sender, every_s: float) -> tuple[Loop, ...]:
    return (
        Loop("send", every_s, post.step),
        Loop("digest", every_s, post.step_digests),
        Loop("inbox", every_s, inbox.step),
        Loop("chat", every_s, chat.step),
        Loop("tidy", TIDY_EVERY_S, post.tidy),
    )


def _delivering(deliverer: Deliverer, every_s: float) -> tuple[Loop, ...]:
    return (
        Loop("deliver", every_s, deliverer.step),
        Loop("replay", every_s, deliverer.step_replays),
        Loop("tidy_deliveries", TIDY_DELIVERIES_EVERY_S, deliverer.tidy),
    )


def _limits(settings: NotificationsSettings) -> Limits:
    return Limits(
        batch=settings.send_batch,
        lease=settings.lease,
        attempt=timedelta(seconds=settings.send_timeout_s),
        at_once=settings.smtp_connections,
    )


def _reach(settings: NotificationsSettings) -> Reach:
    return Reach(settings.hook_http, settings.hook_any_port, tuple(settings.hook_networks))


def _http(settings: NotificationsSettings, reach: Reach) -> GuardedHttp:
    return GuardedHttp(reach, HttpLimits(settings.hook_timeout_s, settings.hook_connections))


def _shares(settings: NotificationsSettings) -> DeliveryLimits:
    return DeliveryLimits(settings.hook_connections, settings.hook_share, settings.lease)


def _policy(settings: NotificationsSettings) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=settings.max_attempts,
        first_wait=timedelta(seconds=settings.retry_first_s),
        longest_wait=timedelta(seconds=settings.retry_longest_s),
        unreachable_wait=timedelta(seconds=settings.unreachable_wait_s),
    )


def _email(settings: NotificationsSettings) -> EmailChannel:
    server = Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        starttls=settings.smtp_starttls,
        username=_opened(settings.smtp_username),
        password=_opened(settings.smtp_password),
        timeout_s=settings.send_timeout_s,
    )
    return EmailChannel(
        server,
        settings.sender,
        settings.sender_name,
        keeping=Keeping(settings.smtp_connections, idle_s=settings.smtp_keep_s),
        bounces=settings.bounce_address,
        unsubscribe=settings.unsubscribe_address,
    )


def _links(settings: NotificationsSettings) -> Links | None:
    return Links(settings.public_url, settings.link_keys) if settings.public_url else None


async def _close(email: EmailChannel, deliverer: Deliverer, https: Sequence[GuardedHttp]) -> None:
    await deliverer.drain(DRAIN_S)
    await deliverer.aclose()
    await email.aclose()
    for http in https:
        await http.aclose()


def _opened(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
