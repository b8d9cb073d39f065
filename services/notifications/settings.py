"""The settings of notifications, read from NOTIFICATIONS_*. Nothing else reads the environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, IPvAnyNetwork, SecretStr, StringConstraints, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Address = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+$")]
SHORTEST_KEY = 32


class NotificationsSettings(ServiceSettings):
    """Where mail is handed in and how patiently. All problems are reported at once."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", frozen=True, extra="ignore")

    smtp_host: str
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_starttls: bool = Field(default=True, description="require STARTTLS; off only on loopback")
    smtp_username: SecretStr | None = None
    smtp_password: SecretStr | None = None
    sender: Address
    sender_name: Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$")] = "Trustfold"
    send_timeout_s: Seconds = 20.0
    send_every_s: Seconds = 0.5
    send_batch: Annotated[int, Field(ge=1, le=5_000)] = 500
    smtp_connections: Annotated[int, Field(ge=1, le=100)] = 4
    smtp_keep_s: Annotated[float, Field(ge=0, le=3_600)] = Field(
        default=10.0, description="how long a connection is kept open for the next batch"
    )
    bounce_address: Address | None = Field(
        default=None, description="where mail comes back to: its user part gets +<message id>"
    )
    unsubscribe_address: Address | None = Field(
        default=None, description="takes unsubscriptions by mail, beside the link"
    )
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$")] | None = Field(
        default=None, description="what links in mails begin with; they need link_secret too"
    )
    link_secret: SecretStr | None = Field(
        default=None,
        description="signs links in mails: keys of 32 or more characters, between commas, the"
        " newest first; older ones still open what they signed",
    )
    lease_s: Seconds = 300.0
    max_attempts: Annotated[int, Field(ge=1, le=30)] = 10
    retry_first_s: Seconds = 60.0
    retry_longest_s: Seconds = 3_600.0
    unreachable_wait_s: Seconds = 15.0
    hook_http: bool = Field(default=False, description="let endpoints and chats be http://")
    hook_any_port: bool = Field(default=False, description="let them have other ports than 443")
    hook_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="private networks they may be in, a JSON list of CIDRs"
    )
    hook_timeout_s: Seconds = Field(default=15.0, description="for one request in all")
    hook_connections: Annotated[int, Field(ge=1, le=500, description="at once, to all")] = 32
    hook_share: Annotated[int, Field(ge=1, le=100, description="of them, to one endpoint")] = 4

    @property
    def lease(self) -> timedelta:
        """How long a claimed message belongs to its sender."""
        return timedelta(seconds=self.lease_s)

    @property
    def link_keys(self) -> tuple[str, ...]:
        """The keys that sign links, the newest first; none without links."""
        secret = self.link_secret.get_secret_value() if self.link_secret else ""
        return tuple(key for each in secret.split(",") if (key := each.strip()))

    @model_validator(mode="after")
    def _consistent(self) -> NotificationsSettings:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password come together")
        if self.smtp_username is not None and not self.smtp_starttls:
            raise ValueError("a password is sent only over TLS: smtp_starttls must be on")
        if self.lease_s < 3 * self.send_timeout_s:
            raise ValueError("lease_s must be at least three times send_timeout_s")
        if self.lease_s < 3 * self.hook_timeout_s:
            raise ValueError("lease_s must be at least three times hook_timeout_s")
        if (self.public_url is None) != (self.link_secret is None):
            raise ValueError("public_url and link_secret come together")
        if self.link_secret is not None and not self.link_keys:
            raise ValueError("link_secret holds no key")
        if any(len(key) < SHORTEST_KEY for key in self.link_keys):
            raise ValueError(f"a key in link_secret has fewer than {SHORTEST_KEY} characters")
        return self
