"""Runs Apache Kafka in KRaft mode, one node or three, as child processes. Creates no topics."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka_config, kafka_probe
from deploy.local.errors import StackError
from deploy.local.jars import fetch_kafka
from deploy.local.java import Java, find_java
from deploy.local.places import build_once, free_ports, new_run_dir, remove
from deploy.local.process import Launch, OnDeath, Process

HOST = "127.0.0.1"
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
FORMAT_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Node:
    """One combined broker and controller: its id (from 1), ports and directory, and settings
    beside the usual ones.
    """

    node_id: int
    port: int
    controller_port: int
    directory: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.directory / "broker.log"


class KafkaCluster:
    """A private Kafka cluster. Nodes keep their ports and data across `stop` and `kill`."""

    def __init__(
        self,
        run_dir: Path,
        nodes: int = 1,
        on_death: OnDeath | None = None,
        cleans: Sequence[Path] = (),
        first_port: int | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Choose ports and directories; nothing runs yet. `cleans` is removed at the end; `more`
        are settings of every node.
        """
        ports = free_ports(2 * nodes, first_port)
        settings = {} if more is None else more
        self.nodes = tuple(
            Node(i + 1, ports[i], ports[nodes + i], run_dir / f"kafka-{i + 1}", settings)
            for i in range(nodes)
        )
        self.cluster_id = kafka_config.random_id()
        self._on_death = on_death
        self._cleans = tuple(cleans)
        self._running: dict[int, Process] = {}
        self._java: Java | None = None
        self._home: Path | None = None

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers, comma separated."""
        return ",".join(node.address for node in self.nodes)

    @property
    def failure(self) -> StackError | None:
        """The first death nobody asked for, if any."""
        return next((p.failure for p in self._running.values() if p.failure), None)

    def launch(self) -> None:
        """Fetch what is missing, format and start every node, wait for none."""
        self._java = find_java()
        self._home = fetch_kafka()
        template = formatted_log_dir(self._home, self._java)
        for node in self.nodes:
            node.directory.mkdir(parents=True, mode=0o700)
            shutil.copytree(template, node.directory / "data")
            kafka_config.write(node, self.nodes, self.cluster_id)
        for node in self.nodes:
            self._run(node)

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until every running node answers and sees all running nodes."""
        deadline = time.monotonic() + timeout_s
        alive = tuple(sorted(i for i, process in self._running.items() if process.alive))
        for node_id in alive:
            node = self.node(node_id)
            self._running[node_id].until(
                lambda node=node: _sees(node, alive),  # type: ignore[misc]
                deadline - time.monotonic(),
                "ready",
            )

    def node(self, node_id: int) -> Node:
        """Return the node with this id, from 1."""
        return self.nodes[node_id - 1]

    def pid(self, node_id: int) -> int:
        """Return the process id of a started node."""
        return self._running[node_id].pid

    def kill(self, node_id: int = 1) -> None:
        """End a node the way a power cut does (SIGKILL) and wait until it is gone."""
        self._end(node_id, signal.SIGKILL)

    def stop(self, node_id: int = 1) -> None:
        """Stop a node in order (SIGTERM) and wait until it is gone."""
        self._end(node_id, signal.SIGTERM)

    def start(self, node_id: int = 1, *, wait: bool = True) -> None:
        """Start a stopped or killed node on its old ports and data."""
        running = self._running.get(node_id)
        if running and running.alive:
            return
        if running:
            running.close()
        self._run(self.node(node_id))
        if wait:
            self.wait_ready()

    def restart(self) -> None:
        """Stop every node in order, start all, wait until they are ready."""
        for process in self._running.values():
            process.signal(signal.SIGTERM)  # all at once: a lone voter cannot hand over
        for node in self.nodes:
            self._end(node.node_id, signal.SIGTERM)
        for node in self.nodes:
            self.start(node.node_id, wait=False)
        self.wait_ready()

    def release(self) -> None:
        """Begin to end every node, without waiting. The data is worth nothing after this."""
        for process in self._running.values():
            process.release()

    def close(self) -> None:
        """End every node at once."""
        self.release()
        for process in self._running.values():
            process.close()

    def _end(self, node_id: int, number: signal.Signals) -> None:
        process = self._running[node_id]
        process.signal(number)
        process.wait(STOP_TIMEOUT_S)

    def _run(self, node: Node) -> None:
        assert self._java is not None
        assert self._home is not None
        command = [
            *kafka_config.jvm_options(self._java, self._home, node.directory),
            "kafka.Kafka",
            node.directory / "server.properties",
        ]
        launch = Launch(f"kafka-{node.node_id}", command, node.log, remove=self._cleans)
        self._running[node.node_id] = Process(launch, self._on_death)


def _sees(node: Node, ids: Sequence[int]) -> bool:
    view = kafka_probe.ask(HOST, node.port)
    return view is not None and view.controller_id >= 0 and set(ids) <= set(view.broker_ids)


def formatted_log_dir(home: Path, java: Java) -> Path:
    """Return a log directory formatted by Kafka's own StorageTool, made once per version.

    Copying it and writing the node's own meta.properties saves one Java start per node.
    """
    return build_once(
        home / f"formatted-{kafka_config.FORMAT}", lambda partial: _format(partial, home, java)
    )


def _format(partial: Path, home: Path, java: Java) -> None:
    scratch = new_run_dir()
    try:
        port, controller_port = free_ports(2)
        node = Node(1, port, controller_port, scratch)
        kafka_config.write(node, [node], kafka_config.random_id(), data=False)
        command = [
            *kafka_config.jvm_options(java, home, scratch),
            "kafka.tools.StorageTool", "format",
            "-t", kafka_config.random_id(),
            "-c", scratch / "server.properties",
        ]  # fmt: skip
        process = Process(Launch("kafka format", command, node.log, remove=[scratch]))
        if process.wait(FORMAT_TIMEOUT_S):
            raise StackError(f"cannot format a Kafka log directory\n{process.log_tail()}")
        shutil.copytree(scratch / "data", partial, dirs_exist_ok=True)
        process.close()
    finally:
        remove(scratch)
