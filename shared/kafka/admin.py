"""Topics as code: created with everything stated, never by a broker's defaults. Deletes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.errors import TrustfoldError
from shared.events.topics import Topic
from shared.kafka.reaching import Reached, arguments

CREATE_TIMEOUT_MS = 20_000
VISIBLE_TIMEOUT_S = 20.0
VISIBLE_POLL_S = 0.05


class TopicsFailed(TrustfoldError):
    """Some topics could not be created."""


@dataclass(frozen=True, slots=True)
class Created:
    """What `create_topics` did, by full name."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


async def create_topics(
    bootstrap: Reached, topics: Sequence[Topic], *, namespace: str = "", replicas: int = 1
) -> Created:
    """Create the topics that are missing; returns when the broker shows them all.

    Raises TopicsFailed naming each topic that the broker refused, KafkaError when it is away.
    """
    admin = AIOKafkaAdminClient(client_id="trustfold-topics", **arguments(bootstrap))
    await admin.start()
    try:
        wanted = [_new(topic, namespace, replicas) for topic in topics]
        answer = await admin.create_topics(wanted, timeout_ms=CREATE_TIMEOUT_MS)
        created, existing, refused = [], [], []
        for name, code, *_ in answer.topic_errors:
            if code == 0:
                created.append(name)
            elif code == TopicAlreadyExistsError.errno:
                existing.append(name)
            else:
                refused.append(f"{name}: {for_code(code).__name__}")
        if refused:
            raise TopicsFailed("; ".join(refused))
        await _until_visible(admin, {topic.name for topic in wanted})
        return Created(tuple(created), tuple(existing))
    finally:
        await admin.close()


def _new(topic: Topic, namespace: str, replicas: int) -> NewTopic:
    settings = topic.settings()
    if replicas >= 3:
        settings["min.insync.replicas"] = "2"
    return NewTopic(
        namespace + topic.name,
        num_partitions=topic.partitions,
        replication_factor=replicas,
        topic_configs=settings,
    )


async def _until_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    async with asyncio.timeout(VISIBLE_TIMEOUT_S):
        while not names <= set(await admin.list_topics()):  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(VISIBLE_POLL_S)
