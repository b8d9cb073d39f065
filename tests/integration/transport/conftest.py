"""The whole network over TLS, each part signed in as itself, under the ACLs that we publish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import KafkaCluster
from deploy.local.network import SERVICES, Network, NetworkOptions
from deploy.local.places import free_ports, new_run_dir
from deploy.local.stack import Stack
from shared.events.topics import every_topic
from shared.kafka.acls import acls
from shared.kafka.admin import create_topics
from shared.kafka.reaching import Broker
from tests.integration.delivery.test_acls import request
from tests.support import callers
from tests.support.certificates import Certificates, certificates
from tests.support.scram import add_users
from tests.support.tls_front import TlsFront

PEOPLE = (*SERVICES, "hr", "dashboards")


@dataclass(frozen=True)
class Guarded:
    """A broker that wants TLS and a SCRAM password, but for its operator's own listener."""

    operator: str
    address: str
    made: Certificates

    def as_(self, who: str, password: str | None = None, ca: Path | None = None) -> Broker:
        """How somebody gets in."""
        said = password or f"{who}-secret"
        return Broker(self.address, ca or self.made.ca, who, said)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = certificates(tmp_path_factory.mktemp("certificates"))
    more: dict[str, str] = {}
    run_dir = new_run_dir()
    cluster = KafkaCluster(run_dir, cleans=[run_dir], more=more)
    (port,) = free_ports(1)
    more.update(_settings(cluster, port, made))
    cluster.launch()
    try:
        cluster.wait_ready()
        yield Guarded(cluster.bootstrap, f"127.0.0.1:{port}", made)
    finally:
        cluster.close()


def _settings(cluster: KafkaCluster, port: int, made: Certificates) -> dict[str, str]:
    (node,) = cluster.nodes
    clients = f"CLIENT://127.0.0.1:{node.port},SECURE://127.0.0.1:{port}"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "listeners": f"{clients},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": clients,
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(made.server),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


@pytest.fixture(scope="session")
async def broker(guarded: Guarded) -> Guarded:
    """With all topics, a user for each part, and what `trustfold acls` says."""
    await create_topics(guarded.operator, every_topic())
    await add_users(guarded.operator, {who: f"{who}-secret" for who in PEOPLE})
    admin = AIOKafkaAdminClient(bootstrap_servers=guarded.operator)
    await admin.start()
    try:
        for each in acls():
            answer = await admin._send_request(request(each))
            assert answer.creation_responses[0][0] == 0
    finally:
        await admin.close()
    return guarded


@pytest.fixture(scope="session")
def front(stack: Stack, guarded: Guarded) -> Iterator[TlsFront]:
    with TlsFront(stack.postgres_dsn, guarded.made).running() as running:
        yield running


@pytest.fixture(scope="session")
async def network(broker: Guarded) -> AsyncIterator[Network]:
    """Four services that reach the broker and their database over TLS alone."""
    with Stack.start(environ={"TRUSTFOLD_KAFKA": broker.operator}) as stack:
        behind = TlsFront(stack.postgres_dsn, broker.made)
        with behind.running():
            environ: dict[str, str] = {}
            network = Network(stack, NetworkOptions(issuer=callers.issuer, environ=environ))
            for service in SERVICES:
                prefix = service.upper()
                environ |= {
                    f"{prefix}_POSTGRES": behind.dsn(network.dsn(service), str(broker.made.ca)),
                    f"{prefix}_KAFKA": broker.address,
                    f"{prefix}_KAFKA_TLS": "true",
                    f"{prefix}_KAFKA_CA_FILE": str(broker.made.ca),
                    f"{prefix}_KAFKA_USER": service,
                    f"{prefix}_KAFKA_PASSWORD": f"{service}-secret",
                }
            with network:
                await asyncio.to_thread(network.start)
                yield network
                assert behind.passed
