"""A person is erased from a running network: no byte of them is left; their partner's history is.

Looked for where the bytes are: in the database's own files and in the broker's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from joserfc.jwk import OKPKey

from deploy.local.demo.log import Log
from deploy.local.demo.noise import Record
from deploy.local.mailbox import HOST, Mailbox
from deploy.local.network import SERVICES, Network, NetworkOptions
from deploy.local.stack import Stack
from services.matching.receipts import BadReceipt, read_receipt
from shared.clock import FileClock
from shared.events.topics import COMPACTED_WITHIN, GROUPS, PEOPLE, dead_letter_topic
from tests.support.waiting import until

pytestmark = pytest.mark.stack

TENANT = "acme"
NAME, ADDRESS, WORDS = "Quillaja Vantongeren", "q.vantongeren@acme.example", "herons at low tide"
KEY = OKPKey.generate_key("Ed25519", {"kid": "receipts-1"})
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
LONG_S = 90.0
# So that the test sees what takes a day in earnest: what is replaced is compacted at once.
SOON = {
    "segment.ms": "200",
    "max.compaction.lag.ms": "200",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "100",
    "file.delete.delay.ms": "100",
}


class Town:
    """The running network, and what is asked of it."""

    def __init__(
        self, network: Network, clock: FileClock, log: Log, http: httpx.AsyncClient
    ) -> None:
        self.network, self.clock, self.log, self.http = network, clock, log, http

    async def ask(
        self,
        method: str,
        service: str,
        path: str,
        person: str,
        role: str = "participant",
        **how: Any,
    ) -> httpx.Response:
        headers = self.network.issuer.headers(person, role, TENANT)
        return await self.http.request(
            method, self.network.url(service) + path, headers=headers, **how
        )

    async def do(self, service: str, path: str, person: str, body: Any = None, **how: Any) -> Any:
        answer = await self.ask("POST", service, path, person, json=body, **how)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def see(self, service: str, path: str, person: str, role: str = "participant") -> Any:
        answer = await self.ask("GET", service, path, person, role)
        return answer.json() if answer.is_success else None

    async def tell(self, kind: str, person: str, **data: Any) -> None:
        """HR's event, on the topic."""
        now = self.clock.now().isoformat()
        event = {
            "specversion": "1.0",
            "id": f"{kind}-{person}-{now}",
            "source": "urn:example:hr",
            "type": kind,
            "time": now,
            "tenant": TENANT,
            "data": {"person_id": person, **data},
        }
        key, value = f"{TENANT}/{person}".encode(), json.dumps(event).encode()
        await self.log.send([Record(PEOPLE.name, key, value, STRUCTURED)])

    def bytes_on_disk(self) -> Iterator[tuple[str, bytes]]:
        """Every file of the broker's log and of the database's tables and indexes."""
        for path in sorted(self.network.stack.run_dir.rglob("*")):
            if path.is_file() and (path.suffix in (".log", ".index") or "base" in path.parts):
                yield str(path), path.read_bytes()

    def places_of(self, text: str) -> list[str]:
        """The files that hold a text, however it is written down."""
        patterns = written(text)
        return [
            where for where, held in self.bytes_on_disk() if any(each in held for each in patterns)
        ]


def as_text(key: OKPKey, *, private: bool = False) -> str:
    """A key as JSON."""
    return json.dumps(key.as_dict(private=private))


def written(text: str) -> set[bytes]:
    """A text as it may stand in a file."""
    raw = text.encode()
    return {
        raw,
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        quote(text).encode(),
        raw.hex().encode(),
        # Whatever stands before it moves the text by up to two places.
        *(base64.b64encode(b"x" * n + raw)[4:-4] for n in range(3)),
    }


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    file = tmp_path_factory.mktemp("town") / "clock"
    clock = FileClock(file)
    clock.set(datetime.now(UTC))
    with Stack.start() as stack, Mailbox() as mailbox:
        environ = {
            "MATCHING_RECEIPT_KEY": as_text(KEY, private=True),
        }
        options = NetworkOptions(clock_file=file, smtp=(HOST, mailbox.port), environ=environ)
        with Network(stack, options) as network:
            await network.prepare()
            await compact_soon(stack.kafka_bootstrap)
            for service in SERVICES:
                network.launch(service)
            for service in SERVICES:
                network.wait_ready(service)
            async with Log(stack.kafka_bootstrap) as log, httpx.AsyncClient(timeout=30) as http:
                yield Town(network, clock, log, http)


async def compact_soon(bootstrap: str) -> None:
    topics = [PEOPLE, *(dead_letter_topic(PEOPLE, group) for group in GROUPS)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for topic in topics:
            # What is left out would go back to the broker's default.
            configs = topic.settings() | SOON
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=configs)
            await admin.alter_configs([resource])
    finally:
        await admin.close()


