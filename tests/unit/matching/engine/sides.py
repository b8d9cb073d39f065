"""Two sides of a small matching, drawn by hypothesis or written by hand. Holds no test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from services.matching.domain.fit import Apart
from services.matching.domain.hours import WEEK_SLOTS
from services.matching.domain.programme import Rules, Settings, Weights
from services.matching.engine.candidates import Edges
from services.matching.engine.features import Problem
from services.matching.engine.side import Ints, Side
from shared.ids import PersonId

DIM = 8
TOPICS = ("coaching", "data", "python", "speaking")
LANGUAGES = ("de", "en", "pt")
UNITS = (None, "design", "engineering")
# Half an hour, a quarter, three hours, around the end of the week, all of it, every other quarter.
HOURS = (
    0,
    0b11 << 36,
    0b1 << 36,
    0b111111111111 << 36,
    1 | 1 << (WEEK_SLOTS - 1),
    (1 << WEEK_SLOTS) - 1,
    int("01" * (WEEK_SLOTS // 2), 2),
    0b1110110 << 30,
)


@dataclass(frozen=True, slots=True)
class Lifts:
    """What earlier pairs say, written by hand."""

    permille: dict[str, int]


def nothing(stage: str, done: int, total: int) -> None:
    """Progress that nobody reads."""


def side(people: Sequence[dict[str, Any]]) -> Side:
    """People by what matters about them; whatever is not named is not said. Sorted by id."""
    ordered = sorted(people, key=lambda each: str(each["id"]))

    def column(name: str, default: Any) -> list[Any]:
        return [each.get(name, default) for each in ordered]

    return Side(
        ids=column("id", ""),
        managers=column("manager", None),
        lines=column("line", ()),
        units=column("unit", None),
        grades=column("grade", None),
        languages=column("languages", ("en",)),
        topics=column("topics", ("python",)),
        slots=column("slots", 0),
        vectors=np.array(column("vector", [0.0] * DIM), np.float32).reshape(-1, DIM),
        places=np.array(column("places", 1), np.int32),
    )


def sets_of(values: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=len(values)).map(tuple)


@st.composite
def people(draw: st.DrawFn, role: str, most: int, vocabulary: Sequence[str]) -> dict[str, Any]:
    """Somebody of one side; some are on the other side too, or above somebody of it."""
    others = [f"{each}-{n}" for each in ("a", "b") for n in range(most)]
    someone = st.sampled_from(others)
    return {
        "id": f"{role}-{draw(st.integers(0, most - 1))}",
        "manager": draw(st.none() | someone),
        "line": tuple(draw(st.lists(someone, max_size=2))),
        "unit": draw(st.sampled_from(UNITS)),
        "grade": draw(st.none() | st.integers(1, 9)),
        "languages": draw(sets_of(LANGUAGES)),
        "topics": draw(sets_of(vocabulary)),
        "slots": draw(st.sampled_from(HOURS)),
        "vector": draw(
            st.lists(st.sampled_from([0.0, 0.3, -1.0, 2.0]), min_size=DIM, max_size=DIM)
        ),
        "places": draw(st.integers(0, 3)),
    }


@st.composite
def problems(draw: st.DrawFn, most: int = 6) -> Problem:
    """Both sides with all rules; some people are mentor and mentee."""
    rows = draw(st.lists(people("b", most, TOPICS), max_size=most, unique_by=lambda x: x["id"]))
    columns = draw(st.lists(people("a", most, TOPICS), max_size=most, unique_by=lambda x: x["id"]))
    both = draw(people("a", most, TOPICS))
    rows = [*rows, both] if draw(st.booleans()) else rows
    mentees, mentors = side(rows), side(columns)
    pairs = [(PersonId(a), PersonId(b)) for a in mentors.ids for b in mentees.ids]
    apart: Apart = frozenset(draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else ())
    lift = Lifts({"data": 70, "python": -35}) if draw(st.booleans()) else None
    return Problem(mentees, mentors, draw(all_settings()), apart, lift)


@st.composite
def all_settings(draw: st.DrawFn) -> Settings:
    low = draw(st.none() | st.integers(-3, 3))
    rules = Rules(
        common_language=draw(st.booleans()),
        shared_goal=draw(st.booleans()),
        min_overlap_minutes=draw(st.sampled_from([0, 15, 30, 45, 180])),
        report_line=draw(st.booleans()),
        org_units=draw(st.sampled_from(["any", "same", "different"])),
        min_grade_gap=low,
        max_grade_gap=draw(st.none() | st.integers(low or 0, 6)),
    )
    weight = st.sampled_from([0.0, 1.0, 2.5])
    weights = Weights(draw(weight), draw(weight), draw(weight), 1.0)
    return Settings(
        rules=rules, weights=weights, candidates=draw(st.integers(1, 4)), learn=draw(st.booleans())
    )


def edges(fits: Sequence[tuple[int, int, int]], mentees: int, mentors: int) -> Edges:
    """Edges from (mentee, mentor, fit), the whole fit being one part of it."""
    ordered = sorted(fits, key=lambda each: (each[0], -each[2], each[1]))
    columns = np.array(ordered, np.int32).reshape(-1, 3)
    parts = np.zeros((len(ordered), 5), np.int16)
    parts[:, 0] = columns[:, 2]
    return Edges(columns[:, 0], columns[:, 1], columns[:, 2], parts, mentees, mentors)


@st.composite
def markets(draw: st.DrawFn, most: int = 5) -> tuple[Edges, Ints]:
    """Edges with few different fits, so that many are equal, and the places of the mentors."""
    mentees, mentors = draw(st.integers(1, most)), draw(st.integers(1, most - 1))
    fit = st.sampled_from([None, None, 0, 300, 301, 999, 1000])
    cells = [
        (row, column, drawn)
        for row in range(mentees)
        for column in range(mentors)
        if (drawn := draw(fit)) is not None
    ]
    places = draw(st.lists(st.integers(0, 3), min_size=mentors, max_size=mentors))
    return edges(cells, mentees, mentors), np.array(places, np.int32)


def shuffled(problem: Problem, order: Any) -> Problem:
    """The same people, given in another order."""

    def again(one: Side) -> Side:
        rows = [
            {
                "id": one.ids[at],
                "manager": one.managers[at],
                "line": one.lines[at],
                "unit": one.units[at],
                "grade": one.grades[at],
                "languages": tuple(order.sample(one.languages[at], len(one.languages[at]))),
                "topics": tuple(order.sample(one.topics[at], len(one.topics[at]))),
                "slots": one.slots[at],
                "vector": one.vectors[at],
                "places": int(one.places[at]),
            }
            for at in order.sample(range(len(one)), len(one))
        ]
        return side(rows)

    return replace(problem, mentees=again(problem.mentees), mentors=again(problem.mentors))
