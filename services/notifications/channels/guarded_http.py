"""HTTP to addresses that other people gave us: no way into our own network. Knows no message.

The name is resolved here, every address it has is checked, and the connection is made to one of
those that were checked: a name that answers differently the next moment changes nothing. The
certificate is still checked for the name. No proxy, no redirect, no cookie; the whole exchange has
one time limit, and of the answer's body no more than a limit is read, and none of it kept.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Literal, TypeAlias

import httpcore
import httpx

from services.notifications.domain.web_address import Reach, WebAddress

MAX_ANSWER_BYTES = 64 * 1024
KEEPALIVE_S = 30.0
USER_AGENT = "Trustfold/1"
Code: TypeAlias = Literal[
    "no_such_host",
    "address_refused",
    "cannot_connect",
    "tls_failed",
    "timed_out",
    "cut_off",
    "bad_answer",
]
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


class HttpFailed(Exception):
    """There was no answer. `code` says why; it names no address."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: a status, and for how long not to ask again."""

    status: int
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """`timeout_s` is for one request in all; `at_once` is how many connections there may be."""

    timeout_s: float = 15.0
    at_once: int = 32


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address the name has now, in the order the system prefers. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class GuardedHttp:
    """A client for the whole life of a process. `aclose` ends its connections."""

    def __init__(
        self,
        reach: Reach,
        limits: HttpLimits | None = None,
        *,
        resolve: Resolve = resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or HttpLimits()
        # Nothing of the environment: neither its proxies nor its certificates.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or httpx.create_ssl_context(trust_env=False),
            max_connections=self._limits.at_once,
            max_keepalive_connections=self._limits.at_once,
            keepalive_expiry=KEEPALIVE_S,
            network_backend=_Guard(reach, resolve),
        )

    async def post(
        self, to: WebAddress, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Answer:
        """Post the body and give the answer's status. Raises HttpFailed where there is none.

        Once there is a status, how the rest of the answer ends changes nothing.
        """
        try:
            async with asyncio.timeout(self._limits.timeout_s) as deadline:
                response = await self._pool.handle_async_request(_request(to, headers, body))
        except (TimeoutError, httpcore.TimeoutException):
            raise HttpFailed("timed_out") from None
        except httpcore.ConnectError as error:
            raise HttpFailed("tls_failed" if _is_tls(error) else "cannot_connect") from None
        except httpcore.RemoteProtocolError as error:
            # h11 says so when the connection ends before an answer does.
            is_cut = "disconnected" in str(error)
            raise HttpFailed("cut_off" if is_cut else "bad_answer") from None
        except httpcore.NetworkError:
            raise HttpFailed("cut_off") from None
        await self._drain(response, deadline.when())
        told = {name.lower(): value for name, value in response.headers}.get(b"retry-after")
        return Answer(response.status, read_retry_after(told, now))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._pool.aclose()

    async def _drain(self, response: httpcore.Response, until: float | None) -> None:
        """Read what fits, so that the connection can be used again; else it is closed."""
        read = 0
        assert not isinstance(response.stream, list)
        try:
            async with asyncio.timeout_at(until):
                async for part in response.aiter_stream():
                    read += len(part)
                    if read > MAX_ANSWER_BYTES:
                        break
        except (TimeoutError, httpcore.TimeoutException, httpcore.ProtocolError):
            pass
        except httpcore.NetworkError:
            pass
        finally:
            await response.aclose()


def read_retry_after(told: bytes | None, now: datetime) -> timedelta | None:
    """For how long not to ask again (RFC 9110 10.2.3), None where nothing sensible was said."""
    if told is None:
        return None
    text = told.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**7)) or None
    try:
        at = parsedate_to_datetime(text)
        waits = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return waits if waits > timedelta() else None


def _request(to: WebAddress, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    # The parts as they were checked: nobody reads the URL a second time, in another way.
    url = httpcore.URL(
        scheme=to.scheme.encode(),
        host=to.host.encode(),
        port=to.port,
        target=to.target.encode(),
    )
    named = {
        "host": to.origin.partition("://")[2],
        "user-agent": USER_AGENT,
        "content-length": str(len(body)),
        **headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return httpcore.Request("POST", url, headers=raw, content=body)


class _Guard(httpcore.AsyncNetworkBackend):
    """Makes the pool's connections, and only to addresses that were checked."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach = reach
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the name is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the name's addresses that answers."""
        failed: httpcore.ConnectError | None = None
        for address in await self._checked(host, port):
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failed = error
        raise failed or HttpFailed("no_such_host")

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            found = [str(ip_address(host))]
        except ValueError:
            try:
                found = list(dict.fromkeys(await self._resolve(host, port)))
            except (OSError, UnicodeError):
                raise HttpFailed("no_such_host") from None
        # One bad address is enough: who mixes them tries to get in by the next.
        if not all(_lets_in(self._reach, address) for address in found):
            raise HttpFailed("address_refused")
        return found


def _is_tls(error: BaseException | None) -> bool:
    """Whether TLS is what failed, however often it was wrapped on its way here."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _lets_in(reach: Reach, address: str) -> bool:
    try:
        return reach.lets_in(ip_address(address))
    except ValueError:
        return False
