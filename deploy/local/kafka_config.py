"""The text of a node's configuration files and its Java command line. Starts nothing."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.java import Java

if TYPE_CHECKING:
    from deploy.local.kafka import Node

FORMAT = 1  # raise when the formatted template must be made anew
HEAP_MB = 512
OFFSETS_PARTITIONS = 4
MOST_REPLICAS = 3

LOG4J2 = """\
status = error
appenders = out
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p [%t] %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRefs = out
rootLogger.appenderRef.out.ref = OUT
loggers = server
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def random_id() -> str:
    """Return a cluster or directory id in Kafka's form: 22 characters, no dash at the start."""
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # the command line would read it as an option
            return text


def write(node: Node, nodes: Sequence[Node], cluster_id: str, *, data: bool = True) -> None:
    """Write the node's server.properties and log4j2.properties, and name its data its own."""
    (node.directory / "server.properties").write_text(server_properties(node, nodes))
    (node.directory / "log4j2.properties").write_text(LOG4J2)
    if data:
        (node.directory / "data" / "meta.properties").write_text(
            f"version=1\nnode.id={node.node_id}\ncluster.id={cluster_id}\n"
            f"directory.id={random_id()}\n"
        )


# One machine, a few clients: quick elections, few threads, a small cleaner.
SMALL_AND_QUICK: dict[str, object] = {
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1500,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "log.cleaner.backoff.ms": 1000,
}


def server_properties(node: Node, nodes: Sequence[Node]) -> str:
    """Return server.properties of one combined broker and controller."""
    replicas = min(len(nodes), MOST_REPLICAS)
    in_sync = max(1, replicas - 1)  # one of three may be down without stopping writes
    voters = ",".join(f"{n.node_id}@127.0.0.1:{n.controller_port}" for n in nodes)
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        "controller.quorum.voters": voters,
        "listeners": f"CLIENT://127.0.0.1:{node.port},"
        f"CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": node.directory / "data",
        # A topic nobody declared is a mistake; topics are created by name, with their settings.
        "auto.create.topics.enable": "false",
        "num.partitions": 3,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": OFFSETS_PARTITIONS,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": OFFSETS_PARTITIONS,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": OFFSETS_PARTITIONS,
        "group.initial.rebalance.delay.ms": 0,
        # A test group whose members died should not hold its partitions for 45 s.
        "group.min.session.timeout.ms": 1000,
        # A killed node may come back only when its old session is over (9 s by default).
        "broker.session.timeout.ms": 3000 if len(nodes) == 1 else 6000,
        "broker.heartbeat.interval.ms": 500,
        **SMALL_AND_QUICK,
        **node.more,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def jvm_options(java: Java, home: Path, directory: Path) -> list[str | Path]:
    """Return the java command up to the main class."""
    options: list[str | Path] = [
        java.path,
        "-Xms128m",
        f"-Xmx{HEAP_MB}m",
        "-XX:+UseSerialGC",  # one small heap: starts fastest and needs no helper threads
        "-XX:-UsePerfData",  # no files of ours in the shared temporary directory
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}",
    ]
    if java.major >= 24:  # quiet about what the broker's own jars do; older ones do not ask
        options += ["--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"]
    return [*options, "-cp", f"{home / 'jars'}/*"]
