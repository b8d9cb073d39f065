"""The composition root of notifications: the only place where its parts are built."""

from __future__ import annotations

from datetime import timedelta
from email.headerregistry import Address

from pydantic import SecretStr

from services.notifications.api import (
    build_api,
    endpoints,
    preferences,
    reading,
    unsubscribing,
)
from services.notifications.channels.chat import ChatChannel
from services.notifications.channels.email import EmailChannel, Envelope, Server
from services.notifications.channels.guarded_http import GuardedHttp, HttpLimits
from services.notifications.channels.inbox import InboxChannel
from services.notifications.composing import Composer
from services.notifications.delivering import Deliverer, DeliveryLimits
from services.notifications.domain.attempt import RetryPolicy
from services.notifications.domain.web_address import Reach
from services.notifications.links import Links
from services.notifications.live import Live
from services.notifications.rendering import Templates
from services.notifications.sending import Limits, Sender, Ways
from services.notifications.settings import NotificationsSettings
from services.notifications.settling import Settler
from services.notifications.subscribers import HANDLERS
from shared.clock import Clock
from shared.events.topics import NOTIFICATIONS_GROUP
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.service import Loop, Service

TIDY_EVERY_S = 1.0
TIDY_DELIVERIES_EVERY_S = 60.0


def build(settings: NotificationsSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired and not yet running."""
    templates = Templates()
    links = _links(settings)
    live = Live(pool, templates)
    ways = Ways(
        pool,
        clock,
        Composer(templates, links),
        Settler(pool, clock),
        _limits(settings),
        _policy(settings),
    )
    mail, inbox = Sender(ways, _email(settings)), Sender(ways, InboxChannel())
    reach = _reach(settings)
    # A client each: slow endpoints take no connection away from people.
    chat = Sender(ways, ChatChannel(_http(settings, reach), reach))
    deliverer = Deliverer(pool, clock, _http(settings, reach), reach, _shares(settings))
    routers = (
        reading.build_router(pool, clock, templates, live),
        preferences.build_router(pool),
        endpoints.build_router(pool, reach),
        unsubscribing.build_router(pool, clock, links),
    )
    return Service(
        name="notifications",
        group=NOTIFICATIONS_GROUP,
        apply=per_fact(HANDLERS),
        api=build_api(clock, routers),
        loops=(
            Loop("send", settings.send_every_s, mail.step),
            Loop("digest", settings.send_every_s, mail.step_digests),
            Loop("inbox", settings.send_every_s, inbox.step),
            Loop("chat", settings.send_every_s, chat.step),
            Loop("deliver", settings.send_every_s, deliverer.step),
            Loop("replay", settings.send_every_s, deliverer.step_replays),
            Loop("tidy", TIDY_EVERY_S, mail.tidy),
            Loop("tidy_deliveries", TIDY_DELIVERIES_EVERY_S, deliverer.tidy),
        ),
        serve=live.run,
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
    bounces = Address(addr_spec=settings.bounce_address) if settings.bounce_address else None
    sender = Address(settings.sender_name, addr_spec=settings.sender)
    return EmailChannel(server, Envelope(sender, bounces))


def _links(settings: NotificationsSettings) -> Links | None:
    if settings.public_url is None:
        return None
    return Links(settings.public_url, [each.get_secret_value() for each in settings.link_keys])


def _opened(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
