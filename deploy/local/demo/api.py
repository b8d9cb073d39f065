"""The four public HTTP APIs as their callers use them. Decides nothing; an error ends the demo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import orjson

from deploy.local.network import SERVICES, Network
from shared.ids import TenantId

Role = Literal["participant", "manager", "service"]
IN_FLIGHT = 12
TIMEOUT_S = 30.0
# Below the servers' own five seconds, so that no request goes out on a connection being closed.
KEEP_ALIVE_S = 4.0
DEMO = "demo"


class DemoFailed(RuntimeError):
    """The demo cannot go on, or did not come out as it must. The text says what was seen."""


class Api:
    """Calls the services of a network for one tenant. An async context manager."""

    def __init__(self, network: Network, tenant: TenantId) -> None:
        self._urls = {service: network.url(service) for service in SERVICES}
        self._tenant, self._issuer = tenant, network.issuer
        limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE_S)
        # Many small pools, not a large one: a pool looks at all its connections for each request.
        self._lanes = [
            # Plain HTTP on loopback: no certificates to load.
            httpx.AsyncClient(limits=limits, timeout=TIMEOUT_S, trust_env=False, verify=False)
            for _ in range(IN_FLIGHT)
        ]
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for lane in self._lanes:
            self._free.put_nowait(lane)
        self.calls = 0

    async def get(
        self, service: str, path: str, *, person: str = DEMO, role: Role = "service"
    ) -> Any:
        """What a GET answers; DemoFailed unless it is a success."""
        return await self._call("GET", service, path, person=person, role=role, body=None)

    async def post(
        self,
        service: str,
        path: str,
        *,
        person: str,
        role: Role = "participant",
        body: Mapping[str, object] | None = None,
    ) -> Any:
        """What a POST answers; DemoFailed unless it is a success."""
        return await self._call("POST", service, path, person=person, role=role, body=body)

    async def put(
        self, service: str, path: str, *, person: str, role: Role, body: Mapping[str, object]
    ) -> Any:
        """What a PUT answers; DemoFailed unless it is a success."""
        return await self._call("PUT", service, path, person=person, role=role, body=body)

    async def knows(self, service: str, path: str, *, person: str) -> bool:
        """Whether there is such a thing, for this person."""
        headers = self._headers(person, "participant")
        async with self._lane() as http:
            answer = await http.get(self._urls[service] + path, headers=headers)
        return answer.is_success

    async def lag(self, service: str) -> int:
        """How many records the service is behind the log, as far as it knows."""
        async with self._lane() as http:
            answer = await http.get(f"{self._urls[service]}/health/ready")
        found = orjson.loads(answer.content)
        if answer.status_code != httpx.codes.OK:
            raise DemoFailed(f"{service} is not ready: {', '.join(found.get('reasons', []))}")
        return int(found["lag"])

    async def _call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        person: str,
        role: Role,
        body: Mapping[str, object] | None,
    ) -> Any:
        headers = self._headers(person, role)
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = orjson.dumps(body)
        self.calls += 1
        url = self._urls[service] + path
        async with self._lane() as http:
            answer = await http.request(method, url, headers=headers, content=content)
        if not answer.is_success:
            said = answer.text[:300]
            raise DemoFailed(f"{service}: {method} {path} by {person}: {answer.status_code} {said}")
        return orjson.loads(answer.content) if answer.content else None

    @asynccontextmanager
    async def _lane(self) -> AsyncIterator[httpx.AsyncClient]:
        lane = await self._free.get()
        try:
            yield lane
        finally:
            self._free.put_nowait(lane)

    def _headers(self, person: str, role: Role) -> dict[str, str]:
        return self._issuer.headers(person, role, self._tenant)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lane in self._lanes:
            await lane.aclose()
