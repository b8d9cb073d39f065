"""The readiness probe: reading a broker's answer. Opens no socket but a closed port's."""

from __future__ import annotations

import struct

from deploy.local import kafka_probe
from deploy.local.places import free_ports


def text(value: str | None) -> bytes:
    if value is None:
        return struct.pack(">h", -1)
    return struct.pack(">h", len(value)) + value.encode()


def answer(brokers: list[tuple[int, str | None]], controller_id: int) -> bytes:
    body = struct.pack(">iii", 1, 0, len(brokers))
    for broker_id, rack in brokers:
        body += struct.pack(">i", broker_id) + text("127.0.0.1") + struct.pack(">i", 9) + text(rack)
    return body + text("cluster") + struct.pack(">ii", controller_id, 0)


def test_brokers_and_controller_are_read() -> None:
    view = kafka_probe.parse(answer([(3, None), (1, "rack-a")], 3))
    assert view == kafka_probe.ClusterView((1, 3), 3)


def test_a_cluster_without_controller_is_seen_as_such() -> None:
    assert kafka_probe.parse(answer([], -1)) == kafka_probe.ClusterView((), -1)


def test_nobody_listening_is_not_an_error() -> None:
    assert kafka_probe.ask("127.0.0.1", free_ports(1)[0]) is None
