"""What a node is told at start. Starts no Java."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local import kafka_config
from deploy.local.java import Java
from deploy.local.kafka import Node


def nodes(count: int, directory: Path) -> list[Node]:
    return [Node(i + 1, 20001 + i, 21001 + i, directory / str(i + 1)) for i in range(count)]


def settings(count: int, directory: Path = Path("/run")) -> dict[str, str]:
    cluster = nodes(count, directory)
    text = kafka_config.server_properties(cluster[0], cluster)
    return dict(line.split("=", 1) for line in text.splitlines())


@pytest.mark.parametrize(
    ("count", "replicas", "in_sync"),
    [
        pytest.param(1, "1", "1", id="one node replicates nothing"),
        pytest.param(3, "3", "2", id="three nodes survive the loss of one"),
    ],
)
def test_replication_fits_the_number_of_nodes(count: int, replicas: str, in_sync: str) -> None:
    found = settings(count)
    assert found["offsets.topic.replication.factor"] == replicas
    assert found["transaction.state.log.replication.factor"] == replicas
    assert found["transaction.state.log.min.isr"] == in_sync
    assert found["min.insync.replicas"] == in_sync


def test_a_topic_nobody_declared_is_not_created() -> None:
    assert settings(1)["auto.create.topics.enable"] == "false"


def test_every_node_knows_every_voter() -> None:
    voters = settings(3)["controller.quorum.voters"].split(",")
    assert voters == ["1@127.0.0.1:21001", "2@127.0.0.1:21002", "3@127.0.0.1:21003"]


def test_nothing_listens_beyond_this_machine() -> None:
    listeners = settings(3)["listeners"].split(",")
    assert all("://127.0.0.1:" in listener for listener in listeners)


def test_a_node_gets_its_own_identity_in_the_cluster(tmp_path: Path) -> None:
    cluster = nodes(2, tmp_path)
    for node in cluster:
        (node.directory / "data").mkdir(parents=True)
        kafka_config.write(node, cluster, "same-cluster")
    texts = [(node.directory / "data" / "meta.properties").read_text() for node in cluster]
    assert all("cluster.id=same-cluster\n" in text for text in texts)
    assert "node.id=2\n" in texts[1]
    assert texts[0].splitlines()[-1] != texts[1].splitlines()[-1]


@pytest.mark.parametrize("major", [17, 21, 25])
def test_the_heap_is_bounded_on_every_java(major: int) -> None:
    java = Java(Path("/java"), major, str(major))
    options = [str(part) for part in kafka_config.jvm_options(java, Path("/home"), Path("/run"))]
    assert f"-Xmx{kafka_config.HEAP_MB}m" in options
    assert kafka_config.HEAP_MB <= 512
    # An option that an older Java does not know would keep it from starting.
    assert any("sun-misc-unsafe" in option for option in options) is (major >= 24)


def test_ids_are_safe_on_a_command_line() -> None:
    ids = [kafka_config.random_id() for _ in range(500)]
    assert all(len(text) == 22 and not text.startswith("-") for text in ids)
