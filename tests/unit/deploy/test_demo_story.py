"""The demo's story keeps to the rules that people know, and is the same for the same seed."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from deploy.local.demo.size import FULL, START, DemoSize
from deploy.local.demo.story import Action, Verb, end_of, story
from deploy.local.demo.temperaments import CYCLE

SMALL = DemoSize(people=20, pairs=6, weeks=6)
GRACE = timedelta(hours=48)
CREATING = (Verb.SCHEDULE, Verb.PROMISE)


def by_ref(size: DemoSize, seed: int) -> dict[tuple[int, str], list[Action]]:
    """The actions about each session and promise, in their order."""
    found: dict[tuple[int, str], list[Action]] = defaultdict(list)
    for action in story(size, seed):
        if action.ref:
            found[action.pair, action.ref].append(action)
    return found


def due_of(made: Action) -> datetime:
    return datetime.fromisoformat(str(made.body["due_at"]))


def test_the_same_seed_tells_the_same_story() -> None:
    assert story(SMALL, 7) == story(SMALL, 7)
    assert story(SMALL, 7) != story(SMALL, 8)


def test_time_only_goes_forward_and_stays_within_the_story() -> None:
    times = [action.at for action in story(FULL, 7)]
    assert times == sorted(times)
    assert times[0] > START
    assert times[-1] < FULL.ends_at


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_done_about_what_does_not_exist_yet(seed: int) -> None:
    for actions in by_ref(SMALL, seed).values():
        assert actions[0].verb in CREATING
        assert not any(action.verb in CREATING for action in actions[1:])


@pytest.mark.parametrize("seed", range(5))
def test_promises_are_kept_and_warned_about_before_due_and_told_within_the_grace(seed: int) -> None:
    for made, *rest in by_ref(FULL, seed).values():
        if made.verb is not Verb.PROMISE:
            continue
        due = due_of(made)
        assert made.at < due
        for action in rest:
            if action.verb is Verb.TELL:
                assert due <= action.at < due + GRACE
            else:
                assert made.at <= action.at < due


@pytest.mark.parametrize("seed", range(5))
def test_sessions_are_set_ahead_and_confirmed_after_they_began(seed: int) -> None:
    for made, *rest in by_ref(FULL, seed).values():
        if made.verb is not Verb.SCHEDULE:
            continue
        starts_at = datetime.fromisoformat(str(made.body["starts_at"]))
        assert made.at < starts_at
        assert all(action.at >= starts_at for action in rest)


def test_the_other_side_accepts_a_promise_first_and_says_that_it_was_kept() -> None:
    theirs = (Verb.ACCEPT, Verb.KEEP)
    for made, *rest in by_ref(FULL, 7).values():
        if made.verb is Verb.PROMISE:
            assert [action.verb for action in rest[:1]] in ([], [Verb.ACCEPT])
            assert all((action.side != made.side) == (action.verb in theirs) for action in rest)


def test_an_answer_comes_after_both_confirmed() -> None:
    for actions in by_ref(FULL, 7).values():
        if any(action.verb is Verb.ANSWER for action in actions):
            assert len({a.side for a in actions if a.verb is Verb.CONFIRM}) == 2


def test_the_last_thing_in_a_pair_is_its_end() -> None:
    endings = {pair: end_of(pair, FULL) for pair in range(FULL.pairs)}
    assert {ending[1] for ending in endings.values() if ending} == {Verb.COMPLETE, Verb.LEAVE}
    last = {action.pair: action for action in story(FULL, 7)}
    for pair, ending in endings.items():
        if ending:
            assert (last[pair].at, last[pair].verb) == ending


def test_few_pairs_still_show_different_characters() -> None:
    assert len({each.name for each in CYCLE[: SMALL.pairs]}) == SMALL.pairs


def test_a_demo_without_room_for_its_people_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a pair"):
        DemoSize(people=8, pairs=6, weeks=6)
