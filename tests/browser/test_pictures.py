"""The pictures of the page in the docs; `make pictures` takes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import HR, MANAGER, Town, Visit
from tests.browser.test_everybody_can_use_it import IDS, settled

pytestmark = [pytest.mark.stack, pytest.mark.full]

PICTURES = Path(__file__).parents[2] / "docs/images/page"
LARGE, SMALL = (1280, 800), (390, 844)
PNG = b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("programme", ""), ("programme", "-dark"), ("programme", "-phone"),
        ("programme", "-glance"),
        ("pair", ""), ("pair", "-dark"), ("figures", ""), ("me", ""), ("me", "-phone"),
    ],
)  # fmt: skip
async def test_a_picture_of(visit: Visit, town: Town, name: str, kind: str) -> None:
    who, path = {
        "programme": (MANAGER, "/"),
        "pair": (MANAGER, f"/pairs/{town.couple.pair_id}"),
        "figures": (HR, "/"),
        "me": ("mentee", "/me"),
    }[name]
    width, height = SMALL if kind == "-phone" else LARGE
    scheme = "dark" if kind == "-dark" else "light"
    viewport = {"width": width, "height": height}
    page = await visit(path, as_=who, color_scheme=scheme, viewport=viewport)
    await settled(page)
    await expect(page.locator("main")).not_to_contain_text(IDS)
    taken = PICTURES / f"{name}{kind}.png"
    taken.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=taken, full_page=kind not in ("-phone", "-glance"))
    assert taken.read_bytes().startswith(PNG)
