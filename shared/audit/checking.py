"""Whether the lines of a chain are those that were written, all of them, in their order. Pure.

Finds a line that was changed, taken out, put in or moved. That the end was cut off, or everything
written anew, is found by an anchor: a head that was kept elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.audit.line import PRUNE, Head, Link, beginning, hash_of
from shared.ids import TenantId


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was kept elsewhere; without `seq` only its hash is known."""

    hash: bytes
    seq: int | None = None


class Checking:
    """One chain, line by line from its first, in memory that does not grow with it."""

    def __init__(self, service: str, tenant: TenantId, anchors: frozenset[Anchor]) -> None:
        self.head = beginning(service, tenant)
        self.lines = 0
        self._missing = set(anchors)
        # Where lines were pruned, until a line about it is found.
        self._pruned_to: Head | None = None

    def take(self, link: Link) -> str | None:
        """What is wrong with the next line, in words; None when nothing is."""
        if self.lines == 0 and link.seq > 1:
            self._pruned_to = self.head = Head(link.seq - 1, link.prev)
            self._found(self.head)
        if link.seq != self.head.seq + 1:
            return f"lines {self.head.seq + 1} to {link.seq - 1} are missing"
        if link.hash != hash_of(link.line, link.seq, link.prev):
            return f"line {link.seq} is not what was written"
        if link.prev != self.head.hash:
            return f"line {link.seq} does not follow the line before it: one of them was put there"
        self.lines += 1
        self.head = Head(link.seq, link.hash)
        self._found(self.head)
        if link.line.route == PRUNE and self._pruned_to is not None:
            ids = dict(link.line.ids)
            if (ids.get("seq"), ids.get("hash")) == _named(self._pruned_to):
                self._pruned_to = None
                self._missing = {it for it in self._missing if not _is_before(it, int(ids["seq"]))}
        return None

    def end(self) -> str | None:
        """What is wrong with the chain as a whole, after its last line."""
        if self._pruned_to is not None:
            return (
                f"lines 1 to {self._pruned_to.seq} are missing, and no line says they were pruned"
            )
        if self._missing:
            names = ", ".join(sorted(it.hash.hex()[:16] for it in self._missing))
            return (
                f"ends at line {self.head.seq} without the head kept elsewhere ({names}): its end"
                " was cut off, or it was written anew"
            )
        return None

    def _found(self, head: Head) -> None:
        self._missing -= {Anchor(head.hash), Anchor(head.hash, head.seq)}


def _named(head: Head) -> tuple[str, str]:
    return str(head.seq), head.hash.hex()


def _is_before(anchor: Anchor, seq: int) -> bool:
    return anchor.seq is not None and anchor.seq < seq
