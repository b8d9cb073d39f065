"""People as points, and who asks as a direction in which fit grows: for finding, not for weighing.

The inner product of a direction and a point is about the fit of the two in thousandths: goals,
languages, hours and words each have dimensions of their own, and a direction carries the weights
of its programme, so that one index serves all. Whoever is found is weighed by domain/fit.

    goals      codes hashed to single dimensions with a sign (Weinberger et al. 2009); a mentee's
               are divided by their number, as the fit divides
    languages  the same of (language, how many the person speaks): the shorter list of two divides,
               and the direction knows for each number which one that is
    hours      free quarters in each two hours of the UTC week, of length one
    words      engine/embedding
    the rest   one dimension that makes all points equally long: then the nearest by angle are those
               with the largest inner product (Neyshabur & Srebro, ICML 2015, section 4.2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.fit import Candidate, Shares
from services.matching.domain.hours import WEEK_SLOTS
from services.matching.engine.embedding import DIM

Floats: TypeAlias = NDArray[np.float32]
Role: TypeAlias = Literal["mentor", "mentee"]

_HOURS = WEEK_SLOTS // 8
_GOALS, _LANGUAGES = 72, 35
WIDTH = _GOALS + _LANGUAGES + _HOURS + DIM + 1
_GOALS_AT = slice(0, _GOALS)
_LANGUAGES_AT = slice(_GOALS, _GOALS + _LANGUAGES)
_HOURS_AT = slice(_LANGUAGES_AT.stop, _LANGUAGES_AT.stop + _HOURS)
_WORDS_AT = slice(_HOURS_AT.stop, _HOURS_AT.stop + DIM)
# The square of every point's length. Whoever offers more than fits has their goals shrunk to it.
_LONG = 9.0
_MOST_GOALS = 6.0
# Who speaks more than this many is as one who speaks so many: the shorter list is seldom longer.
_MOST_LANGUAGES = 3
# Between 0 and 1 per part, so that hours do not drown goals among the points of the index itself.
_SCALE_HOURS, _SCALE_WORDS = 0.8, 0.6


def point(person: Candidate, role: Role) -> Floats:
    """The person as they are looked for: (WIDTH,) float32, of one length for everybody."""
    found = np.zeros(WIDTH, np.float32)
    goals = found[_GOALS_AT]
    for topic in person.topics:
        _add(goals, topic, 1.0)
    if role == "mentee" and person.topics:
        goals /= len(person.topics)
    square = float(goals @ goals)
    if square > _MOST_GOALS:
        goals *= (_MOST_GOALS / square) ** 0.5
    many = min(len(person.languages), _MOST_LANGUAGES)
    for language in person.languages:
        _add(found[_LANGUAGES_AT], f"{language}/{many}", 1.0 / max(1, many))
    found[_HOURS_AT] = _SCALE_HOURS * _hours(person.slots)
    found[_WORDS_AT] = _SCALE_WORDS * _words(person)
    found[-1] = max(0.0, _LONG - float(found @ found)) ** 0.5
    return found


def direction(person: Candidate, role: Role, most: Shares) -> Floats:
    """Where those lie who fit somebody in `role`, as `shares` weigh it: (WIDTH,) float32."""
    found = np.zeros(WIDTH, np.float32)
    each = most[0] / max(1, len(person.topics)) if role == "mentee" else most[0]
    for topic in person.topics:
        _add(found[_GOALS_AT], topic, each)
    mine = len(person.languages)
    for language in person.languages:
        for theirs in range(1, _MOST_LANGUAGES + 1):
            share = most[2] * theirs / min(mine, theirs)
            _add(found[_LANGUAGES_AT], f"{language}/{theirs}", share)
    found[_HOURS_AT] = most[3] / _SCALE_HOURS * _hours(person.slots)
    found[_WORDS_AT] = most[1] / _SCALE_WORDS * _words(person)
    return found


@dataclass(frozen=True, slots=True)
class Features:
    """Somebody as sets of bits: codes hashed to one of 256, languages to one of 64; and the words
    they said, of length one.
    """

    topics: frozenset[str]
    topic_set: int
    languages: int
    slots: int
    words: Floats


def features(person: Candidate) -> Features:
    """The person as a database can compare them."""
    return Features(
        topics=person.topics,
        topic_set=_set(person.topics, 256),
        languages=_set(person.languages, 64),
        slots=person.slots,
        words=_words(person),
    )


def _set(codes: frozenset[str], width: int) -> int:
    found = 0
    for code in codes:
        found |= 1 << crc32(code.encode()) % width
    return found


def _add(into: Floats, feature: str, amount: float) -> None:
    hashed = crc32(feature.encode())
    into[(hashed >> 1) % len(into)] += amount if hashed & 1 else -amount


def _hours(slots: int) -> Floats:
    each = np.frombuffer(slots.to_bytes(_HOURS, "little"), np.uint8)
    return _unit(np.bitwise_count(each).astype(np.float32))


def _words(person: Candidate) -> Floats:
    return _unit(np.array(person.vector or (0,) * DIM, np.float32))


def _unit(of: Floats) -> Floats:
    length = float(of @ of) ** 0.5
    return of / np.float32(length) if length else of
