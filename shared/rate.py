"""Token buckets: how much of something each of many may do. Pure; the clock is an argument.

A bucket refills at `per_s` and holds at most `burst` (Turner 1986, "leaky bucket as a meter").
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Buckets:
    """A bucket for each key, for at most `most` keys: the one that was asked least recently is
    forgotten first, and starts full again.
    """

    def __init__(self, per_s: float, burst: float, most: int = 10_000) -> None:
        self._per_s, self._burst, self._most = per_s, burst, most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, cost: float, now_s: float) -> float:
        """0.0 when `cost` was taken; else how many seconds to wait until it could be.

        What costs more than a bucket holds is let through when the bucket is full, and paid after.
        """
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now_s))
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        since_s = max(0.0, now_s - bucket.at_s)
        bucket.left = min(self._burst, bucket.left + since_s * self._per_s)
        bucket.at_s = now_s
        needed = min(cost, self._burst)
        if bucket.left < needed:
            return (needed - bucket.left) / self._per_s
        bucket.left -= cost
        return 0.0
