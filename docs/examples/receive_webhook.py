"""Receives what an endpoint is sent: `receive_webhook.py PORT`, the secret in WEBHOOK_SECRET.

It needs standardwebhooks alone. What is not signed by that secret is refused; what comes twice is
taken once. Behind a proxy that ends TLS, as any small service.
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = Webhook(os.environ["WEBHOOK_SECRET"])
# A real receiver keeps these where its own data is, and commits both at once.
taken: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            event = SECRET.verify(body, {name.lower(): it for name, it in self.headers.items()})
        except WebhookVerificationError:
            self.send_response(401)
        else:
            if self.headers["webhook-id"] not in taken:
                taken.add(self.headers["webhook-id"])
                sys.stdout.write(f"{event['type']} {event['id']}\n")
                sys.stdout.flush()
            self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
