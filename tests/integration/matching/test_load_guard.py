"""Late promises take places up, in any order of news, and nobody but the mentor is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.matching.handlers import load
from services.matching.queries import places
from shared.events.fact import Fact
from shared.events.sessions import (
    CommitmentAcknowledged,
    CommitmentKept,
    CommitmentMissed,
    CommitmentReleased,
    CommitmentShownFalse,
    RepairDelivered,
)
from shared.ids import PersonId, TenantId
from shared.postgres.tenancy import act_for_all, acting_for
from tests.integration.matching.care import look, ok, sides
from tests.integration.matching.conftest import ACME, START, Matching, days, mentee, mentor

pytestmark = pytest.mark.stack
ANN = PersonId("ann")


async def running(matching: Matching, capacity: int = 4) -> str:
    path = await matching.started_pair()
    await matching.hears(mentor("ann", capacity=capacity), at=START + timedelta(hours=1))
    return path


def about(path: str, promise: UUID, by: str = "ann") -> dict[str, Any]:
    return {**sides(path), "commitment_id": promise, "by": by, "due_at": START}


def put_right(path: str, promise: UUID) -> RepairDelivered:
    names = {**sides(path), "repair_id": uuid4(), "by": "ann", "repairs": promise}
    return RepairDelivered(**names, missed_due_at=START, delivered_at=START)


async def free(matching: Matching, cap: int | None = None, at: datetime | None = None) -> int:
    async with acting_for(matching.pool, ACME) as conn:
        now = at or matching.clock.now()
        return (await places.free_places(conn, ACME, [ANN], cap, now))[ANN]


async def test_each_late_promise_takes_a_place_up_until_it_is_settled(matching: Matching) -> None:
    path = await running(matching)
    one, two = uuid4(), uuid4()
    assert await free(matching) == 3

    await matching.hears(CommitmentMissed(**about(path, one)), CommitmentMissed(**about(path, two)))
    assert await free(matching) == 1
    assert [await free(matching, cap) for cap in (2, 3, 4, 9, None)] == [0, 0, 1, 1, 1]

    await matching.hears(CommitmentAcknowledged(**about(path, one)))
    assert await free(matching) == 2
    await matching.hears(put_right(path, two))
    assert await free(matching) == 3


@pytest.mark.parametrize(
    "closing",
    [
        pytest.param(lambda names: CommitmentKept(**names, kept_at=START), id="kept"),
        pytest.param(lambda names: CommitmentReleased(**names), id="released"),
        pytest.param(
            lambda names: CommitmentShownFalse(**names, confirmed_by="both"), id="shown false"
        ),
    ],
)
async def test_it_comes_back_and_a_promise_never_late_leaves_no_trace(
    matching: Matching, closing: Any
) -> None:
    path = await running(matching)
    late, other = uuid4(), uuid4()

    await matching.hears(CommitmentMissed(**about(path, late)))
    await matching.hears(closing(about(path, late)), closing(about(path, other)))

    assert await free(matching) == 3
    assert await look(matching, "TABLE late_promise") == []


async def test_the_news_may_come_twice_and_in_any_order(matching: Matching) -> None:
    path = await running(matching)

    def histories() -> list[tuple[Sequence[Fact], int]]:
        one, two = uuid4(), uuid4()
        missed, other = CommitmentMissed(**about(path, one)), CommitmentMissed(**about(path, two))
        heard = CommitmentAcknowledged(**about(path, one))
        return [((missed, missed, heard), 0), ((other, put_right(path, two), other), 0)]

    for number in range(2):
        for order in permutations(range(3)):
            history, late = histories()[number]
            for at in order:
                await matching.hears(history[at])
            assert await free(matching) == 3 - late, order
    assert {row["person_id"] for row in await look(matching, "TABLE late_promise")} == {None}


async def test_a_proposal_weighed_anew_gives_its_place_back_and_not_the_promises(
    matching: Matching,
) -> None:
    path = await running(matching, capacity=1)
    await matching.hears(CommitmentMissed(**about(path, uuid4())))

    async with acting_for(matching.pool, ACME) as conn:
        for given_back, left in ((0, 0), (1, 0), (2, 1)):
            found = await places.free_places(conn, ACME, [ANN], None, START, {ANN: given_back})
            assert found == {ANN: left}


async def test_a_mentees_miss_and_another_tenants_take_nothing(matching: Matching) -> None:
    path = await running(matching)
    await matching.hears(CommitmentMissed(**about(path, uuid4(), by="ben")))

    assert await free(matching) == 3
    assert await look(matching, "TABLE late_promise") == []


async def test_the_place_is_back_after_30_days_or_the_pairs_end_swept_or_not(
    matching: Matching,
) -> None:
    path = await running(matching)
    await matching.hears(CommitmentMissed(**about(path, uuid4())), at=START)
    late = START + days(30)

    assert [await free(matching, at=at) for at in (late - timedelta(seconds=1), late)] == [2, 3]
    await ok(matching, f"{path}/end", {"reason": "completed"})
    assert await free(matching, at=START) == 4, "neither the pair nor its promise takes a place"
    await matching.hears(CommitmentMissed(**about(path, uuid4())))
    assert await free(matching, at=START) == 4, "news of a pair that has ended"

    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        assert await load.forget(conn, START, 100) == 2
    assert await look(matching, "TABLE late_promise") == []


async def test_the_mentor_is_told_why_and_everybody_else_only_that_there_is_no_place(
    matching: Matching,
) -> None:
    path = await running(matching, capacity=3)
    await matching.hears(*(CommitmentMissed(**about(path, uuid4())) for _ in range(2)))

    own = (await matching.get("/v1/people/ann/places", "ann", "participant")).json()
    seen = (await matching.get("/v1/people/ann/places")).json()

    assert own["words"] == "Two promises are waiting: places come back when they are kept."
    assert own["taken_up"] == {"capacity": 3, "open_pairs": 1, "late_promises": 2, "free": 0}
    assert seen == {"has_place": False, "words": "No free place.", "taken_up": None}
    for who, role in (("ben", "participant"), ("eve", "participant")):
        assert (await matching.get("/v1/people/ann/places", who, role)).status_code == 404
    assert (await matching.get("/v1/people/ben/places", "ben", "participant")).status_code == 404


async def test_nobody_is_proposed_to_a_mentor_whose_promises_take_all_places(
    matching: Matching,
) -> None:
    path = await running(matching, capacity=2)
    await matching.hears(mentee("tom"))
    promise = uuid4()
    await matching.hears(CommitmentMissed(**about(path, promise)))

    assert (await matching.match())["proposed"] == []
    await matching.hears(CommitmentAcknowledged(**about(path, promise)))
    (pair,) = (await matching.match())["proposed"]
    assert pair["mentee"]["person_id"] == "tom"


async def test_another_tenant_sees_neither_the_promise_nor_the_places(matching: Matching) -> None:
    path = await running(matching)
    await matching.hears(CommitmentMissed(**about(path, uuid4())))

    globex = TenantId("globex")
    async with acting_for(matching.pool, globex) as conn:
        assert await conn.fetchval("SELECT count(*) FROM late_promise") == 0
        assert await places.free_places(conn, globex, None, None, START) == {}
        assert await places.free_places(conn, ACME, None, None, START) == {}
