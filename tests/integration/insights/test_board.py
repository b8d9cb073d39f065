"""The board of a programme: what its managers see at a glance, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.insights.managed import tell_managers
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.ids import derived_id
from tests.integration.insights.conftest import Insights
from tests.integration.insights.test_alerting import looks, midnight, neglect
from tests.unit.insights.facts import (
    ANN,
    BEN,
    PAIR,
    START,
    answered,
    ended,
    event,
    held,
    kept,
    missed,
    started,
)  # fmt: skip
from tests.unit.insights.test_evidence_rare import renegotiated

pytestmark = pytest.mark.stack


async def board(insights: Insights, what: str) -> Any:
    """What a manager reads, once everything that came is surfaced and looked at."""
    await insights.surfaces()
    await tell_managers(insights.pool, FixedClock(START + timedelta(days=30)))
    answer = await insights.get(f"/v1/programmes/spring/{what}", "boss", "manager")
    assert answer.status_code == 200, answer.text
    return answer.json()


def of_pair(number: int, *facts: PairFact) -> list[Event]:
    """The life of another pair, with another mentee."""
    pair_id, mentee = str(derived_id("pair", str(number))), f"mentee-{number}"
    told = [it.model_dump_json().replace(str(PAIR), pair_id).replace(BEN, mentee) for it in facts]
    lived = [type(it).model_validate_json(text) for it, text in zip(facts, told, strict=True)]
    return [event(fact, day) for day, fact in enumerate(lived)]


def steady(number: int) -> list[Event]:
    return of_pair(number, started(), *[held() for _ in range(20)])


async def test_pairs_that_need_help_most_come_first_and_say_why(insights: Insights) -> None:
    fresh = of_pair(2, started(), held())
    await insights.hears([*steady(1), *fresh, *neglect()])
    found = (await board(insights, "pairs"))["items"]
    assert [each["band"] for each in found] == ["strained", "too_early", "steady"]
    first = found[0]
    assert (first["pair_id"], first["about"]) == (str(PAIR), "mentor")
    assert (first["reason"], first["next_step"]) == ("commitment_missed", "agreement_signed")
    assert (found[1]["sessions"], found[2]["sessions"]) == (1, 20)


async def test_a_programme_at_a_glance_counts_pairs_by_band_and_people_by_how_far_they_came(
    insights: Insights,
) -> None:
    await insights.hears([*steady(1), *of_pair(2, started()), *neglect()])
    seen = await board(insights, "overview")
    assert seen["bands"] == {"strained": 1, "watch": 0, "too_early": 1, "steady": 1}
    assert seen["funnel"] == {"matched": 3, "met": 1, "steady": 1}
    assert (seen["running"], seen["ended"]) == (3, 0)
    assert seen["load"] == {"3": 1}  # Ann has all of them


async def test_a_pair_that_ended_leaves_the_list_and_its_mentee_stays_on_their_way(
    insights: Insights,
) -> None:
    await insights.hears([event(started()), event(held(), 1), event(ended(), 20)])
    assert (await board(insights, "pairs"))["items"] == []
    seen = await board(insights, "overview")
    assert (seen["running"], seen["ended"]) == (0, 1)
    assert seen["funnel"] == {"matched": 1, "met": 1, "steady": 0}


async def test_what_got_repaired_is_kept_and_each_day_is_counted(insights: Insights) -> None:
    await insights.hears(neglect())
    await looks(insights, 23, 24)
    assert (await board(insights, "overview"))["alerts"] == 1
    better = [event(held(), day) for day in range(24, 80)]
    better += [event(renegotiated(with_notice=True), day) for day in range(24, 80)]
    await insights.hears(better)
    await board(insights, "overview")
    await looks(insights, 399, 400)
    seen = await board(insights, "overview")
    (repaired,) = seen["recovered"]
    assert (repaired["pair_id"], repaired["about"]) == (str(PAIR), "mentor")
    assert repaired["alerted_on"] == midnight(24).date().isoformat()
    assert seen["alerts"] == 0
    (day,) = [each for each in seen["days"] if each["day"] == midnight(400).date().isoformat()]
    assert sum(day["bands"].values()) == 1


async def test_pages_give_every_pair_once(insights: Insights) -> None:
    lives = [it for number in range(7) for it in of_pair(number, started(), held())]
    await insights.hears([*lives, *neglect()])
    found: list[str] = []
    page = await board(insights, "pairs?limit=3")
    while page["next"]:
        found += [each["pair_id"] for each in page["items"]]
        page = await board(insights, f"pairs?limit=3&after={page['next']}")
    found += [each["pair_id"] for each in page["items"]]
    assert (len(found), len(set(found))) == (8, 8)


async def test_one_band_and_one_person_can_be_asked_for(insights: Insights) -> None:
    await insights.hears([*steady(1), *neglect()])
    (strained,) = (await board(insights, "pairs?band=strained"))["items"]
    assert strained["mentee_id"] == BEN
    (hers,) = (await board(insights, "pairs?person=mentee-1"))["items"]
    assert (hers["mentor_id"], hers["band"]) == (ANN, "steady")


async def test_a_private_answer_moves_nothing_on_the_board(insights: Insights) -> None:
    await insights.hears([event(started()), event(held(), 1), event(kept(), 2)])
    before = [await board(insights, what) for what in ("pairs", "overview")]
    await insights.hears([event(answered(answer=False), 3), event(answered(answer=False), 4)])
    assert [await board(insights, what) for what in ("pairs", "overview")] == before


async def test_who_goes_on_from_an_overview_is_told_what_comes_next(insights: Insights) -> None:
    await insights.hears([event(started()), event(held(), 1)])
    at = (await board(insights, "overview"))["stream"]
    await insights.hears([event(missed(), 2)])
    after = (await board(insights, "overview"))["stream"]
    assert at.rpartition(".")[0] == after.rpartition(".")[0]
    assert int(after.rpartition(".")[2]) == int(at.rpartition(".")[2]) + 1


@pytest.mark.parametrize("after", ["nonsense", "strained.", "happy.019"])
async def test_a_cursor_that_is_none_is_refused_by_its_name(insights: Insights, after: str) -> None:
    await insights.hears(neglect())
    answer = await insights.get(f"/v1/programmes/spring/pairs?after={after}", "boss", "manager")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "after"


async def test_a_programme_nobody_was_ever_in_is_not_there(insights: Insights) -> None:
    for what in ("pairs", "overview"):
        answer = await insights.get(f"/v1/programmes/autumn/{what}", "boss", "manager")
        assert answer.status_code == 404
