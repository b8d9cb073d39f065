"""Topics and consumer groups: permanent names, who writes, who reads, and how each is kept.

A name here is on other people's dashboards and ACLs: it is never renamed, only superseded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

DEAD_LETTER_SUFFIX = "dlq"
# What a tombstone or a newer record replaces is gone from the broker's disks after so long.
COMPACTED_WITHIN = timedelta(days=1)
# Tombstones must outlive the longest outage of a consumer, or an erased row stays with it.
TOMBSTONE_KEPT = timedelta(days=7)
MAX_RECORD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it is created: `retention` None keeps records for ever."""

    name: str
    summary: str
    key: str
    producers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 6
    compacted: bool = False
    retention: timedelta | None = None
    config: dict[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The topic's Kafka configuration, complete: nothing is left to a broker's default."""
        kept = -1 if self.retention is None else int(self.retention.total_seconds() * 1000)
        policy = "compact" if self.compacted else "delete"
        within_ms = str(int(COMPACTED_WITHIN.total_seconds() * 1000))
        soon = {"max.compaction.lag.ms": within_ms, "segment.ms": within_ms}
        return {
            "cleanup.policy": f"{policy},delete" if self.compacted and kept > 0 else policy,
            "retention.ms": str(kept),
            **(soon if self.compacted else {}),
            "delete.retention.ms": str(int(TOMBSTONE_KEPT.total_seconds() * 1000)),
            "max.message.bytes": str(MAX_RECORD_BYTES),
            **self.config,
        }


PEOPLE = Topic(
    "mentoring.public.people.v1",
    "People as HR knows them: the newest state of each.",
    key="tenant/person",
    # HR itself, or by a door of matching's.
    producers=("hr", "matching"),
    readers=("matching", "sessions", "notifications", "insights"),
    compacted=True,
)
PAIRS = Topic(
    "mentoring.public.pairs.v1",
    "The life of a pair: proposed, accepted, declined, expired, started, ended; introductions.",
    key="tenant/pair",
    producers=("matching",),
    readers=("sessions", "notifications", "insights", "hr"),
)
SESSIONS = Topic(
    "mentoring.public.sessions.v1",
    "What a pair agreed and did: agreements, sessions, commitments.",
    key="tenant/pair",
    producers=("sessions",),
    readers=("insights", "matching", "notifications", "hr"),
)
FEEDBACK = Topic(
    "mentoring.internal.feedback.v1",
    "Private answers. Read by insights alone.",
    key="tenant/pair",
    producers=("sessions",),
    readers=("insights",),
)
TRUST = Topic(
    "mentoring.internal.trust.v1",
    "The newest trust of each pair, conflated. For services, never for people as it stands.",
    key="tenant/pair",
    producers=("insights",),
    readers=("matching", "sessions", "notifications"),
    compacted=True,
)
NOTIFICATIONS = Topic(
    "mentoring.public.notifications.v1",
    "What was said to whom and over which channel; never the words.",
    key="tenant/pair",
    producers=("notifications",),
    readers=("hr",),
    retention=timedelta(days=400),
)

PROGRAMMES = Topic(
    "mentoring.public.insights.v1",
    "How programmes do, once an epoch: aggregates of five people and pairs at least.",
    key="tenant/programme",
    producers=("insights",),
    readers=("hr", "dashboards"),
)

ERASURES = Topic(
    "mentoring.internal.erasures.v1",
    "What each service has erased of a person: ids and counts.",
    key="tenant/person",
    producers=("matching", "sessions", "notifications", "insights"),
    readers=("matching",),
    retention=timedelta(days=400),
)

ALL = (PEOPLE, PAIRS, SESSIONS, FEEDBACK, TRUST, NOTIFICATIONS, PROGRAMMES, ERASURES)
# By the end of their name: a namespace may stand before it.
COMPACTED = tuple(topic.name for topic in ALL if topic.compacted)


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group: its permanent name and every topic it reads, in one subscription."""

    name: str
    topics: tuple[Topic, ...]


MATCHING = Group("matching", (PEOPLE, SESSIONS, TRUST, ERASURES))
SESSIONS_GROUP = Group("sessions", (PEOPLE, PAIRS, TRUST))
NOTIFICATIONS_GROUP = Group("notifications", (PEOPLE, PAIRS, SESSIONS))
INSIGHTS = Group("insights", (PEOPLE, PAIRS, SESSIONS, FEEDBACK))

GROUPS = (MATCHING, SESSIONS_GROUP, NOTIFICATIONS_GROUP, INSIGHTS)


def dead_letter_topic(topic: Topic, group: Group) -> Topic:
    """Where `group` puts the records of `topic` it could not handle: `<topic>.<group>.dlq`."""
    return Topic(
        f"{topic.name}.{group.name}.{DEAD_LETTER_SUFFIX}",
        f"Records of {topic.name} that {group.name} could not handle, untouched, with the reason.",
        key="as it came",
        producers=(group.name,),
        readers=("ops",),
        partitions=1,
        # With the record's own key: a tombstone takes the copy away, too.
        compacted=topic.compacted,
        retention=timedelta(days=30),
        # The largest record of the topic, and the headers that say why it is here.
        config={"max.message.bytes": str(2 * MAX_RECORD_BYTES)},
    )


def every_topic() -> tuple[Topic, ...]:
    """All topics of the network, dead-letter topics included: what `trustfold topics` creates."""
    dead = (dead_letter_topic(topic, group) for group in GROUPS for topic in group.topics)
    return (*ALL, *dead)
