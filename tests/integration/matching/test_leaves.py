"""Leave: who is away is proposed to nobody, whatever order HR's facts come in."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.events.fact import Fact
from shared.events.people import PersonErased, PersonLeaveEnded, PersonLeaveStarted
from tests.integration.matching.conftest import START, Matching, mentee, mentor

pytestmark = pytest.mark.stack
TODAY = START.date()
ANN: dict[str, Any] = {"person_id": "ann", "leave_id": "spring"}


def away(since: date) -> PersonLeaveStarted:
    return PersonLeaveStarted(**ANN, started_on=since)


def back(on: date, since: date = TODAY) -> PersonLeaveEnded:
    return PersonLeaveEnded(**ANN, started_on=since, back_on=on)


async def proposed(matching: Matching) -> list[str]:
    return [pair["mentor"]["person_id"] for pair in (await matching.match())["proposed"]]


@pytest.mark.parametrize(
    ("leave", "found"),
    [
        pytest.param([away(TODAY)], [], id="away from today on"),
        pytest.param([away(TODAY + timedelta(days=1))], ["ann"], id="away from tomorrow on"),
        pytest.param([away(TODAY), back(TODAY)], ["ann"], id="back today"),
        pytest.param([away(TODAY), back(TODAY + timedelta(days=1))], [], id="back tomorrow"),
    ],
)
async def test_who_is_away_is_not_proposed(
    matching: Matching, leave: list[Fact], found: list[str]
) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    for hours, fact in enumerate(leave):
        await matching.hears(fact, at=START + timedelta(hours=hours))

    assert await proposed(matching) == found


async def test_the_newest_fact_of_a_leave_counts_in_any_order(matching: Matching) -> None:
    told = [(away(TODAY), 0), (back(TODAY + timedelta(days=9)), 1), (back(TODAY), 2)]
    for number, order in enumerate(permutations(told)):
        person = f"ann{number}"
        await matching.hears(mentor(person), mentee(f"ben{number}"))
        for fact, hours in order:
            moved = fact.model_copy(update={"person_id": person})
            await matching.hears(moved, at=START + timedelta(hours=hours))

    assert len(await proposed(matching)) == 6


async def test_a_leave_told_after_an_erasure_brings_nothing_back(matching: Matching) -> None:
    await matching.hears(mentor("ann"), away(TODAY))
    await matching.hears(PersonErased.model_validate({"person_id": "ann", "erased_on": TODAY}))

    await matching.hears(away(TODAY), mentor("ann"), at=START + timedelta(days=1))

    assert await matching.kept("SELECT count(*) FROM person_leave") == 0
    assert await matching.kept("SELECT display_name FROM person WHERE person_id = 'ann'") == "ann"
    assert (await matching.get("/v1/people/ann")).json()["active"] is False
