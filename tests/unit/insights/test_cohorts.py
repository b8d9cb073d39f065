"""Who forms a cohort, how long it lives, and what is made of cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.insights.domain import epochs
from services.insights.domain.cohorts import Member, Waiting, alive, cells, form, unit_of
from shared.ids import PairId, PersonId

EPOCH = epochs.epoch_named("2026-03")


def waiting(
    count: int, unit: str | None, *, since: int = EPOCH, first: int = 0, mentors: int = 1_000
) -> list[Waiting]:
    """So many pairs of a unit, each with a mentee of its own and one of so many mentors."""
    return [
        Waiting(
            PairId(UUID(int=number + 1)),
            PersonId(f"mentor-{number % mentors}"),
            PersonId(f"mentee-{number}"),
            unit,
            since,
        )
        for number in range(first, first + count)
    ]


def members(active: int, ended: int) -> list[Member | None]:
    return [
        Member(PersonId(f"mentor-{n}"), PersonId(f"mentee-{n}"), n < active)
        for n in range(active + ended)
    ]


@pytest.mark.parametrize(
    ("pairs", "formed"),
    [
        pytest.param(waiting(5, "sales"), [("sales", 5)], id="five of a unit"),
        pytest.param(waiting(4, "sales"), [], id="four wait"),
        pytest.param(waiting(30, "sales"), [("sales", 30)], id="all there are"),
        pytest.param(waiting(20, "sales", mentors=4), [], id="four mentors, however many pairs"),
        pytest.param(
            waiting(6, "sales", mentors=1) + waiting(4, "sales", first=6), [],
            id="one mentor in more than half",
        ),
        pytest.param(
            waiting(5, "sales") + waiting(4, "ops", first=5), [("sales", 5)],
            id="each unit for itself",
        ),
        pytest.param(waiting(5, None), [(None, 5)], id="five of no unit are the programme's"),
        pytest.param(
            waiting(3, "sales", since=EPOCH - 1) + waiting(2, "ops", since=EPOCH - 1, first=3),
            [(None, 5)],
            id="small units share a cohort after two epochs",
        ),
        pytest.param(
            waiting(3, "sales", since=EPOCH - 1) + waiting(2, "ops", first=3), [],
            id="not with one that has just begun to wait",
        ),
        pytest.param(
            waiting(3, "sales", since=EPOCH - 1) + waiting(2, None, first=3),
            [(None, 5)],
            id="but with those of no unit",
        ),
        pytest.param([], [], id="nobody"),
    ],
)  # fmt: skip
def test_cohorts_form(pairs: list[Waiting], formed: list[tuple[str | None, int]]) -> None:
    found = form(pairs, EPOCH)
    assert [(each.unit, len(each.pairs)) for each in found] == formed
    assert form(pairs[::-1], EPOCH) == found


@pytest.mark.parametrize(
    ("pairs", "lives"),
    [
        pytest.param(members(5, 0), True, id="as it was formed"),
        pytest.param(members(5, 5), True, id="half of it ended, and five go on"),
        pytest.param(members(4, 1), False, id="four go on: the next step would be about them"),
        pytest.param(members(9, 10), False, id="more than half of it ended"),
        pytest.param([*members(9, 0), None], False, id="a pair was erased"),
    ],
)
def test_a_cohort_lives(pairs: Sequence[Member | None], lives: bool) -> None:
    assert alive(pairs) is lives


def test_the_programme_is_all_its_cohorts_and_a_unit_is_its_own() -> None:
    found = cells({1: "sales", 2: None, 3: "ops", 4: "sales"})
    assert found == {None: [1, 2, 3, 4], "sales": [1, 4], "ops": [3]}
    assert cells({}) == {}


@pytest.mark.parametrize(
    ("name", "unit"),
    [(None, None), ("", None), ("  ", None), ("sales", "sales"), (" sales ", "sales")],
)
def test_a_blank_unit_is_none(name: str | None, unit: str | None) -> None:
    assert unit_of(name) == unit


def test_an_epoch_is_a_month_in_utc() -> None:
    assert epochs.start_of(EPOCH) == datetime(2026, 3, 1, tzinfo=UTC)
    assert epochs.name_of(EPOCH) == "2026-03"
    assert epochs.name_of(epochs.epoch_named("2026-12") + 1) == "2027-01"
    late = datetime.fromisoformat("2026-04-01T01:30:00+02:00")
    assert epochs.epoch_of(late) == EPOCH


def test_an_epoch_is_measured_when_it_is_over_and_has_settled() -> None:
    over = epochs.start_of(EPOCH + 1)
    assert epochs.newest_complete(over) == EPOCH - 1
    assert epochs.newest_complete(over + epochs.SETTLES_AFTER) == EPOCH
    assert epochs.newest_complete(over + timedelta(days=30, hours=2)) == EPOCH + 1
