"""How far partitions go, as the broker said with its last answer. Asks nobody."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import TopicPartition


class End(NamedTuple):
    """The end of a partition: the offset that comes next, `age_s` seconds ago."""

    topic: str
    partition: int
    offset: int
    age_s: float


def ends_of(consumer: Any, partitions: Iterable[TopicPartition]) -> list[End]:
    """Those of which an aiokafka consumer has heard; all must be assigned to it."""
    found, now = [], time.time()
    for tp in partitions if consumer is not None else ():
        end, said_ms = consumer.highwater(tp), consumer.last_poll_timestamp(tp)
        if end is not None and said_ms:
            found.append(End(tp.topic, tp.partition, end, max(0.0, now - said_ms / 1000)))
    return found
