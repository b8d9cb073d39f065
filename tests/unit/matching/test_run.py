"""The life of a run: what may follow what, and what is never committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.matching.domain import run as rules
from services.matching.domain.decision import Decision
from services.matching.domain.programme import (
    Contradiction,
    Programme,
    ProgrammeClosed,
    Rules,
    Settings,
)
from services.matching.domain.run import (
    MOST_ATTEMPTS,
    MOST_WAITING,
    Run,
    RunMovedOn,
    State,
    TooManyRuns,
    Wish,
)
from shared.ids import ProgrammeId, TenantId
from tests.unit.matching.builders import NOW

PROGRAMME = Programme(TenantId("acme"), ProgrammeId("spring"), "Spring", Settings(), NOW)
CLOSED = replace(PROGRAMME, is_open=False)
LATER = NOW + timedelta(minutes=1)


def asked(**wish: object) -> Run:
    made = Wish(UUID(int=1), **wish)  # type: ignore[arg-type]
    return rules.ask(made, PROGRAMME, 0, NOW).thing


def in_state(state: State, **changes: object) -> Run:
    return replace(asked(), state=state, **changes)  # type: ignore[arg-type]


def test_a_run_names_the_version_and_keeps_its_settings() -> None:
    programme = replace(PROGRAMME, revision=7, settings=Settings(candidates=5))
    made = rules.ask(Wish(UUID(int=1)), programme, 0, NOW).thing
    assert (made.version, made.settings.candidates, made.state) == (7, 5, "queued")
    assert not made.what_if


def test_what_if_tries_other_settings_that_have_to_hold_together() -> None:
    assert asked(what_if=Settings(candidates=3)).what_if
    with pytest.raises(Contradiction):
        asked(what_if=Settings(rules=Rules(min_grade_gap=2, max_grade_gap=1)))


def test_rankings_are_not_for_trying() -> None:
    with pytest.raises(Contradiction) as refused:
        asked(what_if=Settings(), ranking_id=UUID(int=2))
    assert refused.value.field == "ranking_id"


def test_a_closed_programme_has_no_new_runs() -> None:
    with pytest.raises(ProgrammeClosed):
        rules.ask(Wish(UUID(int=1)), CLOSED, 0, NOW)


def test_only_so_many_runs_wait_for_a_worker() -> None:
    assert rules.ask(Wish(UUID(int=1)), PROGRAMME, MOST_WAITING - 1, NOW).thing.state == "queued"
    with pytest.raises(TooManyRuns):
        rules.ask(Wish(UUID(int=1)), PROGRAMME, MOST_WAITING, NOW)


def test_a_programme_that_was_closed_meanwhile_proposes_nothing_more() -> None:
    with pytest.raises(ProgrammeClosed):
        rules.commit(in_state("ready"), CLOSED)
    # What was decided before goes on.
    assert rules.commit(in_state("committing"), CLOSED).thing.state == "committing"


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ("queued", ("cancel",)),
        ("running", ("cancel",)),
        ("ready", ("commit", "cancel")),
        ("committing", ()),
        ("committed", ()),
        ("cancelled", ()),
        ("failed", ()),
    ],
)
def test_what_can_be_done_is_what_is_allowed(state: State, can: tuple[str, ...]) -> None:
    run = in_state(state)
    assert rules.possible(run) == can
    actions: dict[str, Callable[[], Decision[Run]]] = {
        "commit": lambda: rules.commit(run, PROGRAMME),
        "cancel": lambda: rules.cancel(run, LATER),
    }
    already = {"committing": {"commit"}, "committed": {"commit"}, "cancelled": {"cancel"}}
    for action, do in actions.items():
        if action in can:
            assert do().thing.state != state
        elif action in already.get(state, ()):
            assert do().thing == run
        else:
            with pytest.raises(RunMovedOn) as refused:
                do()
            assert refused.value.allowed == can


def test_what_if_is_never_committed() -> None:
    run = replace(in_state("ready"), what_if=True)
    assert rules.possible(run) == ("cancel",)
    with pytest.raises(RunMovedOn, match="what if"):
        rules.commit(run, PROGRAMME)


def test_a_run_is_begun_three_times_and_then_has_failed() -> None:
    run = in_state("queued")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        run = rules.begin(run, NOW)
        assert (run.state, run.attempt) == ("running", attempt)
    run = rules.begin(run, LATER)
    assert (run.state, run.failure, run.ended_at) == ("failed", rules.DIED, LATER)
