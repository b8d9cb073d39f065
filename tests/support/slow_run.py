"""A child of a run that says how far it is, and then goes on for ever. Holds no test."""

from __future__ import annotations

import sys

from services.matching.run_child import progress

if __name__ == "__main__":
    sys.stdin.buffer.readline()
    progress("candidates", 3, 10)
    while sys.stdin.buffer.read(1):
        pass
