"""Fixtures that every test may use: the stack (started when first needed), databases, topics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import TypeAlias
from uuid import uuid4

import hypothesis
import pytest

from deploy.local.stack import Stack
from shared.events.topics import Topic, every_topic
from shared.kafka.admin import create_topics
from shared.postgres.pool import Pool
from tests.support.databases import Databases

# A hundred times as many examples everywhere: 100,000 histories for the laws of the fold.
hypothesis.settings.register_profile("nightly", max_examples=10_000, deadline=None)

MakePool: TypeAlias = Callable[[str], Awaitable[Pool]]
MakeTopics: TypeAlias = Callable[[Sequence[Topic]], Awaitable[str]]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real broker and database, one of each for the whole run."""
    with Stack.start() as running:
        yield running


@pytest.fixture(scope="session")
def databases(stack: Stack) -> Databases:
    return Databases(stack.postgres_dsn)


@pytest.fixture
async def service_pool(databases: Databases) -> AsyncIterator[MakePool]:
    """`await service_pool("matching")`: a pool of that service's role on a fresh database."""
    async with AsyncExitStack() as opened:

        async def make(service: str) -> Pool:
            return await opened.enter_async_context(databases.pool(service))

        yield make


@pytest.fixture
def make_topics(stack: Stack) -> MakeTopics:
    """`await make_topics(topics)`: creates them under a namespace of the test's own; returns it."""

    async def make(topics: Sequence[Topic] = every_topic()) -> str:
        namespace = f"t{uuid4().hex[:10]}."
        await create_topics(stack.kafka_bootstrap, topics, namespace=namespace)
        return namespace

    return make
