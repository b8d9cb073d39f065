"""An attacker who sees every cell of every epoch never gets below five pairs, mentors and mentees.

The attacks are proven on two weaker ways to release, which both must fall to them.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings

from tests.unit.insights.histories import examples
from tests.unit.insights.worlds import (
    EPOCHS,
    Attack,
    Release,
    World,
    exposed,
    exposed_by_steps,
    half_alive,
    ours,
    suppressing,
    worlds,
)

SEARCH = settings(max_examples=2_000, deadline=None, database=None, phases=[Phase.generate])


@examples(300)
@given(worlds())
def test_no_arithmetic_on_released_cells_is_about_fewer_than_five(world: World) -> None:
    released = ours(world)
    assert not exposed(released)
    assert not exposed_by_steps(released)


@pytest.mark.parametrize(
    ("release", "attack"),
    [
        pytest.param(suppressing, exposed, id="withholding small cells falls to differences"),
        pytest.param(suppressing, exposed_by_steps, id="and to parent minus children"),
        pytest.param(half_alive, exposed_by_steps, id="half a cohort falls to its next step"),
    ],
)
def test_the_attack_works_on_what_is_weaker(release: Release, attack: Attack) -> None:
    world = find(worlds(), lambda each: bool(attack(release(each))), settings=SEARCH)
    assert attack(release(world))
    assert not attack(ours(world))


def test_something_is_released_at_all() -> None:
    """A rule that withholds everything would be safe, too."""

    def rich(world: World) -> bool:
        released = ours(world)
        units = {unit for _, unit, _ in released}
        epochs = {epoch for *_, epoch in released}
        return len(units) >= 3 and len(epochs) == EPOCHS

    assert find(worlds(), rich, settings=SEARCH)


@examples(100)
@given(worlds())
def test_a_cell_changes_by_whole_cohorts_or_not_at_all(world: World) -> None:
    released = ours(world)
    for (programme, unit, epoch), now in released.items():
        before = released.get((programme, unit, epoch - 1), now)
        for changed in (now - before, before - now):
            assert len(changed) == 0 or len(changed) >= 5
