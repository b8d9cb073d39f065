"""Over TLS, with SCRAM passwords and ACLs: everything goes on, and nobody gets in otherwise.

Certificates, passwords and the broker's authoriser are real. The embedded PostgreSQL was built
without TLS, so a front before it speaks that; what a client verifies is the same.
"""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from deploy.local.demo import drive
from deploy.local.demo.api import Api
from deploy.local.demo.noise import Record
from deploy.local.demo.population import CONTENT_TYPE, key_of, population
from deploy.local.demo.size import DemoSize
from deploy.local.network import Network
from deploy.local.stack import Stack
from services.insights.settings import InsightsSettings
from shared.events.topics import FEEDBACK, PAIRS, PEOPLE, TRUST
from shared.ids import TenantId
from shared.kafka.admin import TopicsFailed, create_topics
from shared.kafka.producer import Producer
from shared.kafka.reaching import Broker, Reached, arguments, read_back, written
from shared.postgres.pool import open_pool
from tests.integration.transport.conftest import Guarded
from tests.support.certificates import certificates
from tests.support.tls_front import TlsFront
from tests.support.waiting import until

pytestmark = pytest.mark.stack

TENANT = TenantId("acme")
SMALL = DemoSize(people=20, pairs=6, weeks=2)
LONG_S = 90.0


async def test_a_network_over_tls_carries_a_pair_from_hr_to_its_first_trust(
    network: Network, broker: Guarded
) -> None:
    people = population(SMALL, 7, TENANT)
    headers = [("content-type", CONTENT_TYPE)]
    hr = Producer(broker.as_("hr"), client_id="hr")
    await hr.send_all(
        [Record(PEOPLE.name, key_of(one, TENANT), one.line, headers) for one in people]
    )
    await hr.close()
    async with Api(network, TENANT) as api:

        async def known() -> bool:
            page = await api.get("matching", "/v1/people?limit=1")
            return bool(page["total"] == len(people))

        await until(known, timeout_s=LONG_S, what="everybody known to matching")
        couples, _ = await drive.form_pairs(api, SMALL.pairs)
        place = f"/v1/pairs/{couples[0].pair_id}/agreement"
        terms = {"cadence_days": 14, "notice_hours": 24, "channels": ["video"]}
        await api.post("sessions", place, person=couples[0].mentor_id, body=terms)
        signed = {"version": 1}
        await api.post("sessions", f"{place}/sign", person=couples[0].mentee_id, body=signed)

        async def trusted() -> bool:
            page = await api.get("insights", "/v1/trust")
            return bool(page["items"])

        await until(trusted, timeout_s=LONG_S, what="trust in insights")


async def read_one(to: Reached, topic: str, group: str) -> None:
    consumer = AIOKafkaConsumer(topic, group_id=group, **arguments(to))
    try:
        await consumer.start()
        await consumer.getmany(timeout_ms=2_000)
    finally:
        await consumer.stop()


@pytest.mark.parametrize(
    ("who", "topic"),
    [("notifications", FEEDBACK.name), ("hr", TRUST.name), ("hr", FEEDBACK.name),
     ("dashboards", PAIRS.name), ("matching", FEEDBACK.name)],
)  # fmt: skip
async def test_nobody_reads_a_topic_that_is_not_theirs(
    broker: Guarded, who: str, topic: str
) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await read_one(broker.as_(who), topic, who)


async def test_a_wrong_password_does_not_get_in(broker: Guarded) -> None:
    with pytest.raises(KafkaError):
        await read_one(broker.as_("insights", password="guessed"), PEOPLE.name, "insights")


async def test_a_broker_that_somebody_else_vouches_for_is_not_believed(
    broker: Guarded, tmp_path: Path
) -> None:
    other = certificates(tmp_path)
    with pytest.raises(KafkaError):
        await read_one(broker.as_("insights", ca=other.ca), PEOPLE.name, "insights")


async def test_without_tls_nobody_gets_in(broker: Guarded) -> None:
    with pytest.raises(KafkaError):
        await read_one(broker.address, PEOPLE.name, "insights")


async def test_who_signs_in_and_may_not_make_topics_is_told_so(broker: Guarded) -> None:
    with pytest.raises(TopicsFailed, match="TopicAuthorizationFailed"):
        await create_topics(broker.as_("insights"), [PEOPLE])


def test_a_process_of_our_own_is_told_how_to_get_in(broker: Guarded) -> None:
    for to in (broker.operator, broker.as_("insights"), Broker("b:1", user=None)):
        assert read_back(json.loads(json.dumps(written(to)))) == to


@pytest.fixture
def front(stack: Stack, guarded: Guarded) -> TlsFront:
    return TlsFront(stack.postgres_dsn, guarded.made)


async def test_a_database_is_reached_over_tls_with_its_certificate_verified(
    front: TlsFront, stack: Stack, guarded: Guarded
) -> None:
    with front.running():
        dsn = front.dsn(stack.postgres_dsn, str(guarded.made.ca))
        async with await open_pool(dsn, service="public", size=1) as pool:
            assert await pool.fetchval("SELECT 1") == 1
        assert front.passed


async def test_a_database_that_somebody_else_vouches_for_is_not_believed(
    front: TlsFront, stack: Stack, tmp_path: Path
) -> None:
    other = certificates(tmp_path)
    with front.running(), pytest.raises(ssl.SSLError):
        await asyncpg.connect(front.dsn(stack.postgres_dsn, str(other.ca)), timeout=10)


async def test_a_database_under_another_name_is_not_believed(
    front: TlsFront, stack: Stack, guarded: Guarded
) -> None:
    with front.running():
        dsn = front.dsn(stack.postgres_dsn, str(guarded.made.ca)).replace("127.0.0.1", "localhost")
        with pytest.raises(ssl.SSLError):
            await asyncpg.connect(dsn, timeout=10)


def test_a_password_without_tls_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="KAFKA_TLS"):
        _settings(kafka_user="insights", kafka_password="secret")


def test_a_user_without_a_password_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="KAFKA_PASSWORD"):
        _settings(kafka_tls=True, kafka_user="insights")


def test_a_password_is_in_no_text_of_the_settings() -> None:
    broker = _settings(kafka_tls=True, kafka_user="insights", kafka_password="secret").broker
    assert isinstance(broker, Broker)
    assert "secret" not in repr(broker)
    assert broker.password == "secret"


def _settings(**said: object) -> InsightsSettings:
    return InsightsSettings(postgres="postgresql://a@b/c", kafka="broker:9093", **said)  # type: ignore[arg-type]
