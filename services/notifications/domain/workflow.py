"""Kinds of messages: what each is worth to its reader, and how it comes unless they say otherwise.

Pure. The words of a workflow are in `templates/`, the facts that make one in `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.notifications.domain.message import Channel

# `now` is as soon as its reader may be written to; `digest` is with others, in one mail.
Mode: TypeAlias = Literal["now", "digest", "off"]
# What a preference is set for: a reader thinks in these, not in workflows.
Category: TypeAlias = Literal["matching", "agreement", "sessions", "promises", "care", "digest"]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A kind of message. `channels` are all it can come by, each with its mode by default.

    `value` (1 to 100) is what not reading it in time costs its reader: of several, the most
    valuable are said first, and alone when there is no attention for more. `is_critical` ones take
    no notice of preferences and budget. `is_transactional` ones answer what the reader or the other
    side has just done, and have no link to unsubscribe.
    """

    name: str
    category: Category
    value: int
    channels: Mapping[Channel, Mode]
    is_critical: bool = False
    is_transactional: bool = False
