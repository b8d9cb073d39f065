"""The pictures of the page in the docs: `make pictures` takes them anew. Asserts that each is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import HR, MANAGER, Town, Visit
from tests.browser.test_everybody_can_use_it import settled

pytestmark = [pytest.mark.stack, pytest.mark.full]

PICTURES = Path(__file__).parents[2] / "docs/images/page"
SIZES = {"": (1280, 800), "-phone": (390, 844)}
PNG = b"\x89PNG"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["programme", "pair", "figures", "me"])
async def test_a_picture_of(visit: Visit, town: Town, name: str, size: str, scheme: str) -> None:
    who, path = {
        "programme": (MANAGER, "/"),
        "pair": (MANAGER, f"/pairs/{town.couple.pair_id}"),
        "figures": (HR, "/"),
        "me": ("mentee", "/me"),
    }[name]
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    page = await visit(path, as_=who, color_scheme=scheme, viewport=viewport)
    await settled(page)
    dark = "-dark" if scheme == "dark" else ""
    taken = PICTURES / f"{name}{size}{dark}.png"
    taken.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=taken, full_page=not size)
    assert taken.read_bytes().startswith(PNG)
