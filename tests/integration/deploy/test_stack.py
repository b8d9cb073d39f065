"""The embedded stack on this machine: real broker, real database, nothing left behind."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.errors import StackError
from deploy.local.kafka import KafkaCluster
from deploy.local.postgres import PostgresServer
from deploy.local.stack import Stack, StackOptions

ROOT = Path(__file__).resolve().parents[3]
HOLDER = Path(__file__).with_name("hold_stack.py")
GONE_TIMEOUT_S = 15
DEATH_TIMEOUT_S = 10
START_TIMEOUT_S = 120

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of this module's own, beside whichever other one runs."""
    with Stack.start(environ={}) as running:
        yield running


def parts(stack: Stack) -> tuple[KafkaCluster, PostgresServer]:
    assert stack.kafka is not None
    assert stack.postgres is not None
    return stack.kafka, stack.postgres


async def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def consume_one(bootstrap: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        value: bytes = (await consumer.getone()).value
        return value
    finally:
        await consumer.stop()


async def create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def query(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.full
async def test_what_is_produced_can_be_consumed_even_after_a_power_cut(stack: Stack) -> None:
    kafka, _ = parts(stack)
    await create_topic(stack.kafka_bootstrap, "power-cut")
    await produce(stack.kafka_bootstrap, "power-cut", b"kept")
    kafka.kill(1)
    kafka.start(1)
    assert await consume_one(stack.kafka_bootstrap, "power-cut") == b"kept"
    stack.check()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "on"), ("synchronous_commit", "on"), ("wal_level", "logical")],
)
async def test_the_database_is_as_durable_as_a_real_one(
    stack: Stack, setting: str, value: str
) -> None:
    assert await query(stack.postgres_dsn, f"SHOW {setting}") == value


async def test_vectors_can_be_compared(stack: Stack) -> None:
    await query(stack.postgres_dsn, "CREATE EXTENSION IF NOT EXISTS vector")
    assert await query(stack.postgres_dsn, "SELECT '[3,4]'::vector <-> '[0,0]'::vector") == 5.0


async def test_a_committed_row_survives_a_crash(stack: Stack) -> None:
    _, postgres = parts(stack)
    await query(stack.postgres_dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    postgres.kill_immediate()
    postgres.start()
    assert await query(stack.postgres_dsn, "SELECT n FROM kept") == 7
    stack.check()


async def test_a_wrong_password_is_refused(stack: Stack) -> None:
    _, postgres = parts(stack)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await query(f"postgresql://postgres:guess@127.0.0.1:{postgres.port}/postgres", "SELECT 1")


def test_a_death_nobody_asked_for_is_noticed_with_the_log() -> None:
    deaths: queue.Queue[StackError] = queue.Queue()
    with Stack.start(StackOptions(postgres=False), environ={}) as own:
        assert own.kafka is not None
        own.on_death(deaths.put)
        own.check()
        psutil.Process(own.kafka.pid(1)).kill()
        noticed = deaths.get(timeout=DEATH_TIMEOUT_S)
        assert "kafka-1 died" in str(noticed)
        assert "Kafka Server started" in str(noticed), "the last lines of its log are shown"
        with pytest.raises(StackError, match="kafka-1 died"):
            own.check()


def test_an_external_server_replaces_the_embedded_one(stack: Stack) -> None:
    environ = {
        "TRUSTFOLD_KAFKA": stack.kafka_bootstrap,
        "TRUSTFOLD_POSTGRES": stack.postgres_dsn,
    }
    with Stack.start(environ=environ) as borrowed:
        assert (borrowed.kafka, borrowed.postgres) == (None, None)
        assert borrowed.kafka_bootstrap == stack.kafka_bootstrap
        assert borrowed.postgres_dsn == stack.postgres_dsn
    stack.check()


def test_an_external_server_that_does_not_answer_says_what_to_do() -> None:
    with pytest.raises(StackError, match="unset TRUSTFOLD_KAFKA"):
        Stack.start(environ={"TRUSTFOLD_KAFKA": "127.0.0.1:1"})


@pytest.mark.parametrize(
    ("ending", "number"),
    [
        pytest.param("wait", signal.SIGKILL, id="killed"),
        pytest.param("wait", signal.SIGTERM, id="terminated", marks=pytest.mark.full),
        pytest.param("wait", signal.SIGINT, id="interrupted with Ctrl-C"),
        pytest.param("exception", None, id="an exception", marks=pytest.mark.full),
        pytest.param("return", None, id="forgot to close", marks=pytest.mark.full),
    ],
)
def test_nothing_is_left_however_the_process_ends(
    ending: str, number: signal.Signals | None
) -> None:
    holder = subprocess.Popen(
        [sys.executable, HOLDER, ending],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout is not None
    told = json.loads(holder.stdout.readline())
    family = [process for pid in told["pids"] for process in family_of(pid, holder.pid)]
    if number:
        holder.send_signal(number)
    holder.wait(START_TIMEOUT_S)
    holder.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=GONE_TIMEOUT_S)
    assert alive == []
    assert not any(psutil.pid_exists(pid) for pid in told["pids"])
    assert not Path(told["run_dir"]).exists()


def family_of(pid: int, but_not: int) -> list[psutil.Process]:
    """A child, its keeper and its own children; what has ended meanwhile is left out."""
    try:
        child = psutil.Process(pid)
        found = [child, *child.parents()[:1], *child.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    return [process for process in found if process.pid not in (but_not, 1)]
