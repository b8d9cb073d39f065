"""How long somebody who looks for a mentor waits for a yes: a programme's past, never a person's.

Places open one by one or in batches; whoever of those that wait gets one is a matter of fit and of
chance, so nobody is promised a place in a queue: each of n is as likely to be next. A place leads
to a mentor when the answer is yes, and opens again when it is not.

- Batches of places open as a Poisson process whose rate has a Gamma posterior (Gelman et al.,
  Bayesian Data Analysis, 3rd ed., section 2.6, with Jeffreys' prior of 2.8). A batch is as large as
  the counts of weeks vary beyond Poisson (variance over mean, 1 at least: McCullagh and Nelder,
  Generalized Linear Models, 2nd ed., section 4.5), so that a hundred places of one day are not
  taken for a hundred pieces of news.
- Those that become mine are a Poisson process too (the colouring theorem: Kingman, Poisson
  Processes, section 5.1), with p of the rate; so with shape a and b days watched, nothing has come
  by t with probability (b / (b + p t)) ** a.
- The share of yeses has a Beta posterior (BDA3, section 2.4). How long an answer takes is Kaplan
  and Meier's estimate (JASA 53, 1958); what is open or was never answered is censored.

As many are taken to come as go while one waits. Knows no person; no I/O, no clock, no chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.stats import beta

Floats: TypeAlias = NDArray[np.float64]

# Below any of these it is too early to say: a number would be made up, or would be about somebody.
MIN_DAYS = 28.0
MIN_OPENINGS = 10.0
MIN_ANSWERS = 10
MIN_MENTORS = 5

LOW, MEDIAN, HIGH = 0.1, 0.5, 0.9
HORIZON_DAYS = 730.0
STEP_DAYS = 0.25
_STEPS = int(HORIZON_DAYS / STEP_DAYS)
_WEEK_DAYS = 7.0
_SHARES = 7
# So many asks in a row, and it is the queue that decides.
_MAX_ATTEMPTS = 8


class Came(IntEnum):
    """What came of a proposal: `LOST` is without an answer (time ran out, or it was taken back)."""

    YES = 0
    NO = 1
    LOST = 2
    OPEN = 3


class Answer(NamedTuple):
    """So many proposals of which that came, `after_days`; `had_time`: all there was for it."""

    after_days: float
    came: Came
    had_time: bool
    number: int = 1


class Opening(NamedTuple):
    """So many places that opened, `at_days` after the beginning; a shared one counts in part."""

    at_days: float
    number: float


@dataclass(frozen=True, slots=True)
class History:
    """A programme as it was for `days` until now, without a name in it.

    `limit_days` is how long an ask waits; `mentors` is how many people are behind all of this.
    """

    days: float
    openings: Sequence[Opening]
    answers: Sequence[Answer]
    limit_days: float
    mentors: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Days until a yes: half wait less than the median, 80 of 100 between low and high.

    `inf` is longer than HORIZON_DAYS.
    """

    low_days: float
    median_days: float
    high_days: float


def expected(history: History, waiting: int, places: int) -> Wait | None:
    """The wait of one of `waiting` people who could ask for `places` at once; None: too early."""
    if not _is_enough(history):
        return None
    answer = _answer_times(history)
    yes, no, lost = _came(history)
    shares = beta.ppf((np.arange(_SHARES) + 0.5) / _SHARES, 0.5 + yes, 0.5 + no + lost)
    none = lost / max(1, no + lost)
    never = _never(history.limit_days)
    open_ = sum(each.number for each in history.answers if each.came is Came.OPEN)
    in_vain = (1.0 - none) * answer + none * never
    whole = np.zeros(_STEPS)
    for share in shares:
        # Whose ask is open comes back into the queue when it is in vain.
        others = max(1, waiting) + (1.0 - float(share)) * open_
        queue = _then(_mine(history, float(share), others), answer)
        whole += _tries(float(share), answer, in_vain, queue, places) / _SHARES
    return _quantiles(whole)


