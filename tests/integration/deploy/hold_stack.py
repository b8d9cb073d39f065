"""A process for the tests to end in every way: starts a stack, says so, then waits or fails."""

from __future__ import annotations

import json
import signal
import sys
import threading

from deploy.local.stack import Stack


def main(ending: str) -> None:
    """Start a stack, print what it runs, and end the way that is asked for."""
    # A shell that runs us in the background has SIGINT ignored; a terminal has not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stack = Stack.start(environ={})
    assert stack.kafka is not None
    assert stack.postgres is not None
    told = {"run_dir": str(stack.run_dir), "pids": [stack.kafka.pid(1), stack.postgres.pid]}
    print(json.dumps(told), flush=True)
    if ending == "exception":
        raise RuntimeError("on purpose")
    if ending == "wait":
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
