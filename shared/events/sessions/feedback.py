"""The private answers after a session."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.events.fact import PairFact, Person
from shared.events.topics import FEEDBACK, Topic
from shared.ids import SessionId

FeedbackItem = Literal["listened", "honest", "prepared", "at_ease"]


class FeedbackGiven(PairFact):
    """A private yes or no about the other side, after a session. For insights alone.

    `shared` is the giver's own wish that the other side may see it.
    """

    type: ClassVar[str] = "feedback.given"
    version: ClassVar[int] = 2
    topic: ClassVar[Topic] = FEEDBACK

    session_id: SessionId
    by: Person
    about: Person
    item: FeedbackItem
    answer: bool
    shared: bool = False
