"""The settings every service has, a frozen class each. Nothing else reads the environment.

Each may also lie in a file of its whole name in SECRETS, as clusters mount secrets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kafka.reaching import Broker, Mechanism, Reached

SECRETS = Path("/run/secrets/trustfold")

Suffix = Annotated[str, StringConstraints(pattern=r"^(\.[a-z0-9-]+)?$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", max_length=500)]
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


class DatabaseSettings(BaseSettings):
    """How a database is reached. `postgres_password` is put into an address that names none: the
    address is then no secret, and the password can lie in a file.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    postgres: Dsn = Field(description="DSN of the service's own role and database")
    postgres_password: SecretStr | None = None

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        parts = urlsplit(self.postgres.get_secret_value())
        if self.postgres_password is not None and (parts.password or not parts.username):
            raise ValueError("POSTGRES_PASSWORD needs a POSTGRES with a user and no password")
        return self

    @property
    def dsn(self) -> str:
        """The whole address. A secret."""
        dsn = self.postgres.get_secret_value()
        if self.postgres_password is None:
            return dsn
        parts = urlsplit(dsn)
        user, _, host = parts.netloc.rpartition("@")
        password = quote(self.postgres_password.get_secret_value(), safe="")
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))


class BrokerSettings(BaseSettings):
    """How a cluster is reached. With `kafka_tls` its certificate is verified, against
    `kafka_ca_file` if there is one, and `kafka_user` signs in.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    kafka_tls: bool = False
    kafka_ca_file: Path | None = None
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> Self:
        if (self.kafka_user or self.kafka_ca_file) and not self.kafka_tls:
            raise ValueError("KAFKA_USER and KAFKA_CA_FILE need KAFKA_TLS=true")
        if (self.kafka_user is None) != (self.kafka_password is None):
            raise ValueError("KAFKA_USER needs KAFKA_PASSWORD, and it a user")
        return self

    @property
    def broker(self) -> Reached:
        """Where the cluster is, and how this service gets in."""
        if not self.kafka_tls:
            return self.kafka
        password = self.kafka_password.get_secret_value() if self.kafka_password else None
        return Broker(
            self.kafka, self.kafka_ca_file, self.kafka_user, password, self.kafka_mechanism
        )


class ServiceSettings(BrokerSettings, DatabaseSettings):
    """Read from the environment with the service's prefix; all problems are reported at once.

    `namespace` ("staging.") is put before every topic and group, for clusters that are shared.
    `group_suffix` (".rebuild") makes a second reader of the same topics, for a projection that is
    built in another database beside the live one.
    `clock_file` replaces the machine's clock by a virtual one (demo and tests).
    `traces_url` is where spans are sent, over OTLP/HTTP, and `traces_share` how many of the traces
    that begin here.
    """

    namespace: Namespace = ""
    group_suffix: Suffix = ""
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    clock_file: Path | None = None
    identity_file: Path | None = Field(
        default=None, description="whose tokens are believed: docs/howto/sign-in-with-oidc.md"
    )
    traces_url: HttpUrl | None = None
    traces_share: Annotated[float, Field(ge=0, le=1)] = 0.01
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
