"""A participant's own page: what was agreed and promised, and what they may see."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import HR, Visit

pytestmark = pytest.mark.stack


async def test_a_mentee_sees_their_pair_reasons_before_numbers(visit: Visit) -> None:
    page = await visit("/me", as_="mentee")
    for name in ("Next session", "Promises", "How we are doing", "Our agreement", "My calendar"):
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
    doing = page.locator("section[aria-labelledby=doing]")
    await expect(doing.locator(".reasons li").first).to_be_visible()
    await expect(doing.get_by_text("most likely between").first).to_be_hidden()
    await doing.get_by_text("The numbers").first.click()
    await expect(doing.get_by_text("most likely between").first).to_be_visible()


async def test_what_is_chosen_stays_chosen(visit: Visit) -> None:
    page = await visit("/me", as_="mentee")
    box = page.get_by_label("a day may call for my attention")
    await box.fill("2")
    await page.get_by_label("Mails come").select_option("digest")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Mails come")).to_have_value("digest")
    await expect(box).to_have_value("2")


async def test_a_calendar_gets_an_address_that_can_be_read(visit: Visit) -> None:
    page = await visit("/me", as_="mentor")
    await page.get_by_role("button", name="Make an address").click()
    address = await page.get_by_label("The address of my calendar").input_value()
    answer = await page.request.get(address)
    assert answer.status == 200
    assert (await answer.text()).startswith("BEGIN:VCALENDAR")


async def test_a_participant_is_shown_no_programme_and_no_other_pair(
    visit: Visit, town: object
) -> None:
    page = await visit("/", as_="mentee")
    await expect(page.get_by_role("heading", name="My mentoring")).to_be_visible()
    await page.goto(page.url.rstrip("/") + "/programmes/autumn-leads")
    await expect(page.get_by_role("heading", name="There is nothing here for you")).to_be_visible()


async def test_hr_sees_figures_and_never_a_pair(visit: Visit) -> None:
    page = await visit("/", as_=HR)
    await expect(page.get_by_role("heading", name="Month by month")).to_be_visible()
    await expect(page.get_by_role("region", name="Pairs", exact=True)).to_have_count(0)
    assert await page.locator("a[href^='/pairs/']").count() == 0


@pytest.mark.parametrize(("name", "begins"), [("CSV", b"programme_id,"), ("Parquet", b"PAR1")])
async def test_hr_takes_the_figures_home(visit: Visit, name: str, begins: bytes) -> None:
    page = await visit("/", as_=HR)
    async with page.expect_download() as started:
        await page.get_by_role("button", name=f"as {name}").click()
    taken = await started.value
    assert (await taken.path()).read_bytes().removeprefix(b"\xef\xbb\xbf").startswith(begins)
    assert taken.suggested_filename == f"autumn-leads.{name.lower()}"


async def test_two_browsers_are_two_people(visit: Visit) -> None:
    first = await visit("/me", as_="mentee")
    second = await visit("/me", as_="mentor")
    names = [await each.locator(".who").inner_text() for each in (first, second)]
    await first.reload()
    await expect(first.locator(".who")).to_have_text(names[0])
    assert names[0] != names[1]


async def test_who_signs_out_is_out(visit: Visit) -> None:
    page = await visit("/me", as_="mentee")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert await page.context.cookies() == []
