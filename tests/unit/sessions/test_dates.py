"""How leaves and holidays move what is due: examples, and laws over any of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from services.sessions.domain.dates import (
    Promised,
    Window,
    due_of,
    redate_promise,
    redate_window,
)
from services.sessions.domain.member import Away, Member
from services.sessions.domain.outages import outage, was_away
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER, Interval, away
from services.sessions.domain.session import Slot
from shared.events.sessions import CommitmentMoved
from shared.ids import CommitmentId, PairId, PersonId, TenantId, derived_id

TENANT = TenantId("acme")
MARIA, TOM = PersonId("maria"), PersonId("tom")
MADE = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(hours=48)
DUE = MADE + 7 * DAY


def pair(
    *leaves: tuple[date, date | None],
    zone: str = "UTC",
    holidays: frozenset[date] = frozenset(),
    others: frozenset[date] = frozenset(),
) -> Pair:
    """Tom, whose days these are, and Maria, who is always there but on `others`."""
    tom = Member(TOM, zone, away=tuple(Away(*each) for each in leaves), holidays=holidays)
    maria = Member(MARIA, holidays=others)
    return Pair(TENANT, PairId(derived_id("pair")), maria, tom, MADE - 30 * DAY)


def promised(due_at: datetime = DUE, by: PersonId = TOM, **changed: object) -> Promised:
    id_, sweep_at = CommitmentId(derived_id("c")), due_at + GRACE
    pair_id = PairId(derived_id("pair"))
    made = Promised(TENANT, pair_id, id_, by, MADE, due_at, due_at, sweep_at, sweep_at)
    return replace(made, **changed)  # type: ignore[arg-type]


def march(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def on(day: int) -> date:
    return date(2026, 3, day)


def test_what_is_due_in_a_week_is_due_after_a_week_of_both_being_there() -> None:
    moved, happened = redate_promise(pair((on(4), on(7))), promised(), GRACE, "leave", march(3))
    assert moved.due_at == DUE + 3 * DAY
    assert moved.sweep_at == DUE + 3 * DAY + GRACE
    assert moved.promised_for == DUE, "what was said stays beside it"
    (told,) = happened
    assert isinstance(told.fact, CommitmentMoved)
    assert (told.fact.previous_due_at, told.fact.due_at) == (DUE, DUE + 3 * DAY)
    assert (told.fact.reason, told.at) == ("leave", march(3))


def test_it_does_not_matter_whose_leave_it_is() -> None:
    by_tom = redate_promise(pair((on(4), on(7))), promised(), GRACE, "leave", march(3))[0]
    by_maria = redate_promise(pair((on(4), on(7))), promised(by=MARIA), GRACE, "leave", march(3))[0]
    assert by_tom.due_at == by_maria.due_at


def test_a_leave_before_it_was_made_or_after_it_was_decided_moves_nothing() -> None:
    before = pair((on(1), on(2)), (on(20), on(25)))
    assert redate_promise(before, promised(), GRACE, "leave", march(3)) == (promised(), ())


def test_a_leave_in_the_grace_moves_only_the_end_of_it() -> None:
    moved, happened = redate_promise(pair((on(10), on(13))), promised(), GRACE, "leave", march(3))
    assert (moved.due_at, moved.sweep_at) == (DUE, DUE + GRACE + 3 * DAY)
    assert happened == ()


def test_while_a_leave_has_no_end_nothing_is_missed() -> None:
    away_ = pair((on(4), None))
    moved, _ = redate_promise(away_, promised(), GRACE, "leave", march(4))
    assert moved.due_at == DUE + DAY, "today at least is lost"
    assert moved.sweep_at == NEVER
    assert due_of(away_, TOM, MADE, DUE, march(20)) == DUE + 17 * DAY
    back, happened = redate_promise(pair((on(4), on(21))), moved, GRACE, "leave", march(20))
    assert (back.due_at, back.sweep_at) == (DUE + 17 * DAY, DUE + 17 * DAY + GRACE)
    assert [each.fact.type for each in happened] == ["commitment.moved"]


def test_a_leave_that_will_begin_moves_nothing_before_it_does() -> None:
    moved, happened = redate_promise(pair((on(20), None)), promised(), GRACE, "leave", march(3))
    assert (moved, happened) == (promised(), ())
    near, happened = redate_promise(pair((on(8), None)), promised(), GRACE, "leave", march(3))
    assert (near.due_at, near.sweep_at, happened) == (DUE, NEVER, ())


def test_who_is_back_sooner_has_the_grace_to_reckon_with_it() -> None:
    planned = redate_promise(pair((on(4), on(25))), promised(), GRACE, "leave", march(3))[0]
    assert planned.due_at == DUE + 21 * DAY
    # Back since the 5th, told on the 20th: it would have been due on the 10th.
    sooner, happened = redate_promise(pair((on(4), on(5))), planned, GRACE, "leave", march(20))
    assert sooner.due_at == march(20) + GRACE
    assert sooner.sweep_at == march(20) + 2 * GRACE
    assert [each.fact.type for each in happened] == ["commitment.moved"]
    # Told in time, it goes back to just what it is.
    in_time = redate_promise(pair((on(4), on(5))), planned, GRACE, "leave", march(5))[0]
    assert (in_time.due_at, in_time.sweep_at) == (DUE + DAY, DUE + DAY + GRACE)


def test_what_was_closed_stays_closed_even_if_no_sweeper_has_been() -> None:
    late = DUE + GRACE
    assert redate_promise(pair((on(4), on(7))), promised(), GRACE, "leave", late)[0] == promised()
    just = late - timedelta(microseconds=1)
    assert redate_promise(pair((on(4), on(7))), promised(), GRACE, "leave", just)[0] != promised()


def test_what_falls_due_on_a_holiday_of_the_makers_is_due_on_the_next_open_day() -> None:
    free = frozenset({on(9), on(10)})
    moved, happened = redate_promise(pair(holidays=free), promised(), GRACE, "holiday", march(3))
    assert moved.due_at == DUE + 2 * DAY
    assert happened[0].fact.model_dump()["reason"] == "holiday"
    others = redate_promise(pair(others=free), promised(), GRACE, "holiday", march(3))[0]
    assert others.due_at == DUE, "the other side's holiday is not the maker's"
    assert others.sweep_at > DUE + GRACE, "but the grace waits for them"


def test_a_holiday_before_it_is_due_stops_no_clock() -> None:
    moved, _ = redate_promise(
        pair(holidays=frozenset({on(5)})), promised(), GRACE, "holiday", march(3)
    )
    assert moved == promised()


def test_the_local_time_stays_when_the_clocks_change_in_between() -> None:
    due_at = datetime(2026, 3, 28, 16, tzinfo=UTC)  # 17:00 in Berlin, which changes on the 29th
    berlin = pair(zone="Europe/Berlin", holidays=frozenset({on(28), on(29)}))
    moved, _ = redate_promise(berlin, promised(due_at), GRACE, "holiday", march(3))
    assert moved.due_at == datetime(2026, 3, 30, 15, tzinfo=UTC)


def test_what_was_told_after_a_date_that_moved_had_been_a_warning() -> None:
    told = promised(told_at=DUE + HOUR)
    moved, _ = redate_promise(pair((on(4), on(7))), told, GRACE, "leave", DUE + 2 * HOUR)
    assert (moved.warned_at, moved.told_at) == (DUE + HOUR, None)


def test_what_an_outage_gave_back_is_not_lost_when_a_leave_moves_it() -> None:
    given = promised(closes_at=DUE + GRACE + 5 * HOUR, given_back=5 * HOUR)
    moved, _ = redate_promise(pair((on(4), on(7))), given, GRACE, "leave", march(3))
    assert moved.sweep_at == DUE + 3 * DAY + GRACE + 5 * HOUR


def test_a_window_waits_for_both_and_what_it_is_about_stays() -> None:
    past, within = march(9, 10), timedelta(hours=72)
    window = Window(PairId(derived_id("p")), derived_id("s"), past, past + within)
    moved = redate_window(pair((on(10), on(13))), window, within, march(3))
    assert (moved.past, moved.sweep_at) == (past, past + within + 3 * DAY)
    assert redate_window(pair((on(10), on(13))), window, within, past + within) == window
    open_end = redate_window(pair((on(10), None)), window, within, march(10))
    assert open_end.sweep_at == NEVER


def test_a_claim_is_answered_in_presence_too() -> None:
    claimed_at = DUE + GRACE - HOUR
    claim = promised(claimed_at=claimed_at, sweep_at=claimed_at + GRACE)
    moved, _ = redate_promise(pair((on(12), on(15))), claim, GRACE, "leave", claimed_at)
    assert (moved.due_at, moved.closes_at) == (DUE, DUE + GRACE)
    assert moved.sweep_at == claimed_at + GRACE + 3 * DAY


def test_what_was_agreed_on_later_counts_from_then_on() -> None:
    later = promised(DUE + 10 * DAY, dated_at=march(8))
    moved, _ = redate_promise(pair((on(4), on(7))), later, GRACE, "leave", march(8))
    assert moved == later, "the leave was over when they agreed on the date"


leaves = some.lists(
    some.tuples(some.integers(0, 60), some.none() | some.integers(0, 30)), max_size=3
).map(
    lambda found: [
        (on(1) + start * DAY, None if n is None else on(1) + (start + n) * DAY)
        for start, n in found
    ]
)
holidays = some.frozensets(some.integers(0, 90).map(lambda n: on(1) + n * DAY), max_size=10)
times = some.integers(0, 60 * 24).map(lambda hours: MADE + hours * HOUR)
pairs = some.builds(
    lambda found, free, zone: pair(*found, holidays=free, zone=zone),
    leaves,
    holidays,
    some.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]),
)


@given(pairs, times, times)
def test_nothing_is_ever_due_sooner_than_was_said_or_on_a_day_off(
    two: Pair, said: datetime, now: datetime
) -> None:
    assume(said > MADE)
    due = due_of(two, TOM, MADE, said, now)
    assert said <= due < NEVER
    known = [leave for leave in two.mentee.away if leave.back_on is not None]
    assert away(replace(two.mentee, away=tuple(known)), due) is None


@given(pairs, pairs, times, times, times)
def test_a_new_date_leaves_time_to_reckon_with_it(
    before: Pair, after: Pair, said: datetime, first: datetime, second: datetime
) -> None:
    """However HR changes its mind: nobody is late at once by a date they could not know."""
    assume(said > MADE)
    first, second = sorted((first, second))
    one, _ = redate_promise(before, promised(said), GRACE, "leave", first)
    two, _ = redate_promise(after, one, GRACE, "leave", second)
    assert two.due_at >= min(one.due_at, second + GRACE)
    assert two.sweep_at >= min(one.sweep_at, second + GRACE)
    assert two.due_at < two.sweep_at
    again, happened = redate_promise(after, two, GRACE, "leave", second)
    assert (again, happened) == (two, ()), "the same is known, so nothing moves"


@pytest.mark.parametrize(
    ("alive_at", "expected"),
    [
        pytest.param(None, None, id="before the first sweep nobody was away"),
        pytest.param(MADE - HOUR, None, id="an hour is not more than an hour"),
        pytest.param(MADE - HOUR - timedelta(microseconds=1), True, id="more is"),
        pytest.param(MADE + DAY, None, id="a clock that was set back"),
    ],
)
def test_an_outage_is_a_time_without_a_sweeper(
    alive_at: datetime | None, expected: bool | None
) -> None:
    found = outage(alive_at, MADE, HOUR)
    assert found == (Interval(alive_at, MADE) if alive_at and expected else None)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(DUE, DUE + HOUR, True, id="just as long"),
        pytest.param(DUE - HOUR, DUE + DAY, True, id="longer"),
        pytest.param(DUE + timedelta(minutes=1), DUE + DAY, False, id="they could have begun"),
        pytest.param(DUE - DAY, DUE + timedelta(minutes=59), False, id="they could have ended it"),
    ],
)
def test_only_a_session_that_lay_wholly_in_an_outage_is_excused(
    since: datetime, until: datetime, expected: bool
) -> None:
    slot = Slot(DUE, 60)
    assert was_away([Interval(since, until)], slot) is expected
    assert not was_away([], slot)
