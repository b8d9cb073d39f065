"""The settings every service has, a frozen class each. Nothing else reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Suffix = Annotated[str, StringConstraints(pattern=r"^(\.[a-z0-9-]+)?$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^([a-z0-9-]+\.)?$")]


def _dsn(said: SecretStr) -> SecretStr:
    # What a driver says of an address it cannot read quotes a piece of it: often of the password.
    address = said.get_secret_value()
    try:
        parts = urlsplit(address)
        is_read = parts.scheme in ("postgresql", "postgres") and (parts.port or True)
    except ValueError:
        is_read = False
    if not is_read and "@" in address:
        raise ValueError("not a postgresql:// address; is the password percent-encoded?")
    return said


Dsn = Annotated[SecretStr, AfterValidator(_dsn)]


class ServiceSettings(BaseSettings):
    """Read from the environment with the service's prefix; all problems are reported at once.

    `namespace` ("staging.") is put before every topic and group, for clusters that are shared.
    `group_suffix` (".rebuild") makes a second reader of the same topics, for a projection that is
    built in another database beside the live one.
    `clock_file` replaces the machine's clock by a virtual one (demo and tests).
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    postgres: Dsn = Field(description="DSN of the service's own role and database")
    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    namespace: Namespace = ""
    group_suffix: Suffix = ""
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    clock_file: Path | None = None
    identity_file: Path | None = Field(
        default=None, description="whose tokens are believed: docs/howto/sign-in-with-oidc.md"
    )
    hsts_s: Annotated[int, Field(ge=0)] = 0
    requests_per_s: Annotated[float, Field(gt=0)] = 5_000.0
    pool_size: Annotated[int, Field(ge=2, le=100)] = 8
    max_batch: Annotated[int, Field(ge=1, le=20_000)] = 5_000
    dead_letter_cap: Annotated[int, Field(ge=1)] = 1_000
    handler_attempts: Annotated[int, Field(ge=1, le=20)] = 4
    stall_timeout_s: Annotated[float, Field(gt=0)] = 120.0
    requests_in_flight: Annotated[int, Field(ge=1, le=1_000)] = 16
    requests_per_tenant: Annotated[int, Field(ge=1, le=1_000)] = 8
    requests_beside_others: Annotated[int, Field(ge=1, le=1_000)] = 1
    requests_waiting: Annotated[int, Field(ge=0, le=10_000)] = 256
