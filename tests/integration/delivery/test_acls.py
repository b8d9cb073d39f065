"""On a broker that lets nobody in by itself, each part may do what `trustfold acls` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import CreateAclsRequest

from deploy.local.kafka import KafkaCluster
from deploy.local.places import free_ports, new_run_dir
from shared.events.topics import FEEDBACK, PAIRS, PEOPLE, every_topic
from shared.kafka.acls import Acl, acls
from shared.kafka.admin import create_topics

pytestmark = pytest.mark.stack

PEOPLE_ALLOWED = ("hr", "matching", "insights", "stranger")
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
# As Kafka numbers them on the wire.
_RESOURCE = {"topic": 2, "group": 3}
_OPERATION = {"Read": 3, "Write": 4, "Describe": 8}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3


def settings(cluster: KafkaCluster, port: int) -> dict[str, str]:
    """A second listener, for those who sign in; the first is the operator's."""
    (node,) = cluster.nodes
    users = " ".join(f'user_{who}="{who}-secret"' for who in PEOPLE_ALLOWED)
    return {
        "listeners": f"CLIENT://127.0.0.1:{node.port},SIGNED://127.0.0.1:{port},"
        f"CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{node.port},SIGNED://127.0.0.1:{port}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,SIGNED:SASL_PLAINTEXT,"
        "CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.signed.plain.sasl.jaas.config": f"{_PLAIN} {users};",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[str, str]]:
    """The operator's address, and that of everybody else."""
    more: dict[str, str] = {}
    run_dir = new_run_dir()
    cluster = KafkaCluster(run_dir, cleans=[run_dir], more=more)
    (port,) = free_ports(1)
    more.update(settings(cluster, port))
    cluster.launch()
    try:
        cluster.wait_ready()
        yield cluster.bootstrap, f"127.0.0.1:{port}"
    finally:
        cluster.close()


@pytest.fixture
async def broker(guarded: tuple[str, str]) -> str:
    """With all topics and what `trustfold acls` says; nothing else is allowed."""
    operator, address = guarded
    await create_topics(operator, every_topic())
    admin = AIOKafkaAdminClient(bootstrap_servers=operator)
    await admin.start()
    try:
        for each in acls():
            answer = await admin._send_request(request(each))
            assert answer.creation_responses[0][0] == 0
    finally:
        await admin.close()
    return address


def request(acl: Acl) -> CreateAclsRequest:
    return CreateAclsRequest(
        resource_type=_RESOURCE[acl.resource],
        resource_name=acl.name,
        resource_pattern_type_filter=_PREFIXED if acl.prefixed else _LITERAL,
        principal=f"User:{acl.principal}",
        host="*",
        operation=_OPERATION[acl.operation],
        permission_type=_ALLOW,
    )


def signed(who: str) -> dict[str, Any]:
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": who,
        "sasl_plain_password": f"{who}-secret",
    }


async def write(broker: str, who: str, topic: str) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker, enable_idempotence=True, acks="all", **signed(who)
    )
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", b"acme/E-1")
    finally:
        await producer.stop()


async def read(broker: str, who: str, topic: str, group: str) -> bytes:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker, group_id=group, auto_offset_reset="earliest", **signed(who)
    )
    async with consumer:
        return bytes((await consumer.getone()).value or b"")


async def test_hr_writes_people_and_a_service_reads_them(broker: str) -> None:
    await write(broker, "hr", PEOPLE.name)

    assert await read(broker, "insights", PEOPLE.name, "insights") == b"{}"
    # A service that is built anew beside itself has a group of the same beginning.
    assert await read(broker, "insights", PEOPLE.name, "insights-rebuilt") == b"{}"


@pytest.mark.parametrize(
    ("who", "topic"),
    [("hr", PAIRS.name), ("insights", PEOPLE.name), ("matching", FEEDBACK.name)]
    + [("stranger", topic) for topic in (PEOPLE.name, PAIRS.name)],
)
async def test_nobody_writes_what_is_not_theirs(broker: str, who: str, topic: str) -> None:
    # Who may write nothing at all is not even given a producer's number.
    with pytest.raises((TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
        await write(broker, who, topic)


@pytest.mark.parametrize(
    ("who", "topic"), [("hr", FEEDBACK.name), ("matching", FEEDBACK.name), ("hr", PEOPLE.name)]
)
async def test_nobody_reads_what_is_not_theirs(broker: str, who: str, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await read(broker, who, topic, f"{who}-1")


async def test_nobody_reads_in_the_name_of_another(broker: str) -> None:
    with pytest.raises(GroupAuthorizationFailedError):
        await read(broker, "hr", PAIRS.name, "matching")
