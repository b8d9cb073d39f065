"""The settings every service has, a frozen class each. Nothing else reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Suffix = Annotated[str, StringConstraints(pattern=r"^(\.[a-z0-9-]+)?$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^([a-z0-9-]+\.)?$")]


class ServiceSettings(BaseSettings):
    """Read from the environment with the service's prefix; all problems are reported at once.

    `namespace` ("staging.") is put before every topic and group, for clusters that are shared.
    `group_suffix` (".rebuild") makes a second reader of the same topics, for a projection that is
    built in another database beside the live one.
    `clock_file` replaces the machine's clock by a virtual one (demo and tests).
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    postgres: SecretStr = Field(description="DSN of the service's own role and database")
    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    namespace: Namespace = ""
    group_suffix: Suffix = ""
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    clock_file: Path | None = None
    pool_size: Annotated[int, Field(ge=2, le=100)] = 8
    max_batch: Annotated[int, Field(ge=1, le=20_000)] = 5_000
    dead_letter_cap: Annotated[int, Field(ge=1)] = 1_000
    handler_attempts: Annotated[int, Field(ge=1, le=20)] = 4
    stall_timeout_s: Annotated[float, Field(gt=0)] = 120.0