async def live(town: Town) -> str:
    """Quill is known, has a mentor, has said what can be said; the id of the pair."""
    await town.tell("person.joined", "quill", email=ADDRESS, display_name=NAME, participation={
        "roles": ["mentee"], "goals": ["writing"]})  # fmt: skip
    await town.tell("person.joined", "mira", email="mira@acme.example", display_name="Mira",
        participation={"roles": ["mentor"], "capacity": 2, "offers": ["writing"]})  # fmt: skip
    # What no service can read is kept by all of them, with its name in it.
    await town.tell("person.changed", "quill", display_name=NAME, email="no address")

    async def known() -> object:
        both = [
            await town.see("matching", f"/v1/people/{each}", each) for each in ("quill", "mira")
        ]
        return all(both)

    await until(known, what="known", timeout_s=LONG_S)
    profile = {"about": WORDS, "goals": ["writing"], "roles": ["mentee"]}
    answer = await town.ask("PUT", "matching", "/v1/me/profile", "quill", json=profile)
    assert answer.is_success, answer.text
    made = await town.ask(
        "PUT", "matching", "/v1/programmes/spring", "boss", "manager", json={"name": "Spring"}
    )
    assert made.is_success, made.text
    asked = await town.do("matching", "/v1/programmes/spring/asks", "quill", {"mentor_id": "mira"})
    pair = f"/v1/pairs/{asked['pair_id']}"
    await town.do("matching", f"{pair}/accept", "mira")
    await town.do("matching", f"{pair}/start", "mira")

    async def started() -> object:
        return await town.see("sessions", pair, "quill")

    await until(started, what="started", timeout_s=LONG_S)
    terms = {"cadence_days": 14, "notice_hours": 24, "channels": ["video"], "goals": [WORDS]}
    await town.do("sessions", f"{pair}/agreement", "quill", terms)
    await town.do("sessions", f"{pair}/agreement/sign", "mira", {"version": 1})
    await town.do("sessions", f"{pair}/notes", "quill", {"text": WORDS})
    await town.do("sessions", f"{pair}/notes", "mira", {"text": "bring the tide tables"})
    due = (town.clock.now() + timedelta(days=3)).isoformat()
    await town.do("sessions", f"{pair}/commitments", "quill", {"due_at": due, "title": WORDS})
    return pair


async def parked(town: Town) -> object:
    """Every group has the unreadable record, in its ledger and on its dead-letter topic."""
    topics = [dead_letter_topic(PEOPLE, group).name for group in GROUPS]
    return len(await town.log.read(topics)) >= len(GROUPS)


async def test_nothing_is_left_of_them_but_what_they_did(town: Town) -> None:
    pair = await live(town)
    await until(lambda: parked(town), what="parked", timeout_s=LONG_S)

    then = town.clock.now().isoformat().replace("+", "%2B")

    async def counted() -> object:
        found = await town.see("insights", f"{pair}/trust?at={then}", "ops", "service")
        return found if found and "agreement_signed" in json.dumps(found["about_mentee"]) else None

    await until(counted, what="counted", timeout_s=LONG_S)
    trust = await counted()
    await _checkpoint(town)
    for text in (NAME, ADDRESS, WORDS):
        assert town.places_of(text), f"the search does not see {text}"

    asked = await town.do("matching", "/v1/people/quill/erasure", "rita", role="hr")
    again = await town.do("matching", "/v1/people/quill/erasure", "rita", role="hr")
    assert again["erasure_id"] == asked["erasure_id"]

    async def complete() -> object:
        found = await town.see("matching", "/v1/people/quill/erasure", "rita", "hr")
        return found if found and found["complete"] else None

    await until(complete, what="complete", timeout_s=LONG_S)
    _check_receipt(await town.see("matching", "/v1/people/quill/erasure", "rita", "hr"))

    town.clock.set(town.clock.now() + COMPACTED_WITHIN)

    async def nowhere() -> object:
        await _checkpoint(town)
        return not [place for text in (NAME, ADDRESS, WORDS) for place in town.places_of(text)]

    await until(nowhere, what="nowhere on disk", timeout_s=LONG_S)
    notes = (await town.see("sessions", f"{pair}/notes", "mira"))["notes"]
    assert [note["text"] for note in notes] == ["bring the tide tables"]
    assert (await town.see("sessions", pair, "mira"))["you_are"] == "mentor"
    assert await counted() == trust
    left = await town.see("matching", "/v1/people/quill", "boss", "manager")
    assert (left["display_name"], left["active"]) == ("quill", False)


def _check_receipt(erasure: Mapping[str, Any]) -> None:
    said = read_receipt(erasure["receipt"], as_text(KEY))
    assert (said["tenant"], said["person_id"]) == (TENANT, "quill")
    done = {each["service"]: each["tables"] for each in said["done"]}  # type: ignore[attr-defined]
    assert set(done) == set(SERVICES)
    assert done["sessions"]["note"] == 1
    assert all(tables["dead_letter"] == 1 for tables in done.values())
    with pytest.raises(BadReceipt):
        read_receipt(erasure["receipt"], as_text(OKPKey.generate_key("Ed25519")))


async def _checkpoint(town: Town) -> None:
    """Have Postgres write what is, and give up what was."""
    conn = await asyncpg.connect(town.network.stack.postgres_dsn)
    try:
        await conn.execute("VACUUM FULL")
        await conn.execute("CHECKPOINT")
    finally:
        await conn.close()
