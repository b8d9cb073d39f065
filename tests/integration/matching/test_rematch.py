"""A new match, asked for by either side: what follows, and that nobody can find out who asked."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from services.matching.queries import waiting
from shared.postgres.tenancy import acting_for
from tests.conftest import MakePool
from tests.integration.matching.care import everything, matching_on, ok, sent
from tests.integration.matching.conftest import ACME, START, Matching, days, mentee, mentor

pytestmark = pytest.mark.stack
# What chance and the hour of the day make of two worlds that are the same.
_CHANCE = re.compile(
    r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-9-]{10}[T ][0-9:.]{8,15}(?:Z|[+]00:00)?"
)


async def test_either_side_ends_the_pair_and_both_are_free_for_somebody_else(
    matching: Matching,
) -> None:
    path = await matching.started_pair()
    matching.clock.at = START + days(30)

    pair = await ok(matching, f"{path}/rematch", as_="ben")
    await matching.hears(mentor("una"), mentee("tom"))
    found = await matching.match()

    assert (pair["state"], pair["end_reason"]) == ("ended", "rematched")
    together = {(p["mentor"]["person_id"], p["mentee"]["person_id"]) for p in found["proposed"]}
    assert together == {("ann", "tom"), ("una", "ben")}, "the two are not proposed again"
    assert (await matching.announced_types()).count("pair.ended") == 1


async def test_an_accepted_pair_is_matched_anew_before_it_has_begun(matching: Matching) -> None:
    path = await matching.accepted_pair()

    assert (await ok(matching, f"{path}/rematch", as_="ann"))["end_reason"] == "rematched"
    assert (await matching.announced_types())[-1] == "pair.ended"
    assert (await matching.post(f"{path}/start", as_="ann")).status_code == 409


async def test_the_mentee_keeps_the_time_they_first_waited(matching: Matching) -> None:
    path = await matching.started_pair()
    await matching.hears(mentee("tom"), at=START + days(10))
    await matching.hears(mentee("ben", display_name="Benny"), at=START + days(20))
    assert await since(matching) == {}
    matching.clock.at = START + days(30)
    await ok(matching, f"{path}/rematch", as_="ann")

    assert await since(matching) == {"ben": START}


@pytest.mark.parametrize("first", ["abe", "zoe"])
async def test_the_mentee_stands_first_in_the_next_run_among_equals(
    matching: Matching, first: str
) -> None:
    path = await matching.started_pair()
    matching.clock.at = START + days(30)
    await ok(matching, f"{path}/rematch", as_="ann")
    # Ann may not have Ben again: there is one place for two who suit equally well.
    await matching.hears(mentor("ann", capacity=0), mentor("una"), mentee(first))

    found = await matching.match()

    (pair,) = found["proposed"]
    assert (pair["mentor"]["person_id"], pair["mentee"]["person_id"]) == ("una", "ben")
    assert [one["person_id"] for one in found["unmatched"]] == [first]


async def test_after_a_pair_that_came_to_its_own_end_they_begin_afresh(
    matching: Matching,
) -> None:
    path = await matching.started_pair()
    matching.clock.at = START + days(30)
    await ok(matching, f"{path}/end", {"reason": "completed"})

    assert await since(matching) == {}


async def since(matching: Matching) -> dict[Any, Any]:
    async with acting_for(matching.pool, ACME) as conn:
        return dict(await waiting.waiting_since(conn, ACME))


async def test_a_stranger_learns_nothing_and_a_manager_cannot_ask(matching: Matching) -> None:
    path = await matching.started_pair()

    assert (await matching.post(f"{path}/rematch", as_="eve")).status_code == 404
    assert (await matching.post(f"{path}/rematch", as_="boss", role="manager")).status_code == 403


async def test_both_may_ask_and_it_is_told_once(matching: Matching) -> None:
    path = await matching.started_pair()

    answers = [await ok(matching, f"{path}/rematch", as_=who) for who in ("ann", "ben", "ann")]

    assert {answer["end_reason"] for answer in answers} == {"rematched"}
    assert (await matching.announced_types()).count("pair.ended") == 1


async def test_whoever_asks_what_is_stored_and_published_is_the_same(
    service_pool: MakePool, capfd: pytest.CaptureFixture[str]
) -> None:
    left = []
    for who in ("ann", "ben"):
        async with matching_on(await service_pool("matching")) as matching:
            path = await matching.started_pair()
            before = set(written(await everything(matching)))
            capfd.readouterr()
            answer = await sent(matching, f"{path}/rematch", who, **{"Idempotency-Key": "k-1"})
            assert answer.status_code == 200, answer.text
            printed = capfd.readouterr()
            after = written(await everything(matching))
            assert not re.search(rf"\b{who}\b", printed.out + printed.err), "no log names them"
            left.append((after, [row for row in after if row not in before]))

    (by_mentor, new_by_mentor), (by_mentee, new_by_mentee) = left
    assert by_mentor == by_mentee
    assert new_by_mentor == new_by_mentee
    assert any("pair.ended" in row for row in new_by_mentor), "the dump sees what is new"


def written(tables: dict[str, Any]) -> list[str]:
    """Every row of every table, facts with their headers among them, without ids and times."""
    rows = [
        orjson.dumps(
            [name, {key: as_text(value) for key, value in row.items()}], default=str
        ).decode()
        for name, found in tables.items()
        for row in found
    ]
    return sorted(_CHANCE.sub("<>", row) for row in rows)


def as_text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
