"""The attacker's test: two histories that differ in one private answer look the same to people.

Body, status, every header but the date, what is published for the pair, and for a manager until a
batch of answers is closed. A service sees the difference: otherwise the test would prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.events.envelope import Event
from tests.integration.insights.conftest import TRUST, Insights
from tests.integration.insights.test_counting import story
from tests.support.seeing import seeing
from tests.unit.insights.facts import ANN, BEN, START, answered, event, held

pytestmark = pytest.mark.stack

DAY_150 = (START + timedelta(days=150)).isoformat().replace("+00:00", "Z")
SEEN_BY_PEOPLE = [
    (f"{TRUST}/{view}{query}", person, "participant")
    for view in ("self", "shared")
    for person in (ANN, BEN)
    for query in ("", f"?at={DAY_150}")
] + [
    (f"{TRUST}/history?points=12", ANN, "participant"),
    (f"{TRUST}/history?points=12", "boss", "manager"),
    (f"{TRUST}/managed", "boss", "manager"),
    (f"{TRUST}/managed?at={DAY_150}", "boss", "manager"),
]
TABLES = ("pair", "evidence", "dirty_pair", "surfaced", "leave", "outbox", "managed_pair",
          "managed_due", "stream_head", "stream_change")  # fmt: skip


async def seen_by_people(insights: Insights, events: Sequence[Event]) -> list[object]:
    """Everything that people get to see after these events, byte for byte."""
    await insights.hears(events)
    seen: list[object] = []
    for path, person, role in SEEN_BY_PEOPLE:
        answer = await insights.get(path, person, role)
        seen.append((path, answer.status_code, sorted(answer.headers.items()), answer.content))
    (fact,) = await insights.surfaces()
    seen.append(fact.partner_safe.model_dump_json())
    return seen


async def forget(insights: Insights) -> None:
    async with seeing(insights.pool) as conn:
        await conn.execute(f"TRUNCATE {', '.join(TABLES)}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param([], [event(answered(False), 150)], id="an answer, or none"),
        pytest.param([event(answered(True), 150)], [event(answered(False), 150)], id="yes, or no"),
        pytest.param(
            [event(answered(True, "at_ease", by=ANN, about=BEN), 20)],
            [event(answered(False, "at_ease", by=ANN, about=BEN), 390)],
            id="early, or late",
        ),
        pytest.param(
            [event(answered(True), 400)], [event(answered(False), 400)], id="the last thing of all"
        ),
    ],
)
async def test_histories_that_differ_in_a_private_answer_look_the_same_to_people(
    insights: Insights, one: list[Event], other: list[Event]
) -> None:
    events = story()
    before = await seen_by_people(insights, [*events, *one])
    everything = (await insights.get(TRUST, "m", "service")).content
    await forget(insights)
    after = await seen_by_people(insights, [*events, *other])
    assert before == after
    assert (await insights.get(TRUST, "m", "service")).content != everything


async def test_a_manager_sees_three_answers_of_fourteen_days_and_not_one_sooner(
    insights: Insights,
) -> None:
    """A pair that is well but for what one of them answers in private, three times."""
    events = [event(held(), 290 + day) for day in range(4)]
    noes = [event(answered(False, "honest"), 300 + day) for day in (0, 1, 2)]
    early = (START + timedelta(days=314)).isoformat().replace("+00:00", "Z")
    late = (START + timedelta(days=315)).isoformat().replace("+00:00", "Z")
    found = {}
    for name, answers in (("none", []), ("two", noes[:2]), ("three", noes)):
        await insights.hears([*events, *answers])
        found[name] = [
            await insights.trust("boss", "manager", at=instant) for instant in (early, late)
        ]
        await forget(insights)
    assert found["none"] == found["two"]
    assert found["three"][0] == found["none"][0]
    assert [found[name][1]["about_mentor"]["band"] for name in found] == [
        "steady", "steady", "watch"
    ]  # fmt: skip


async def test_when_both_have_answered_both_know_and_not_before(insights: Insights) -> None:
    about_her = answered(False)
    about_him = answered(True, by=ANN, about=BEN).model_copy(
        update={"session_id": about_her.session_id}
    )
    await insights.hears([*story(), event(about_her, 398)])
    blind = await insights.trust(ANN)
    await insights.hears([event(about_him, 399)])
    revealed = await insights.trust(ANN)
    assert revealed["about_mentor"]["score"] < blind["about_mentor"]["score"]
    assert revealed["about_mentee"]["score"] > blind["about_mentee"]["score"]
    codes = {reason["code"] for reason in revealed["about_mentor"]["why"]["down"]}
    assert "listened_no" not in codes
