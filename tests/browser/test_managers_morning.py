"""A manager's morning, told to the end: what they see, whom they look at, and that it moves."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Town, Visit

pytestmark = pytest.mark.stack

LIVE = "live"


async def is_live(page: Page) -> None:
    await expect(page.locator(".connection")).to_have_text(LIVE)


async def test_a_morning_from_the_first_look_to_one_pair(visit: Visit) -> None:
    page = await visit()
    await expect(page.get_by_role("heading", name="autumn leads")).to_be_visible()
    await expect(page.locator(".glance .lead")).to_contain_text("of 12 pairs")
    await expect(page.get_by_text("everything is counted")).to_be_visible()

    rows = page.get_by_role("region", name="Pairs").get_by_role("row")
    await expect(rows).to_have_count(13)
    link = rows.nth(1).get_by_role("link")
    names = await link.inner_text()
    assert " and " in names
    assert "e10" not in names  # people have names, from matching
    await link.click()

    await expect(page.get_by_role("heading", level=1)).to_have_text(names)
    for side in ("mentor", "mentee"):
        card = page.locator(f"section[aria-labelledby=about-{side}]")
        await expect(card.locator(".badge")).to_be_visible()
        await expect(card.locator(".range")).to_be_visible()
        await expect(card.locator(".reasons li").first).to_be_visible()
    await expect(page.locator(".timeline li").first).to_be_visible()

    await page.go_back()
    await expect(page.locator(".glance .lead")).to_contain_text("of 12 pairs")


async def test_pairs_of_one_band_can_be_looked_at_by_themselves(visit: Visit) -> None:
    page = await visit()
    await page.get_by_role("group", name="Only pairs of a band").get_by_text("steady").click()
    await expect(page).to_have_url(re.compile(r"\?band=steady$"))
    badges = page.locator("table.pairs tbody tr")
    await expect(badges.first).to_be_visible()
    for row in await badges.all():
        await expect(row.locator(".badge.steady")).to_have_count(2)


async def test_what_happens_is_seen_without_a_reload(visit: Visit, town: Town) -> None:
    page = await visit()
    await is_live(page)
    pair = town.couple
    row = page.locator("tr", has=page.locator(f"a[href='/pairs/{pair.pair_id}']"))
    before = int(await row.locator(".number").inner_text())
    await page.evaluate("window.notReloaded = true")

    await meet(town)

    await expect(row.locator(".number")).to_have_text(str(before + 1), timeout=20_000)
    assert await page.evaluate("window.notReloaded")


async def test_the_page_goes_on_after_the_service_restarts(visit: Visit, town: Town) -> None:
    page = await visit(refused=True)
    await is_live(page)
    row = page.locator("tr", has=page.locator(f"a[href='/pairs/{town.couple.pair_id}']"))
    before = int(await row.locator(".number").inner_text())

    town.network.stop("insights")
    await expect(page.locator(".connection")).to_contain_text("trying again", timeout=20_000)
    await expect(row.locator(".number")).to_have_text(str(before))
    town.network.launch("insights")
    town.network.wait_ready("insights")
    await is_live(page)

    await meet(town)
    await expect(row.locator(".number")).to_have_text(str(before + 1), timeout=20_000)


async def meet(town: Town) -> None:
    """The first pair meets once more, and both confirm it."""
    couple = town.couple
    starts_at = town.clock.now() + timedelta(hours=1)
    slot = {"starts_at": starts_at.isoformat(), "duration_minutes": 30}
    place = f"/v1/pairs/{couple.pair_id}/sessions"
    made = await town.api.post("sessions", place, person=couple.mentor_id, body=slot)
    town.clock.set(starts_at + timedelta(hours=1))
    session = f"/v1/sessions/{made['session_id']}/confirm"
    for person in (couple.mentor_id, couple.mentee_id):
        await town.api.post("sessions", session, person=person)
