"""Rankings: an order of one's own, who comes after it, and lists held against brute force."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain import ranking as rules
from services.matching.domain.fit import Candidate, barrier, parts, shares
from services.matching.domain.programme import Settings
from services.matching.domain.ranking import (
    SHORTLIST,
    Listed,
    Ranking,
    RankingClosed,
    RankingOpen,
    Round,
)
from services.matching.engine.shortlists import shortlists
from services.matching.engine.side import Side
from shared.errors import Conflict, Rejected
from shared.ids import PersonId, ProgrammeId
from tests.unit.matching.builders import NOW

UNTIL = NOW + timedelta(days=7)
SPRING = ProgrammeId("spring")
ROUND = Round(UUID(int=1), SPRING, NOW, UNTIL, "open")


def ids(*names: str) -> list[PersonId]:
    return [PersonId(name) for name in names]


def listed(name: str, fit: int) -> Listed:
    return Listed(PersonId(name), (fit, 0, 0, 0, 0))


LIST = Ranking(
    ranking_id=UUID(int=1),
    programme_id=SPRING,
    person_id=PersonId("me"),
    side="mentee",
    until=UNTIL,
    people=(listed("a", 900), listed("b", 700), listed("c", 700), listed("d", 100)),
)


def names(it: Ranking) -> list[str]:
    return [each.person_id for each in it.people]


def test_who_is_not_named_comes_after_by_fit() -> None:
    after = rules.rank(LIST, ids("d", "b"), ids("a"), NOW).thing
    assert names(after) == ["d", "b", "a", "c"]
    assert [each.never for each in after.people] == [False, False, True, False]
    assert after.ranked_at == NOW


def test_an_order_replaces_the_one_before_it() -> None:
    first = rules.rank(LIST, ids("d"), ids("a"), NOW).thing
    again = rules.rank(first, ids("c"), (), NOW).thing
    assert names(again) == ["c", "a", "b", "d"]
    assert not any(each.never for each in again.people)


@given(st.permutations(names(LIST)), st.integers(0, 4), st.integers(0, 4))
def test_everybody_stays_on_the_list_whatever_is_said(
    order: list[PersonId], first: int, nevers: int
) -> None:
    chosen, never = order[:first], order[first : first + nevers]
    after = rules.rank(LIST, chosen, never, NOW).thing
    assert sorted(names(after)) == sorted(names(LIST))
    assert names(after)[: len(chosen)] == chosen
    assert {each.person_id for each in after.people if each.never} == set(never)
    assert rules.rank(after, chosen, never, NOW).thing == after


@pytest.mark.parametrize(
    ("order", "never", "field"),
    [
        pytest.param(["zoe"], [], "order", id="somebody else"),
        pytest.param([], ["zoe"], "never", id="somebody else, never"),
        pytest.param(["a", "a"], [], "order", id="twice"),
        pytest.param([], ["a", "a"], "never", id="never twice"),
        pytest.param(["a"], ["a"], "never", id="both"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    order: list[str], never: list[str], field: str
) -> None:
    with pytest.raises(Rejected) as refused:
        rules.rank(LIST, ids(*order), ids(*never), NOW)
    assert refused.value.field == field


def test_late_is_late_to_the_moment() -> None:
    rules.rank(LIST, ids("b"), (), UNTIL - timedelta(microseconds=1))
    with pytest.raises(RankingClosed):
        rules.rank(LIST, ids("b"), (), UNTIL)


def test_a_round_is_closed_by_time_or_before_it() -> None:
    assert rules.by_now(ROUND, UNTIL - timedelta(seconds=1)) == ROUND
    assert rules.by_now(ROUND, UNTIL).state == "closed"
    early = rules.close(ROUND, NOW).thing
    assert (early.state, early.until) == ("closed", NOW)
    assert rules.close(early, UNTIL).thing == early
    assert rules.close(ROUND, UNTIL).thing == ROUND, "time was first"
    with pytest.raises(Conflict):
        rules.close(replace(ROUND, state="preparing"), NOW)
    with pytest.raises(RankingOpen):
        rules.require_closed(ROUND, NOW)
    rules.require_closed(ROUND, UNTIL)


TOPICS = ("art", "law", "python", "sql")


def side(letter: str, topics: list[frozenset[str]]) -> Side:
    number = len(topics)
    return Side(
        ids=[PersonId(f"{letter}{n:02}") for n in range(number)],
        managers=[None] * number,
        lines=[()] * number,
        units=[None] * number,
        grades=[None] * number,
        languages=[("en",)] * number,
        topics=[tuple(sorted(each)) for each in topics],
        slots=[0] * number,
        vectors=np.zeros((number, 4), np.float32),
        places=np.ones(number, np.int32),
    )


@given(
    mentees=st.lists(st.frozensets(st.sampled_from(TOPICS)), max_size=14),
    mentors=st.lists(st.frozensets(st.sampled_from(TOPICS)), max_size=14),
    candidates=st.sampled_from([1, 30]),
    kept=st.sets(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=5),
)
@settings(max_examples=100, deadline=None)
def test_lists_are_the_best_ten_of_all_that_may_meet(
    mentees: list[frozenset[str]],
    mentors: list[frozenset[str]],
    candidates: int,
    kept: set[tuple[int, int]],
) -> None:
    looking, offering = side("n", mentees), side("m", mentors)
    apart = frozenset((PersonId(f"m{a:02}"), PersonId(f"n{b:02}")) for a, b in kept)
    plain = Settings(candidates=candidates)

    found = {(who, of): people for who, of, people in shortlists(looking, offering, plain, apart)}

    most = shares(plain, learned=False)
    fits: dict[tuple[PersonId, str], dict[PersonId, int]] = {}
    for a in range(len(mentors)):
        for b in range(len(mentees)):
            mentor, mentee = _one(offering, a), _one(looking, b)
            if barrier(mentor, mentee, plain.rules, apart) is None:
                fit = sum(parts(mentor, mentee, most, {}))
                fits.setdefault((mentor.person_id, "mentor"), {})[mentee.person_id] = fit
                fits.setdefault((mentee.person_id, "mentee"), {})[mentor.person_id] = fit
    assert found.keys() == fits.keys()
    for key, people in found.items():
        best = sorted(fits[key].values(), reverse=True)[:SHORTLIST]
        assert [each.fit_permille for each in people] == best
        assert all(fits[key][each.person_id] == each.fit_permille for each in people)


def _one(of: Side, row: int) -> Candidate:
    return of.candidate(row)
