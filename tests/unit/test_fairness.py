"""Each tenant's share of one process: whose turn it is, and who is told to come again."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from shared.fairness import ALONE_AFTER_S, Admission, Crowded, FairShare, Shares
from tests.support.callers import as_, signed_in


def shares(in_flight: int, per_tenant: int, waiting: int) -> Shares:
    """As many of one tenant beside others as by itself."""
    return Shares(in_flight, per_tenant, beside_others=per_tenant, waiting=waiting)


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def asking(admission: Admission, tenant: str, order: list[str]) -> asyncio.Task[None]:
    async def enter() -> None:
        await admission.enter(tenant)
        order.append(tenant)

    return asyncio.create_task(enter())


async def test_one_tenant_runs_no_more_than_its_share_at_once() -> None:
    admission, order = (
        Admission(shares(8, 2, 10)),
        list[str](),
    )
    tasks = [asking(admission, "loud", order) for _ in range(5)]
    await settle()
    assert order == ["loud"] * 2
    admission.leave("loud")
    await settle()
    assert order == ["loud"] * 3
    for task in tasks:
        task.cancel()


async def test_what_one_tenant_leaves_free_another_has_at_once() -> None:
    admission, order = (
        Admission(shares(8, 2, 50)),
        list[str](),
    )
    tasks = [asking(admission, "loud", order) for _ in range(40)]
    await settle()
    tasks.append(asking(admission, "quiet", order))
    await settle()
    assert order == ["loud", "loud", "quiet"]
    for task in tasks:
        task.cancel()


async def test_places_go_round_the_tenants_and_not_down_the_line() -> None:
    # given one place, taken, and a long line of one tenant before two short ones
    admission, order = (
        Admission(shares(1, 1, 50)),
        list[str](),
    )
    await admission.enter("first")
    tasks = [asking(admission, "loud", order) for _ in range(10)]
    await settle()
    tasks += [asking(admission, who, order) for who in ("quiet", "third", "quiet")]
    await settle()
    # when place after place becomes free
    leaving = "first"
    for _ in range(6):
        admission.leave(leaving)
        await settle()
        leaving = order[-1]
    # then each tenant's next comes before anybody's second
    assert order == ["loud", "quiet", "third", "loud", "quiet", "loud"]
    for task in tasks:
        task.cancel()


async def test_a_line_has_an_end_and_only_its_own_tenant_meets_it() -> None:
    admission, order = (
        Admission(shares(8, 1, 2)),
        list[str](),
    )
    tasks = [asking(admission, "loud", order) for _ in range(3)]
    await settle()
    with pytest.raises(Crowded):
        await admission.enter("loud")
    await admission.enter("quiet")
    for task in tasks:
        task.cancel()


async def test_whoever_gives_up_waiting_leaves_no_place_taken() -> None:
    admission, order = (
        Admission(shares(1, 1, 5)),
        list[str](),
    )
    await admission.enter("loud")
    gone, stays = asking(admission, "loud", order), asking(admission, "quiet", order)
    await settle()
    gone.cancel()
    await settle()
    admission.leave("loud")
    await settle()
    assert order == ["quiet"]
    admission.leave("quiet")
    await stays
    assert admission._lines == {}
    assert admission._running == 0


async def test_a_place_given_to_one_who_gave_up_meanwhile_is_passed_on() -> None:
    admission, order = (
        Admission(shares(1, 1, 5)),
        list[str](),
    )
    await admission.enter("loud")
    gone, _ = asking(admission, "loud", order), asking(admission, "quiet", order)
    await settle()
    admission.leave("loud")  # gives the place to the one who is cancelled before it wakes
    gone.cancel()
    await settle()
    assert order == ["quiet"]


async def test_beside_others_a_tenant_has_less_than_by_itself() -> None:
    now_s = [0.0]
    wanted = Shares(in_flight=9, per_tenant=3, beside_others=1, waiting=50)
    admission, order = Admission(wanted, lambda: now_s[0]), list[str]()
    tasks = [asking(admission, "loud", order) for _ in range(20)]
    await settle()
    assert order == ["loud"] * 3
    # when somebody else asks, the loud one begins nothing until it has one place
    tasks.append(asking(admission, "quiet", order))
    await settle()
    assert order == ["loud"] * 3 + ["quiet"]
    admission.leave("loud")
    admission.leave("loud")
    await settle()
    assert order == ["loud"] * 3 + ["quiet"]
    admission.leave("loud")
    await settle()
    assert order == ["loud"] * 3 + ["quiet", "loud"]
    # and has all of its places again once it is alone for a while
    admission.leave("quiet")
    now_s[0] = ALONE_AFTER_S + 1
    admission.leave("loud")
    await settle()
    assert order == ["loud"] * 3 + ["quiet", "loud"] + ["loud"] * 3
    for task in tasks:
        task.cancel()


class Held:
    """An application whose answers wait until they are let go."""

    def __init__(self, content_type: bytes = b"application/json") -> None:
        self.let_go = asyncio.Event()
        self.begun = 0
        self._content_type = content_type

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.begun += 1
        headers = [(b"content-type", self._content_type)]
        if self._content_type.startswith(b"text/event-stream"):
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self.let_go.wait()
        else:
            await self.let_go.wait()
            await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


def calling(app: FairShare, tenant: str | None) -> asyncio.Task[httpx.Response]:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(signed_in(app)), base_url="http://test")
    headers = as_("ann", tenant=tenant) if tenant is not None else {}
    return asyncio.create_task(http.get("/v1/pairs", headers=headers))


async def test_beyond_the_line_is_a_problem_that_says_when_to_come_again() -> None:
    held = Held()
    app = FairShare(held, shares(4, 1, 1))
    within = [calling(app, "loud") for _ in range(2)]
    await settle()
    refused = await calling(app, "loud")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "2"
    assert refused.json()["type"] == "urn:trustfold:problem:too-many-requests"
    held.let_go.set()
    assert [(await each).status_code for each in within] == [200, 200]


async def test_what_has_no_tenant_goes_past_every_line() -> None:
    held = Held()
    app = FairShare(held, shares(1, 1, 0))
    calls = [calling(app, "loud"), calling(app, None), calling(app, None)]
    await settle()
    assert held.begun == 3
    held.let_go.set()
    await asyncio.gather(*calls)


async def test_an_open_stream_takes_nobodys_place() -> None:
    held = Held(b"text/event-stream; charset=utf-8")
    app = FairShare(held, shares(1, 1, 0))
    streams = []
    for count in range(1, 4):
        streams.append(calling(app, "loud"))
        await settle()
        assert held.begun == count
    held.let_go.set()
    await asyncio.gather(*streams)


async def test_an_application_that_fails_gives_its_place_back() -> None:
    async def failing(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("it broke")

    app = FairShare(failing, shares(1, 1, 0))
    for _ in range(3):
        with pytest.raises(RuntimeError, match="it broke"):
            await calling(app, "loud")
