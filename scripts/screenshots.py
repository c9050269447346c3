"""Takes the pictures in ``docs/screenshots`` from the demo agent: ``make screenshots``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from tests.browser import ARGUMENTS, executable, sign_in
from tests.support import ROOT, LuluServer, clean_environ

FOLDER = ROOT / "docs" / "screenshots"

#: Waits for an agent, which takes its time (milliseconds).
PATIENCE = 60_000
WINDOW: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}

STORY = "Tell me a short story about a lighthouse keeper and her robot."
BUG = "The invoice total is one cent off. Find out why and fix it."
WAITING = "Give me the tour of this project."


def main() -> None:
    """Play three sessions, and look at them in a window, at night and on a phone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lulu-") as name:
        folder = Path(name)
        project = folder / "invoices"
        project.mkdir()
        chromium = executable()
        environ = clean_environ(folder / "home")
        os.environ.clear()
        os.environ.update(environ)
        lulu = LuluServer(
            folder, env={"LULU_AGENT": "demo", "LULU_DEMO_SPEED": "4", "LULU_WORKING_DIRECTORY": str(project)}
        )
        try:
            lulu.start()
            with (
                sync_playwright() as playwright,
                playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS)) as browser,
            ):
                take(browser, lulu)
        finally:
            lulu.close()


def take(browser: Browser, lulu: LuluServer) -> None:
    """All pictures, each session as far as its picture needs it."""
    url = lulu.url
    first = browser.new_context(viewport=WINDOW)
    sign_in(first, lulu)
    page = first.new_page()
    play(page, url, STORY, approve=True)
    waiting = play(page, url, WAITING, approve=False)
    settled = play(page, url, BUG, approve=True)
    places = {"home": url, "session": settled, "approval": waiting, "settings": f"{url}/settings"}
    looks = {
        "": browser.new_context(viewport=WINDOW, color_scheme="light"),
        "-dark": browser.new_context(viewport=WINDOW, color_scheme="dark"),
        "-phone": browser.new_context(
            viewport=PHONE, color_scheme="light", device_scale_factor=2, is_mobile=True, has_touch=True
        ),
    }
    for suffix, context in looks.items():
        sign_in(context, lulu)
        page = context.new_page()
        for name, address in places.items():
            page.goto(address)
            settle(page)
            picture(page, f"{name}{suffix}")


def play(page: Page, url: str, prompt: str, *, approve: bool) -> str:
    """Start a session and follow it: to its end, or to where it waits for a person. Its address."""
    page.goto(url)
    settle(page)
    box = page.locator(".st-key-prompt textarea")
    box.fill(prompt)
    box.press("Enter")
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    header = page.locator(".st-key-session_header")
    request = page.locator("[class*=st-key-approve_]")
    completed = header.get_by_text("completed")
    expect(request.or_(completed).first).to_be_visible(timeout=PATIENCE)
    while approve and not completed.is_visible():
        answer(page, request.first)
        expect(request.or_(completed).first).to_be_visible(timeout=PATIENCE)
    settle(page)
    return page.url


def answer(page: Page, request: Locator) -> None:
    """Approve one request, and wait until it is gone."""
    classes = request.get_attribute("class") or ""
    key = next(name for name in classes.split() if name.startswith("st-key-approve_"))
    request.get_by_role("button").click()
    expect(page.locator(f".{key}")).to_have_count(0, timeout=PATIENCE)


def settle(page: Page) -> None:
    """Wait until the page has been drawn: no placeholder is left and no script runs."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached(timeout=PATIENCE)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=PATIENCE)
    page.evaluate("document.fonts.ready")


def picture(page: Page, name: str) -> None:
    """Write one picture."""
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
