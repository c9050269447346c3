"""A guest's visit in a real browser: the link, the session live, nothing else of Lulu, and its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from lulu.access.tokens import hash_of, new_token
from tests.browser import Viewer
from tests.conftest import NewServer
from tests.e2e.prompts import PATIENCE, box, start, status

CLOSED = "You're not signed in"
#: A link like the one that was made, with another end.
COPY_OF_A_SHARE = """
INSERT INTO access (kind, token_hash, session_id, label, options, created_at, created_by, expires_at)
SELECT kind, ?, session_id, label, options, created_at, created_by, ? FROM access WHERE kind = 'share' LIMIT 1
"""


def share(page: Page) -> str:
    """Make a link in the Share dialog that is open after this; its path."""
    page.locator(".st-key-share button").click(timeout=PATIENCE)
    page.locator(".st-key-share_make button").click(timeout=PATIENCE)
    link = page.get_by_role("dialog").locator("code").filter(has_text="/s/")
    expect(link).to_be_visible(timeout=PATIENCE)
    return "/s/" + link.inner_text().strip().partition("/s/")[2]


@pytest.mark.long
def test_a_guest_follows_one_session_live_until_the_link_is_revoked(
    server: NewServer, new_viewer: Callable[..., Viewer]
) -> None:
    lulu = server(env={"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "2"})
    owner, guest = new_viewer(), new_viewer(signed_in=False)
    start(owner.page, lulu.url, "Tell me a story")
    session_id = owner.page.url.partition("id=")[2]
    link = share(owner.page)
    guest.page.goto(lulu.url + link)
    transcript = guest.page.locator(".st-key-transcript")
    expect(transcript.get_by_text("Tell me a story").first).to_be_visible(timeout=PATIENCE)
    expect(status(guest.page, "completed")).to_be_visible(timeout=PATIENCE)
    expect(transcript.get_by_text("tokens").last).to_be_visible(timeout=PATIENCE)

    # What a guest does not have.
    assert guest.page.url == f"{lulu.url}/?id={session_id}"
    assert guest.page.locator(".st-key-session_list, .st-key-prompt, .st-key-share, .st-key-stop").count() == 0
    cookies = guest.context.cookies()
    assert [(one["name"], one["httpOnly"], one["sameSite"]) for one in cookies if one["name"].startswith("lulu")] == [
        ("lulu_guest", True, "Lax")
    ]
    assert guest.console_errors == []
    assert guest.offsite_requests == []

    # The owner sees the visit, and ends it.
    expect(owner.page.get_by_role("dialog").get_by_text("1 watching now")).to_be_visible(timeout=PATIENCE)
    owner.page.locator("[class*=st-key-revoke_] button").click()
    expect(guest.page.get_by_text(CLOSED)).to_be_visible(timeout=PATIENCE)
    expect(owner.page.get_by_role("dialog").locator("code").filter(has_text="/s/")).to_have_count(0, timeout=PATIENCE)
    assert transcript.count() == 0
    guest.page.goto(lulu.url + link)
    expect(guest.page.get_by_text(CLOSED)).to_be_visible()
    assert owner.console_errors == []
    assert owner.offsite_requests == []

    # Another link ends by itself while its guest looks on; on a slow machine a short one ends before.
    shown = transcript.get_by_text("Tell me a story").first
    for seconds in (12, 60):
        token, expires = new_token(), datetime.now(UTC) + timedelta(seconds=seconds)
        with sqlite3.connect(lulu.database, timeout=10) as database:
            database.execute(COPY_OF_A_SHARE, [hash_of(token), expires.isoformat()])
        guest.page.goto(f"{lulu.url}/s/{token}")
        expect(shown.or_(guest.page.get_by_text(CLOSED)).first).to_be_visible(timeout=PATIENCE)
        if is_shown := shown.count() > 0:
            break
    assert is_shown
    expect(guest.page.get_by_text(CLOSED)).to_be_visible(timeout=2 * PATIENCE)
    assert datetime.now(UTC) >= expires
    assert transcript.count() == 0


def test_an_owner_s_addresses_say_nothing_to_a_stranger(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env={"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "0"})
    stranger = new_viewer(signed_in=False)

    for path in ("/", "/session?id=1", "/settings", "/s/" + "a" * 43, "/pair/" + "a" * 43, "/login?t=" + "a" * 43):
        stranger.page.goto(lulu.url + path)
        expect(stranger.page.get_by_role("heading")).to_have_text(CLOSED)

    assert {address for address in stranger.requests if "/_stcore" in address or "static" in address} == set()
    assert stranger.offsite_requests == []


def test_another_device_comes_in_by_its_button(server: NewServer, new_viewer: Callable[..., Viewer]) -> None:
    lulu = server(env={"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "0"})
    owner, phone = new_viewer(), new_viewer(signed_in=False)
    owner.page.goto(f"{lulu.url}/devices")
    owner.page.locator(".st-key-add_device button").click(timeout=PATIENCE)
    link = owner.page.locator("code").filter(has_text="/pair/")
    expect(link).to_be_visible(timeout=PATIENCE)
    expect(owner.page.get_by_alt_text("The link as a QR code")).to_be_visible()
    path = "/pair/" + link.inner_text().strip().partition("/pair/")[2]

    phone.page.goto(lulu.url + path)
    phone.page.get_by_role("button", name="Use Lulu on this device").click()

    expect(box(phone.page)).to_be_visible(timeout=PATIENCE)
    expect(owner.page.get_by_text("another device")).to_be_visible(timeout=PATIENCE)
    assert phone.console_errors == []
    assert owner.console_errors == []