def dispersion(history: History) -> float:
    """How many places open together: the variance of whole weeks over their mean, 1 at least."""
    weeks = int(history.days // _WEEK_DAYS)
    begins = history.days - weeks * _WEEK_DAYS
    edges = begins + _WEEK_DAYS * np.arange(weeks + 1)
    at = np.array([each.at_days for each in history.openings])
    numbers = np.array([each.number for each in history.openings])
    counts, _ = np.histogram(at, edges, weights=numbers)
    mean = float(counts.mean())
    return max(1.0, float(counts.var(ddof=1)) / mean) if mean > 0 else 1.0


def answered_by(answers: Sequence[Answer]) -> tuple[Floats, Floats]:
    """Kaplan and Meier: the times at which answers came, and the share answered by then."""
    at = np.array([each.after_days for each in answers], np.float64)
    number = np.array([each.number for each in answers], np.float64)
    came = np.array([each.came in (Came.YES, Came.NO) for each in answers], np.bool_)
    events = np.unique(at[came])
    # Few different times: they come counted.
    at_risk = (number * (at >= events[:, None])).sum(axis=1)
    answered = (number * came * (at == events[:, None])).sum(axis=1)
    return events, np.asarray(1.0 - np.cumprod(1.0 - answered / at_risk))


def _is_enough(history: History) -> bool:
    if history.days < MIN_DAYS or history.mentors < MIN_MENTORS:
        return False
    opened = sum(each.number for each in history.openings)
    yes, no, lost = _came(history)
    is_known = yes + no + lost >= MIN_ANSWERS
    return is_known and opened / dispersion(history) >= MIN_OPENINGS


def _came(history: History) -> tuple[int, int, int]:
    """Yeses, noes and what was never answered, of proposals that have had all of their time.

    Of the others only quick answers are in, and those are not like the rest.
    """
    counts = [0, 0, 0, 0]
    for each in history.answers:
        counts[each.came] += each.number if each.had_time else 0
    return counts[Came.YES], counts[Came.NO], counts[Came.LOST]


def _answer_times(history: History) -> Floats:
    """(_STEPS,): when an answer comes, of those that come in time."""
    events, share = answered_by(history.answers)
    in_time = events <= history.limit_days
    if not in_time.any():
        return _never(history.limit_days)
    found = np.zeros(_STEPS)
    np.add.at(found, _steps(events[in_time]), np.diff(share[in_time], prepend=0.0))
    return np.asarray(found / found.sum())


def _never(limit_days: float) -> Floats:
    """(_STEPS,): the time is over, and no answer came."""
    found = np.zeros(_STEPS)
    found[_steps(np.array([limit_days]))] = 1.0
    return found


def _mine(history: History, share: float, waiting: float) -> Floats:
    """(_STEPS,): when a place opens that becomes mine, by a yes; what is beyond is missing."""
    batch = dispersion(history)
    shape = 0.5 + sum(each.number for each in history.openings) / batch
    mine = 1.0 - (1.0 - share / waiting) ** batch
    edges = STEP_DAYS * np.arange(_STEPS + 1)
    none_by = (history.days / (history.days + mine * edges)) ** shape
    return np.asarray(-np.diff(none_by))


def _tries(share: float, answer: Floats, in_vain: Floats, queue: Floats, places: int) -> Floats:
    """Asking one after the other while there are places to ask for, and then waiting for more."""
    whole = np.zeros(_STEPS)
    so_far = np.zeros(_STEPS)
    so_far[0] = 1.0
    for _ in range(min(places, _MAX_ATTEMPTS)):
        whole += share * _then(so_far, answer)
        so_far = (1.0 - share) * _then(so_far, in_vain)
    return whole + _then(so_far, queue)


def _then(first: Floats, second: Floats) -> Floats:
    """One after the other."""
    return np.asarray(np.clip(fftconvolve(first, second)[:_STEPS], 0.0, None))


def _steps(days: Floats) -> NDArray[np.int64]:
    return np.minimum(np.rint(days / STEP_DAYS), _STEPS - 1).astype(np.int64)


def _quantiles(whole: Floats) -> Wait:
    by = np.cumsum(whole)
    low, median, high = (
        # A step stands for the time around its middle.
        float(at) * STEP_DAYS if (at := int(np.searchsorted(by, level))) < _STEPS else float("inf")
        for level in (LOW, MEDIAN, HIGH)
    )
    return Wait(low, median, high)
