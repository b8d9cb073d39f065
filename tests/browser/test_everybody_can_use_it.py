"""Every view for everybody: axe, keyboard alone, small and large screens, the dark, paper.

The rules are those of WCAG 2.2 AA, as axe-core holds them.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from deploy.local.page import modules
from tests.browser.conftest import HR, MANAGER, Town, Visit

pytestmark = pytest.mark.stack

WIDTHS = (360, 3840)
# Until matching has told a person's name, their id stands there.
IDS = re.compile(r"\be1\d{3}\b")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def views(town: Town) -> dict[str, tuple[str, str]]:
    """Each view by its name: who looks at it, and where."""
    mentee = "mentee"
    return {
        "a programme": (MANAGER, "/"),
        "a pair": (MANAGER, f"/pairs/{town.couple.pair_id}"),
        "figures": (HR, "/"),
        "my mentoring": (mentee, "/me"),
        "nothing here": (MANAGER, "/pairs/nobody"),
    }


VIEWS = ("a programme", "a pair", "figures", "my mentoring", "nothing here")


async def settled(page: Page) -> None:
    """Everything that was asked for is there."""
    await expect(page.locator(".loading")).to_have_count(0, timeout=15_000)


async def axe(page: Page) -> list[str]:
    """What axe finds wrong, in words."""
    # Through the debugger: the page's own policy lets no foreign script in.
    await page.evaluate((modules() / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
    found: Any = await page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{wrong['id']}: {node['html'][:120]}"
        for wrong in found["violations"]
        for node in wrong["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
async def test_axe_finds_nothing(visit: Visit, town: Town, view: str, scheme: str) -> None:
    who, path = views(town)[view]
    page = await visit(path, as_=who, refused=view == "nothing here", color_scheme=scheme)
    await settled(page)
    assert await axe(page) == []


async def test_axe_finds_nothing_before_one_is_signed_in(visit: Visit) -> None:
    page = await visit()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("link", name="Sign in").wait_for()
    assert await axe(page) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", VIEWS[:4])
async def test_nothing_hangs_over_the_edge(visit: Visit, town: Town, view: str, width: int) -> None:
    who, path = views(town)[view]
    page = await visit(path, as_=who, viewport={"width": width, "height": 900})
    await settled(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


async def test_the_keyboard_alone_leads_to_a_pair_and_back(visit: Visit) -> None:
    page = await visit()
    await settled(page)
    await expect(page.locator("main")).not_to_contain_text(IDS)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    for _ in range(60):
        focused = page.locator(":focus")
        if (await focused.get_attribute("href") or "").startswith("/pairs/"):
            break
        assert await focused.evaluate("it => getComputedStyle(it).outlineStyle !== 'none'"), (
            await focused.evaluate("it => it.outerHTML")
        )
        await page.keyboard.press("Tab")
    name = await page.locator(":focus").inner_text()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="All pairs")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="autumn leads")).to_be_visible()


async def test_every_chart_has_a_table_and_a_sentence(visit: Visit) -> None:
    page = await visit()
    await settled(page)
    figures = await page.locator("figure").all()
    assert len(figures) >= 3
    for figure in figures:
        if await figure.locator(".bars").count():  # text already
            continue
        assert await figure.locator(".chart svg").count() == 1
        assert (await figure.locator("figcaption").inner_text()).endswith(".")
        await figure.locator("summary").click()
        assert await figure.locator("tbody tr").count() >= 1


async def test_whoever_wants_no_motion_gets_none(visit: Visit) -> None:
    page = await visit(reduced_motion="reduce")
    lasts = "it => parseFloat(getComputedStyle(it).transitionDuration)"
    assert (
        await page.evaluate(f"Math.max(...[...document.querySelectorAll('*')].map({lasts}))") == 0
    )


async def test_on_paper_only_the_content_is_left(visit: Visit) -> None:
    page = await visit()
    await settled(page)
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    await expect(page.get_by_role("heading", name="Who could use help")).to_be_visible()


async def test_dates_and_numbers_are_the_readers_own(visit: Visit, town: Town) -> None:
    path = f"/pairs/{town.couple.pair_id}"
    page = await visit(path, locale="de-DE", timezone_id="Europe/Berlin")
    await settled(page)
    german = await page.locator(".timeline time").first.inner_text()
    assert german[-5:-4] in (" ", ".")
    assert "," not in german
