"""A large organisation that never was: countries, units, report lines, goals, hours. Seeded.

Skewed as real ones are: a few goals are what most want, most people sit in a few countries, some
speak no English, four in ten give no hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.matching.domain.hours import free_slots
from services.matching.engine.embedding import embed
from services.matching.engine.side import Side
from shared.events.people import WeeklyHours
from shared.ids import PersonId

# Goals as a programme has them: what, and what of it.
FIELDS = ("data", "people", "product", "sales", "design", "security", "finance", "platform")
SKILLS = (
    *("leadership", "strategy", "analysis", "coaching", "writing"),
    *("planning", "negotiation", "architecture", "research", "testing"),
)
WORDS = 400
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLACES = 5
TOPICS = len(FIELDS) * len(SKILLS)
UNITS = 120
# Share of people, zone, what is spoken there beside English, share that speaks English.
COUNTRIES = (
    (0.24, "America/New_York", "es", 0.99),
    (0.10, "America/Los_Angeles", "es", 0.99),
    (0.14, "Europe/Berlin", "de", 0.85),
    (0.09, "Europe/Paris", "fr", 0.75),
    (0.08, "Europe/London", "pl", 0.99),
    (0.11, "Asia/Kolkata", "hi", 0.97),
    (0.06, "Asia/Tokyo", "ja", 0.55),
    (0.06, "America/Sao_Paulo", "pt", 0.65),
    (0.05, "Europe/Lisbon", "pt", 0.85),
    (0.04, "Australia/Sydney", "zh", 0.98),
    (0.03, "Asia/Singapore", "zh", 0.95),
)


@dataclass(frozen=True, slots=True)
class Organisation:
    """Both sides of one programme."""

    mentees: Side
    mentors: Side


def organisation(mentees: int, mentors: int, seed: int) -> Organisation:
    """The same for the same numbers and seed."""
    draw = np.random.default_rng(seed)
    bosses = [PersonId(f"boss-{n:05}") for n in range(max(1, (mentees + mentors) // 12))]
    bosses += [PersonId(f"mentor-{n:06}") for n in range(0, mentors, 3)]
    return Organisation(
        _side(draw, "mentee", mentees, bosses),
        _side(draw, "mentor", mentors, bosses),
    )


def _side(
    draw: np.random.Generator,
    role: str,
    count: int,
    bosses: Sequence[PersonId],
) -> Side:
    is_mentor = role == "mentor"
    country = draw.choice(len(COUNTRIES), count, p=[each[0] for each in COUNTRIES])
    topics = [
        tuple(_code(each) for each in row) for row in _topics(draw, count, 6 if is_mentor else 4)
    ]
    return Side(
        ids=[PersonId(f"{role}-{n:06}") for n in range(count)],
        managers=[bosses[at] for at in draw.integers(0, len(bosses), count)],
        lines=[()] * count,
        units=[f"unit-{at:03}" for at in draw.zipf(1.4, count) % UNITS],
        grades=(draw.binomial(9, 0.6 if is_mentor else 0.3, count) + 1).tolist(),
        languages=[_languages(draw, at) for at in country],
        topics=topics,
        slots=_slots(draw, country),
        vectors=_vectors(draw, topics),
        places=np.full(count, PLACES if is_mentor else 1, np.int32),
    )


def _topics(draw: np.random.Generator, count: int, most: int) -> list[list[int]]:
    weight = 1 / np.arange(1, TOPICS + 1)
    picked = draw.choice(TOPICS, (count, most), p=weight / weight.sum())
    sizes = draw.integers(1, most + 1, count)
    return [sorted(set(row[:size].tolist())) for row, size in zip(picked, sizes, strict=True)]


def _languages(draw: np.random.Generator, country: int) -> tuple[str, ...]:
    _, _, local, english = COUNTRIES[country]
    spoken = {"en"} if draw.random() < english else {local}
    return tuple(sorted(spoken | ({local} if draw.random() < 0.5 else set())))


def _slots(draw: np.random.Generator, country: np.ndarray) -> list[int]:
    """Two to five windows of two to four hours, most in office hours, on half hours."""
    known: dict[tuple[str, int, int, int], int] = {}
    found = []
    gives = draw.random(len(country)) < 0.6
    for at, given in zip(country, gives, strict=True):
        slots = 0
        for _ in range(int(draw.integers(2, 6)) if given else 0):
            day, start = int(draw.integers(1, 6)), 30 * int(draw.integers(16, 34))
            key = (COUNTRIES[at][1], day, start, 30 * int(draw.integers(4, 9)))
            if key not in known:
                known[key] = _window(*key)
            slots |= known[key]
        found.append(slots)
    return found


def _window(zone: str, day: int, start: int, length: int) -> int:
    hours = WeeklyHours(weekday=day, from_minute=start, until_minute=start + length)
    return free_slots([hours], zone, NOW)


def _code(topic: int) -> str:
    return f"{FIELDS[topic % len(FIELDS)]}_{SKILLS[topic // len(FIELDS)]}"


def _vectors(draw: np.random.Generator, topics: Sequence[tuple[str, ...]]) -> np.ndarray:
    """Of their goals and a few words, some of which many use."""
    spoken = draw.zipf(1.3, (len(topics), 8)) % WORDS
    texts = (" ".join(f"word{each}" for each in row) for row in spoken.tolist())
    return np.stack([embed(row, text) for row, text in zip(topics, texts, strict=True)])
