"""TLS before a PostgreSQL that was built without it: answers the request for TLS, then passes on.

The embedded server has none. What a client does about certificates is the same before this.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from tests.support.certificates import Certificates

# PostgreSQL's SSLRequest: a length and a code.
REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
READY_S = 10.0


class TlsFront:
    """Listens on loopback. `refused` counts those who did not ask for TLS."""

    def __init__(self, dsn: str, made: Certificates) -> None:
        parts = urlsplit(dsn)
        self._host, self._port = str(parts.hostname), int(parts.port or 5432)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(made.certificate, made.key)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self.port = 0
        self.passed = self.refused = 0

    def dsn(self, dsn: str, ca: str) -> str:
        """The same database, by this way, with its certificate verified."""
        parts = urlsplit(dsn)
        user = parts.netloc.rpartition("@")[0]
        query = f"sslmode=verify-full&sslrootcert={ca}"
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self.port}", query=query))

    @contextmanager
    def running(self) -> Iterator[TlsFront]:
        """Serve on a thread of its own until the context ends."""
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        thread.start()
        assert self._ready.wait(READY_S)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(READY_S)

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._passed, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(REQUEST)) != REQUEST:
                self.refused += 1
                writer.close()
                return
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._tls)
            self.passed += 1
            there = await asyncio.open_connection(self._host, self._port)
            await asyncio.wait(
                [
                    asyncio.create_task(_pump(reader, there[1])),
                    asyncio.create_task(_pump(there[0], writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            there[1].close()
        writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while part := await source.read(65_536):
            sink.write(part)
            await sink.drain()
