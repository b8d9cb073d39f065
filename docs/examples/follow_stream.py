"""Follows the trust of every pair: `follow_stream.py URL TOKEN`, a line of JSON for each change.

It needs httpx alone. Whatever ends a connection, it goes on where it was.
"""

from __future__ import annotations

import sys
import time

import httpx


def follow(url: str, token: str) -> None:
    """Print what comes, for ever."""
    asked = {"Authorization": f"Bearer {token}"}
    patience = httpx.Timeout(10, read=40)  # a heartbeat comes every 15 seconds
    while True:
        try:
            with httpx.stream("GET", f"{url}/v1/stream", headers=asked, timeout=patience) as answer:
                if answer.status_code == 400:
                    asked.pop("Last-Event-ID")  # not an id of this stream: begin anew
                event = ""
                for line in answer.raise_for_status().iter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        asked["Last-Event-ID"] = value
                    elif name == "event":
                        event = value
                    elif name == "data" and event in ("snapshot", "trust"):
                        sys.stdout.write(value + "\n")
                        sys.stdout.flush()
        except httpx.HTTPError as error:
            sys.stderr.write(f"again in 2 s: {error!r}\n")
        time.sleep(2)


if __name__ == "__main__":
    follow(*sys.argv[1:])
