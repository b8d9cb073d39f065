"""A real SMTP server on loopback that keeps what it gets: for `make up`, the demo and the tests.

It delivers to nobody. Nothing in a service knows of it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Awaitable
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
KEPT = 10_000


class Mailbox:
    """Starts with its construction, on a free port; keeps the newest KEPT mails.

    A subclass may answer as a difficult server would, by overriding `answer_recipient` or
    `answer_data`. Both run in the server's own thread.
    """

    def __init__(self, port: int = 0) -> None:
        self._mails: deque[EmailMessage] = deque(maxlen=KEPT)
        self._arrived = threading.Condition()
        # Bound here and handed over, so that nobody can take the port in between.
        self._socket = socket.create_server((HOST, port))
        self._controller = _Controller(self, self._socket)
        self._controller.start()

    @property
    def port(self) -> int:
        """Where it listens, on HOST."""
        return self._controller.port

    @property
    def messages(self) -> tuple[EmailMessage, ...]:
        """What has been accepted so far, oldest first."""
        with self._arrived:
            return tuple(self._mails)

    def wait_for(self, count: int, timeout_s: float = 10.0) -> bool:
        """Block until `count` mails have been accepted; False when the time is over."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self._mails) >= count, timeout_s)

    def stop(self) -> None:
        """Stop listening. What was accepted can still be read."""
        self._controller.stop()
        self._socket.close()

    def answer_recipient(self, _address: str) -> str:
        """The reply to RCPT TO."""
        return "250 OK"

    def answer_data(self, _mail: EmailMessage) -> str:
        """The reply to DATA. Whatever it is, a mail counts as accepted with a 2xx alone."""
        return "250 kept"

    # aiosmtpd finds its hooks by these names.
    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answer_recipient(address)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        answer = self.answer_data(mail)
        if answer.startswith("2"):
            with self._arrived:
                self._mails.append(mail)
                self._arrived.notify_all()
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Controller(Controller):
    """aiosmtpd's thread and event loop, on a socket that is already bound."""

    def __init__(self, handler: Mailbox, listening: socket.socket) -> None:
        port = listening.getsockname()[1]
        super().__init__(handler, hostname=HOST, port=port, enable_SMTPUTF8=True)
        self._listening = listening

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)
