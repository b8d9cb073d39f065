"""A process that tells every metric, a little more at each look; for tests of who collects them.

python -m tests.support.measured PORT
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from typing import get_args

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from services.notifications.domain.message import Channel
from shared import metrics
from shared.command import SERVICES

# Values as the services give them: a query that asks for another gets nothing.
VALUES: dict[str, tuple[str, ...]] = {
    "service": tuple(SERVICES),
    "group": tuple(SERVICES),
    "method": ("GET", "POST"),
    "route": ("/v1/pairs/{pair_id}",),
    "stream": ("service", "manager", "pair"),
    "error": ("ConnectionRefusedError", "DeadLetterCapReached"),
    "loop": ("sweeper",),
    "channel": get_args(Channel),
}
STATES: dict[object, tuple[str, ...]] = {
    metrics.RECORDS: ("applied", "repeated", "dead_lettered"),
    metrics.DEAD_LETTERS: ("parked", "redriving"),
    metrics.REQUEST_SECONDS: ("2xx", "5xx"),
    metrics.RUNS: ("queued", "running", "committing"),
    metrics.RUN_SECONDS: ("done", "failed"),
    metrics.MESSAGES: ("sent", "failed", "queued"),
}


def tell_more() -> None:
    """One more of everything that is counted; one of everything that is there."""
    for one in vars(metrics).values():
        if isinstance(one, Counter | Gauge | Histogram):
            values = [VALUES.get(label) or STATES[one] for label in one._labelnames]
            for labels in product(*values):
                child = one.labels(*labels) if labels else one
                if isinstance(child, Counter):
                    child.inc()
                elif isinstance(child, Gauge):
                    child.set(1)
                else:
                    child.observe(0.2)


class _Told(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        tell_more()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.end_headers()
        self.wfile.write(generate_latest())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), _Told).serve_forever()
