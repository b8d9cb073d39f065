"""What a programme's pairs teach, from their trust on a real database, for those who oversee it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson
import pytest

from services.matching.handlers import lessons
from services.matching.queries import outcomes
from shared.ids import ProgrammeId
from shared.postgres.tenancy import act_for_all, acting_for
from tests.integration.matching.conftest import ACME, START, Matching, caller

pytestmark = pytest.mark.stack
SPRING = ProgrammeId("spring")
PLACE = "/v1/programmes/spring/lessons"
_PAIR = """
    INSERT INTO pair (tenant, pair_id, programme_id, mentor_id, mentee_id, fit_permille, reasons,
                      proposed_at, state)
    VALUES ($1, $2, $3, $4, $5, 500, $6, $7, $8)
"""
_TRUST = """
    INSERT INTO pair_trust (tenant, pair_id, revision, mentor_band, mentee_band)
    VALUES ($1, $2, 1, $3, $4)
"""
BOTH = ("steady", "steady")


async def programme(matching: Matching) -> None:
    headers = caller("boss", "manager", ACME)
    answer = await matching.http.put("/v1/programmes/spring", json={"name": "S"}, headers=headers)
    assert answer.status_code == 200, answer.text


def row(number: int, goals: tuple[str, ...], **changes: str) -> tuple[Any, ...]:
    """A pair of mentor number % 40, as a run would have proposed it."""
    grounds = [
        {"code": "shared_languages", "detail": ["en"], "weight": 0.2},
        {"code": "shared_goals", "detail": list(goals), "weight": 0.5},
    ]
    names = {"tenant": "acme", "programme": "spring", "state": "started"} | changes
    mentor, mentee = f"mentor-{number % 40}", f"mentee-{number}"
    reasons = orjson.dumps(grounds).decode()
    return (
        names["tenant"],
        uuid4(),
        names["programme"],
        mentor,
        mentee,
        reasons,
        START,
        names["state"],
    )


async def have(
    matching: Matching, rows: Sequence[tuple[tuple[Any, ...], tuple[str, str] | None]]
) -> None:
    """These pairs, each with the bands of its two directions, or with no trust at all."""
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await conn.executemany(_PAIR, [pair for pair, _ in rows])
        bands = [(pair[0], pair[1], *known) for pair, known in rows if known is not None]
        await conn.executemany(_TRUST, bands)


async def read(matching: Matching) -> dict[str, Any]:
    answer = await matching.get(PLACE)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_goal_that_went_with_steady_trust_is_told_in_words(matching: Matching) -> None:
    await programme(matching)
    rows = []
    for number in range(400):
        goal = ("sql", "python")[number // 40 % 2]
        is_steady = number % 10 < (9 if goal == "python" else 5)
        rows.append((row(number, (goal,)), BOTH if is_steady else ("steady", "watch")))
    await have(matching, rows)

    told = await read(matching)

    assert told["used"] is True
    assert told["brier"] < told["brier_base"]
    assert {one["goal"]: one["adds_permille"] for one in told["goals"]} == {
        "python": 100,
        "sql": -100,
    }
    assert told["words"] == (
        "About 70 % of the pairs grew steady both ways. More often so: pairs with python in common."
        " Less often so: pairs with sql in common."
    )
    assert {one["pairs"] for one in told["goals"]} == {200}
    assert not {"mentor-1", "mentee-1"} & set(orjson.dumps(told).decode().split('"'))


async def test_where_nothing_can_be_told_it_says_so_and_adds_nothing(matching: Matching) -> None:
    await programme(matching)
    assert (await read(matching))["words"].startswith("Too early to tell")

    rows = []
    for number in range(400):
        goal = ("sql", "python")[number // 40 % 2]
        rows.append((row(number, (goal,)), BOTH if number % 10 < 7 else ("strained", "steady")))
    await have(matching, rows)
    told = await read(matching)

    assert (told["used"], told["base_rate"]) == (False, 0.7)
    assert told["words"].endswith("nothing is added to any fit.")
    assert {one["adds_permille"] for one in told["goals"]} == {0}
    async with acting_for(matching.pool, ACME) as conn:
        assert (await lessons.learned(conn, ACME, SPRING)).permille == {}


async def test_only_pairs_of_the_programme_whose_trust_can_be_told_count(
    matching: Matching,
) -> None:
    await have(
        matching,
        [
            (row(1, ("sql",)), BOTH),
            (row(2, ("sql", "git"), state="ended"), ("steady", "strained")),
            (row(3, ("sql",)), ("steady", "too_early")),
            (row(4, ("sql",)), None),
            (row(5, ("sql",), programme="autumn"), BOTH),
            (row(6, ("sql",), state="declined"), BOTH),
            (row(7, ("sql",), tenant="globex"), BOTH),
        ],
    )

    async with acting_for(matching.pool, ACME) as conn:
        past = await outcomes.past(conn, ACME, SPRING)

    assert {(one.goals, one.steady) for one in past} == {(("sql",), True), (("sql", "git"), False)}
    assert all(isinstance(one.mentor, int) and isinstance(one.mentee, int) for one in past)


async def test_four_of_anything_are_not_spoken_of(matching: Matching) -> None:
    await programme(matching)
    rows = [(row(number, ("sql",)), BOTH) for number in range(20)]
    rows += [(row(number, ("rare",)), BOTH) for number in range(20, 24)]
    await have(matching, rows)

    told = await read(matching)

    assert told["goals"] == [], "nor of sql, which but four do not have"
    assert told["base_rate"] == 1.0


async def test_it_is_for_those_who_oversee_the_programme(matching: Matching) -> None:
    assert (await matching.get(PLACE)).status_code == 404
    await programme(matching)

    assert (await matching.get(PLACE, "ben", "participant")).status_code == 403
    assert (await matching.get(PLACE, tenant="globex")).status_code == 404
    assert (await matching.get(PLACE, "cron", "service")).status_code == 200
