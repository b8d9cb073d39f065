"""A network with some weeks behind it, and a browser that looks at its page. Holds no test.

The browser is the system's own Chromium. Where there is none, these tests say so and are skipped.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from playwright.async_api import Browser, Page, async_playwright

from deploy.local.demo import drive, quiet
from deploy.local.demo.api import Api
from deploy.local.demo.director import MAIL_SETTINGS, PACE
from deploy.local.demo.log import Log
from deploy.local.demo.noise import Couple
from deploy.local.demo.size import DemoSize
from deploy.local.demo.story import story
from deploy.local.living import SEED, Living
from deploy.local.mailbox import HOST, Mailbox
from deploy.local.network import Network, NetworkOptions
from deploy.local.stack import Stack
from shared.clock import FileClock
from shared.ids import TenantId

TENANT = TenantId("northwind")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WEEKS = 11
MANAGER, HR = "runs autumn-leads", "Human resources"

Visit: TypeAlias = Callable[..., Awaitable[Page]]


@dataclass
class Town:
    """The running network, its pairs, and what the people in it may still do."""

    network: Network
    clock: FileClock
    api: Api
    couples: Sequence[Couple]

    @property
    def couple(self) -> Couple:
        """One whose story goes on; the first one's, and the fifth one's, has an end."""
        return self.couples[1]

    @property
    def url(self) -> str:
        return self.network.gateway.url


@pytest.fixture(scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Fourteen pairs, of whom twelve still run, and eleven weeks of their life, up to now."""
    file = tmp_path_factory.mktemp("page") / "clock"
    clock = FileClock(file)
    size = _size(datetime.now(UTC))
    clock.set(size.starts_at)
    with Stack.start() as stack, Mailbox() as mailbox:
        options = NetworkOptions(
            clock_file=file,
            smtp=(HOST, mailbox.port),
            environ={**MAIL_SETTINGS, **PACE},
            page=True,
        )
        with Network(stack, options) as network:
            await asyncio.to_thread(network.start)
            async with Api(network, TENANT) as api, Log(stack.kafka_bootstrap) as log:
                couples = await Living(network, clock, size, TENANT).begin(api, log)
                stage = drive.Stage(api, log, clock, TENANT)
                past = [act for act in story(size, SEED) if act.at <= datetime.now(UTC)]
                await drive.perform(stage, couples, past, (), _no_day)
                await quiet.at_rest(api, log, stage.now)
                yield Town(network, clock, api, couples)


def _size(now: datetime) -> DemoSize:
    began = (now - timedelta(weeks=WEEKS)).date()
    monday = began - timedelta(days=began.weekday())
    starts_at = datetime.combine(monday, datetime.min.time(), UTC) + timedelta(hours=8)
    return DemoSize(people=40, pairs=14, weeks=WEEKS + 1, starts_at=starts_at)


async def _no_day(_: date) -> None:
    return


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no browser here: install chromium, and the page is tested too")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        await running.close()


@dataclass
class Noticed:
    """What a page must never do: say an error, or ask another host."""

    own: str
    refused: bool = False
    wrong: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", self._said)
        page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        is_refusal = "responded with a status of " in message.text
        if message.type == "error" and not (self.refused and is_refusal):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.own, "data:", "blob:")):
            self.wrong.append(f"asked {request.url}")


@pytest.fixture
async def visit(town: Town, browser: Browser) -> AsyncIterator[Visit]:
    """`page = await visit("/", as_="Human")`: the page in a browser of its own, signed in.

    At the end of the test the page must have said no error, and asked nobody but our own host; with
    `refused`, the services may have refused to tell it something.
    """
    noticed = Noticed(town.url)
    async with AsyncExitStack() as opened:

        async def go(
            path: str = "/", *, as_: str = MANAGER, refused: bool = False, **how: Any
        ) -> Page:
            noticed.refused = refused
            settings = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **how}
            context = await browser.new_context(**settings)
            opened.push_async_callback(context.close)
            page = await context.new_page()
            await page.goto(town.url)
            await page.get_by_role("link", name="Sign in").click()
            await page.get_by_role("button", name=as_).first.click()
            await page.get_by_role("button", name="Sign out").wait_for()
            noticed.watch(page)
            if path != "/":
                await page.goto(town.url + path)
            await page.get_by_role("heading", level=1).wait_for()
            return page

        yield go
    assert not noticed.wrong
