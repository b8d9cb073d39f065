"""Who may do what on the broker: for each principal the least that its part needs. Applies nothing.

Derived from `shared.events.topics`; printed as arguments of Apache's `kafka-acls.sh`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from shared.events.topics import GROUPS, Topic, every_topic

Resource = Literal["topic", "group"]
Operation = Literal["Read", "Write", "Describe"]
GROUP_NAMES = frozenset(group.name for group in GROUPS)


class Acl(NamedTuple):
    """One permission. A `prefixed` name stands for all that begin with it."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False

    def arguments(self) -> str:
        """What `kafka-acls.sh --bootstrap-server ...` is given."""
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return (
            f"--add --allow-principal User:{self.principal} --operation {self.operation}"
            f" --{self.resource} {self.name}{pattern}"
        )


def acls(namespace: str = "") -> tuple[Acl, ...]:
    """Every permission the network and its neighbours need; nobody is allowed anything else.

    An idempotent producer needs no more than Write (KIP-679). A reader from outside has groups of
    its own, which begin with its name.
    """
    found = dict[Acl, None]()
    for topic in every_topic():
        for each in _of_topic(topic, namespace):
            found[each] = None
    return tuple(sorted(found))


def _of_topic(topic: Topic, namespace: str) -> Sequence[Acl]:
    name = namespace + topic.name
    found = list[Acl]()
    for who in topic.producers:
        found += [Acl(who, "Write", "topic", name), Acl(who, "Describe", "topic", name)]
    for who in topic.readers:
        group = namespace + who if who in GROUP_NAMES else f"{namespace}{who}-"
        found += [
            Acl(who, "Read", "topic", name),
            Acl(who, "Describe", "topic", name),
            # A service that is rebuilt beside itself has its name and a suffix.
            Acl(who, "Read", "group", group, prefixed=True),
        ]
    return found
