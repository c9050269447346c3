"""Checks names, tooltips, QR codes and titles in a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Locator, expect

from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.edge.driver import page_eventually
from tests.e2e.prompts import PATIENCE, start, status
from tests.e2e.test_guest import share

#: Pixels of a border that still look like none beside the link above it.
_NO_BORDER = 8


@pytest.mark.long
def test_names_tooltips_codes_and_titles_stand_where_they_should(
    server: NewServer, new_viewer: Callable[..., Viewer]
) -> None:
    lulu = server(env={"LULU_DEMO_SPEED": "20"})
    page = new_viewer().page
    guest = new_viewer(signed_in=False, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).page
    start(page, lulu.url, "Tell me a story")
    expect(status(page, "completed")).to_be_visible(timeout=PATIENCE)

    # The product has a name.
    expect(page.get_by_test_id("stSidebar").get_by_test_id("stSidebarLogo")).to_be_visible()

    # A menu that is open is not covered by what its button is called.
    menu = page.locator(".st-key-session_header [data-testid=stPopoverButton]").locator("visible=true").last
    menu.hover()
    expect(page.get_by_test_id("stTooltipContent")).to_be_visible(timeout=PATIENCE)
    menu.click()
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stTooltipContent").locator("visible=true")).to_have_count(0)
    page.keyboard.press("Escape")

    # The code of a link begins where the link does.
    link = share(page)
    source = page.get_by_role("dialog").get_by_alt_text("The link as a QR code").get_attribute("src") or ""
    picture = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("L")
    dark = ImageOps.invert(picture).getbbox()
    assert dark is not None
    assert max(dark[0], dark[1]) <= _NO_BORDER

    # A guest's title keeps no room for a menu that guests do not have.
    guest.goto(lulu.url + link)
    title = guest.locator(".st-key-session_header h1")
    expect(title).to_be_visible(timeout=PATIENCE)
    text = guest.locator(".st-key-transcript")
    page_eventually(guest, lambda: abs(left_of(title) - left_of(text)) <= _NO_BORDER)


def left_of(one: Locator) -> float:
    """Where it begins in the window (pixels)."""
    box = one.bounding_box()
    assert box is not None
    return box["x"]
