"""The one error of the local stack. Its text says what happened and what to do next."""

from __future__ import annotations


class StackError(RuntimeError):
    """The local broker or database cannot be started, or died."""
