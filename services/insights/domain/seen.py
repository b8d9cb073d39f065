"""The answers a pair gave lately: enough to tell which of them both sides now know. Pure.

Twin of `answers.revealed` for evidence that comes one by one. It forgets what is too old to meet a
new answer, and refuses one so late that it might have met what was forgotten.
"""

from __future__ import annotations

from typing import NamedTuple

NEVER = -(2**63)
# Several a session and a few sessions in the window; a pair with more is refolded more often.
MOST = 24


class Answer(NamedTuple):
    """One that is remembered."""

    ref: int
    at_us: int
    kind: int
    about: int
    known: bool


class Met(NamedTuple):
    """What a new answer changes: whether it is known, and which (time, kind, about) now are."""

    known: bool
    revealed: list[tuple[int, int, int]]


class Seen:
    """The answers of one pair within the window before the newest of them."""

    __slots__ = ("answers", "forgotten_us", "window_us")

    def __init__(self, window_us: int) -> None:
        self.window_us = window_us
        self.answers: list[Answer] = []
        self.forgotten_us = NEVER

    def meet(self, ref: int, at_us: int, kind: int, about: int, *, known: bool) -> Met | None:
        """Take in an answer. None, and nothing changed, if it might have met a forgotten one."""
        if at_us - self.window_us <= self.forgotten_us:
            return None
        revealed = []
        for place, other in enumerate(self.answers):
            if other.ref != ref or other.about == about:
                continue
            if abs(other.at_us - at_us) <= self.window_us:
                known = True
                if not other.known:
                    self.answers[place] = other._replace(known=True)
                    revealed.append((other.at_us, other.kind, other.about))
        self.remember(Answer(ref, at_us, kind, about, known))
        return Met(known, revealed)

    def remember(self, answer: Answer) -> None:
        """Keep an answer, and forget what no newer one can meet."""
        self.answers.append(answer)
        newest_us = max(other.at_us for other in self.answers)
        kept = [other for other in self.answers if other.at_us >= newest_us - self.window_us]
        kept = sorted(kept, key=lambda other: other.at_us)[-MOST:]
        if len(kept) < len(self.answers):
            gone = set(self.answers) - set(kept)
            self.forgotten_us = max(self.forgotten_us, *(other.at_us for other in gone))
            self.answers = kept
