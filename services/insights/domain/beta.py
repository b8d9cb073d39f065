"""The Beta distribution's 90 % interval, in plain Python. Pure; equal to scipy's to 1e-9.

The continued fraction is DLMF 8.17.22, evaluated by Lentz's method; the quantile is Newton's
method inside a bracket that only ever shrinks, so it always ends.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt

Parameters = tuple[float, float]
Interval = tuple[float, float]

LOW, HIGH = 0.05, 0.95
_Z90 = 1.6448536269514722
_TINY = 1e-300
_EPSILON = 1e-14
_MAX_TERMS = 20_000
_MAX_STEPS = 100
# Newton squares its error, so after a step this small the next would change nothing.
_SMALL_STEP = 1e-9


def cdf(x: float, alpha: float, beta: float) -> float:
    """P(X <= x) for X ~ Beta(alpha, beta): the regularised incomplete beta function."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    scale = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
    front = exp(scale + alpha * log(x) + beta * log1p(-x))
    if x < (alpha + 1.0) / (alpha + beta + 2.0):
        return front * _fraction(x, alpha, beta) / alpha
    return 1.0 - front * _fraction(1.0 - x, beta, alpha) / beta


def _fraction(x: float, alpha: float, beta: float) -> float:
    c, d = 1.0, 1.0 / _off_zero(1.0 - (alpha + beta) * x / (alpha + 1.0))
    value = d
    for m in range(1, _MAX_TERMS):
        even = m * (beta - m) * x / ((alpha + 2 * m - 1) * (alpha + 2 * m))
        d = 1.0 / _off_zero(1.0 + even * d)
        c = _off_zero(1.0 + even / c)
        value *= d * c
        odd = -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2 * m) * (alpha + 2 * m + 1))
        d = 1.0 / _off_zero(1.0 + odd * d)
        c = _off_zero(1.0 + odd / c)
        step = d * c
        value *= step
        if abs(step - 1.0) < _EPSILON:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def quantile(p: float, alpha: float, beta: float) -> float:
    """The x with P(X <= x) = p. `alpha` and `beta` above 0, `p` strictly inside (0, 1)."""
    scale = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
    low, high = 0.0, 1.0
    mean = alpha / (alpha + beta)
    spread = sqrt(mean * (1.0 - mean) / (alpha + beta + 1.0))
    x = min(max(mean + (_Z90 if p > mean else -_Z90) * spread, 1e-3), 1.0 - 1e-3)
    for _ in range(_MAX_STEPS):
        error = cdf(x, alpha, beta) - p
        if error > 0.0:
            high = x
        else:
            low = x
        slope = exp(scale + (alpha - 1.0) * log(x) + (beta - 1.0) * log1p(-x))
        step = error / slope if slope > _TINY else 1.0
        if abs(step) <= _SMALL_STEP:
            return min(max(x - step, low), high)
        x = x - step if low < x - step < high else (low + high) / 2.0
    return x


@lru_cache(maxsize=4096)
def interval(parameters: Parameters) -> Interval:
    """The 90 % interval of Beta(alpha, beta)."""
    return quantile(LOW, *parameters), quantile(HIGH, *parameters)
