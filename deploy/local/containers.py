"""The broker and the database in containers, for those who ask for it. Needs a Docker engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from deploy.local.errors import StackError

# The client library starts this image by its own scripts, so it is that image or one like it.
KAFKA_IMAGE = "confluentinc/cp-kafka:7.6.0"
POSTGRES_IMAGE = "pgvector/pgvector:pg18"
ADVICE = (
    "Start Docker (or set DOCKER_HOST), or leave out --containers: the embedded broker and "
    "database need no Docker."
)


def docker_answers() -> str | None:
    """Return None when a Docker engine answers, else why it does not."""
    try:
        from docker import from_env  # type: ignore[import-untyped]

        from_env(timeout=5).ping()
    except Exception as error:  # the client throws its own, requests' and urllib3's errors
        return str(error).strip().splitlines()[0][:200]
    return None


def require_docker() -> None:
    """Raise StackError, with what to do next, when no Docker engine answers."""
    problem = docker_answers()
    if problem:
        raise StackError(
            f"containers were asked for, but no Docker engine answers: {problem}. {ADVICE}"
        )


class _ContainerPart:
    """A part of the stack that testcontainers runs; its own reaper ends it if we are killed."""

    failure: StackError | None = None

    def __init__(self, create: Callable[[], Any]) -> None:
        """Look for an engine; `create` makes the container, not started."""
        require_docker()
        self._create = create
        self._container: Any = None

    def launch(self) -> None:
        """Start the container and wait until its service is ready."""
        self._container = self._create()
        try:
            self._container.start()
        except Exception as error:
            raise StackError(f"the container did not start: {error}") from error

    def wait_ready(self) -> None:
        """Do nothing: `launch` waited."""

    def release(self) -> None:
        """Do nothing: stopping a container is one call."""

    def close(self) -> None:
        """Stop and remove the container."""
        if self._container is not None:
            self._container.stop()
            self._container = None


class KafkaContainerPart(_ContainerPart):
    """Apache Kafka in a container, without automatic topics."""

    def __init__(self) -> None:
        """Look for an engine."""
        super().__init__(_kafka)

    @property
    def bootstrap(self) -> str:
        """The bootstrap server."""
        return str(self._container.get_bootstrap_server())


class PostgresContainerPart(_ContainerPart):
    """PostgreSQL with pgvector in a container."""

    def __init__(self) -> None:
        """Look for an engine."""
        super().__init__(_postgres)

    def dsn(self) -> str:
        """Return the superuser's DSN."""
        return str(self._container.get_connection_url(driver=None))


def _kafka() -> Any:
    from testcontainers.community.kafka import KafkaContainer

    image = os.environ.get("TRUSTFOLD_KAFKA_IMAGE", KAFKA_IMAGE)
    container = KafkaContainer(image).with_kraft()
    return container.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")


def _postgres() -> Any:
    from testcontainers.community.postgres import PostgresContainer

    image = os.environ.get("TRUSTFOLD_POSTGRES_IMAGE", POSTGRES_IMAGE)
    container = PostgresContainer(image, username="postgres", dbname="postgres")
    return container.with_command("postgres -c wal_level=logical -c max_connections=200")
