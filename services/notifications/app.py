"""The composition root of notifications: the only place where its parts are built."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr

from services.notifications.api import build_api
from services.notifications.channels.email import EmailChannel, Server
from services.notifications.domain.attempt import RetryPolicy
from services.notifications.rendering import Templates
from services.notifications.sending import Limits, Sender
from services.notifications.settings import NotificationsSettings
from services.notifications.subscribers import HANDLERS
from shared.clock import Clock
from shared.events.topics import NOTIFICATIONS_GROUP
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.service import Loop, Service

TIDY_EVERY_S = 1.0


def build(settings: NotificationsSettings, pool: Pool, clock: Clock) -> Service:
    """The service, wired and not yet running."""
    templates = Templates()
    sender = Sender(
        pool,
        clock,
        _email(settings),
        templates,
        limits=Limits(
            batch=settings.send_batch,
            lease=settings.lease,
            attempt=timedelta(seconds=settings.send_timeout_s),
        ),
        policy=RetryPolicy(
            max_attempts=settings.max_attempts,
            first_wait=timedelta(seconds=settings.retry_first_s),
            longest_wait=timedelta(seconds=settings.retry_longest_s),
            unreachable_wait=timedelta(seconds=settings.unreachable_wait_s),
        ),
    )
    return Service(
        name="notifications",
        group=NOTIFICATIONS_GROUP,
        apply=per_fact(HANDLERS),
        api=build_api(pool, clock, templates),
        loops=(
            Loop("send", settings.send_every_s, sender.step),
            Loop("tidy", TIDY_EVERY_S, sender.tidy),
        ),
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
    return EmailChannel(server, settings.sender, settings.sender_name)


def _opened(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
