"""Whose id names a person, what an erasure leaves, the order of facts when two write at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx
import pytest

from services.matching.app import build
from services.matching.scim import telling
from services.matching.settings import MatchingSettings
from shared.clock import FixedClock
from shared.events.people import PersonErased
from shared.ids import PersonId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for
from tests.conftest import MakePool
from tests.integration.matching.conftest import ACME, START, Matching
from tests.integration.matching.test_erasure import holding
from tests.integration.matching.test_scim import USER, ask, made, patch, told
from tests.integration.matching.test_scim_groups import GROUP
from tests.support.callers import signed_in
from tests.support.waiting import until

NAME = "Zacharias Quill"
# As the relay does with what it has sent.
_SENT = "WITH sent AS (DELETE FROM outbox RETURNING 1) SELECT count(*) FROM sent"
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@asynccontextmanager
async def matching_with(pool: Pool, **settings: Any) -> AsyncIterator[Matching]:
    clock = FixedClock(START)
    told_ = {"postgres": "unused", "kafka": "unused", **settings}
    service = build(MatchingSettings.model_validate(told_), pool, clock)
    transport = httpx.ASGITransport(app=signed_in(service.api))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as http:
        yield Matching(service, pool, clock, http)


@pytest.fixture
async def by_external_id(service_pool: MakePool) -> AsyncIterator[Matching]:
    pool = await service_pool("matching")
    async with matching_with(pool, scim_person_id="external_id") as matching:
        yield matching


async def test_a_persons_id_may_be_hrs_own(by_external_id: Matching) -> None:
    matching = by_external_id
    boss = await made(matching, "boss@mentoring.example", externalId="E-1")
    manager: Any = {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": boss}}
    await made(matching, externalId="E-2", **manager)

    facts = [event.fact.model_dump() for event in await matching.announced()]

    assert [(fact["person_id"], fact["manager_id"]) for fact in facts] == [
        ("E-1", None), ("E-2", "E-1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "external_id",
    [None, "", "ann.b", "Ann_Bee", "ann.bee2", "quill", "ann@mentoring.example", "E 7", "a/b"],
)
async def test_an_id_that_says_who_it_is_is_refused(
    by_external_id: Matching, external_id: str | None
) -> None:
    body = {"schemas": [USER], "userName": "ann@mentoring.example", "externalId": external_id}
    answer = await ask(by_external_id, "POST", "/Users", body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("externalId: ")
    assert await told(by_external_id) == []


async def test_an_id_that_names_somebody_cannot_change_or_be_anothers(
    by_external_id: Matching,
) -> None:
    ann = await made(by_external_id, externalId="E-1")
    change = patch({"op": "replace", "path": "externalId", "value": "E-2"})
    assert (await ask(by_external_id, "PATCH", f"/Users/{ann}", change)).status_code == 400

    body = {"schemas": [USER], "userName": "ben@mentoring.example", "externalId": "E-1"}
    taken = await ask(by_external_id, "POST", "/Users", body)
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")


def erased(person: str) -> PersonErased:
    return PersonErased(person_id=PersonId(person), erased_on=date(2026, 4, 1))


async def test_an_erasure_leaves_no_word_of_what_was_provisioned(matching: Matching) -> None:
    ann = await made(matching, displayName=NAME, name={"formatted": NAME})
    body = {
        "schemas": [GROUP], "displayName": "Everybody",
        "members": [{"value": ann, "display": NAME}],
    }  # fmt: skip
    assert (await ask(matching, "POST", "/Groups", body)).status_code == 201
    await matching.kept(_SENT)
    assert await holding(matching, NAME) == ["scim_member", "scim_user"]

    await matching.hears(erased(ann))

    assert await holding(matching, NAME) == []
    assert (await ask(matching, "GET", f"/Users/{ann}")).status_code == 404


async def test_who_was_erased_is_not_provisioned_again(by_external_id: Matching) -> None:
    await made(by_external_id, externalId="E-1")
    await by_external_id.hears(erased("E-1"))

    body = {"schemas": [USER], "userName": "ann@mentoring.example", "externalId": "E-1"}
    answer = await ask(by_external_id, "POST", "/Users", body)

    assert answer.status_code == 409
    assert [kind for kind, _ in await told(by_external_id)].count("person.joined") == 1


async def test_a_person_without_an_address_is_told_of_once_they_have_one(
    matching: Matching,
) -> None:
    ann = await made(matching, "ann")
    assert await told(matching) == []

    for operation in (
        {"op": "add", "value": {"emails": [{"value": "a@m.example"}]}},
        {"op": "remove", "path": "emails"},  # the address that was told stays
        {"op": "add", "value": {"displayName": "Ann"}},
    ):
        answer = await ask(matching, "PATCH", f"/Users/{ann}", patch(operation))
        assert answer.status_code == 204

    joined, changed = await matching.announced()
    assert (joined.fact.type, changed.fact.type) == ("person.joined", "person.changed")
    assert changed.fact.model_dump()["email"] == "a@m.example"


async def test_two_writers_of_one_person_come_one_after_the_other(matching: Matching) -> None:
    ann = await made(matching)
    names = [f"Ann {n}" for n in range(6)]

    answers = await asyncio.gather(
        *(
            ask(
                matching, "PATCH", f"/Users/{ann}",
                patch({"op": "replace", "path": "displayName", "value": name}),
            )
            for name in names
        )
    )  # fmt: skip

    assert {answer.status_code for answer in answers} == {204}
    events = await matching.announced()
    assert len(events) == 7
    assert [each.occurred_at for each in events] == sorted(each.occurred_at for each in events)
    kept = (await ask(matching, "GET", f"/Users/{ann}")).json()["displayName"]
    assert events[-1].fact.model_dump()["display_name"] == kept


async def test_who_joins_a_group_while_they_change_is_told_with_both(
    service_pool: MakePool,
) -> None:
    pool = await service_pool("matching")
    async with matching_with(pool, scim_groups={"Mentors": "mentor"}) as matching:
        ann = await made(matching)
        async with acting_for(pool, ACME) as conn:  # somebody holds her row
            await conn.execute("SELECT FROM scim_user FOR UPDATE")
            change = patch({"op": "replace", "path": "displayName", "value": "Ann B"})
            body = {"schemas": [GROUP], "displayName": "Mentors", "members": [{"value": ann}]}
            both = asyncio.gather(
                ask(matching, "PATCH", f"/Users/{ann}", change),
                ask(matching, "POST", "/Groups", body),
            )
            await until(lambda: _two_wait(pool), what="waited for her row")
        assert [answer.status_code for answer in await both] == [204, 201]

        last = (await matching.announced())[-1].fact.model_dump()

    assert last["display_name"] == "Ann B"
    assert last["participation"]["roles"] == ("mentor",)


async def _two_wait(pool: Pool) -> bool:
    return int(await pool.fetchval(_WAITING)) == 2


class Away:
    """An outbox that nothing can be put into."""

    async def append(self, *_: object) -> None:
        raise OSError("away")


async def test_a_user_whose_fact_cannot_be_kept_is_not_kept_either(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(telling, "outbox", Away())
        body = {"schemas": [USER], "userName": "ann@mentoring.example"}
        assert (await ask(matching, "POST", "/Users", body)).status_code == 503

    assert (await ask(matching, "GET", "/Users")).json()["totalResults"] == 0
    await made(matching)  # the retry
    assert [kind for kind, _ in await told(matching)] == ["person.joined"]
