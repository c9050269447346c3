"""The prompt box of the page that the window's address names, and what is typed and sent there."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page

from lulu.ui.browser.unsent import HOME_BOX

#: How long a page or a demo session may take here (milliseconds): other programs may share the machine.
PATIENCE = 60_000

#: Whether what hears the keys that lead about is there: of a key of a conversion it lets the field alone know nothing.
_HEARS_KEYS = """() => {
  const field = document.querySelector("[data-testid=stSidebar] input");
  if (!field) return false;
  let isTold = false;
  const note = () => { isTold = true; };
  field.addEventListener("keydown", note);
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Process", isComposing: true, bubbles: true }));
  field.removeEventListener("keydown", note);
  return !isTold;
}"""


def box(page: Page) -> Locator:
    """The box of the session, or of the home page, that the address names.

    A page that was left, and its box, may stay in view until the next one has been drawn.
    """
    place = parse_qs(urlsplit(page.url).query).get("id", [HOME_BOX])[0]
    return page.locator(f".st-key-box_{place} textarea")


def keep_what_is_typed(page: Page) -> None:
    """Wait for what keeps a text that is not sent: it comes with the sidebar, after the box."""
    page.wait_for_function("() => window.luluUnsent !== undefined", timeout=PATIENCE)


def hear_keys(page: Page) -> None:
    """Wait for what hears the keys that lead about: it comes with the sidebar, after the page."""
    page.wait_for_function(_HEARS_KEYS, timeout=PATIENCE)


def send(page: Page, prompt: str) -> None:
    """Type a prompt and send it."""
    to = box(page)
    to.fill(prompt, timeout=PATIENCE)
    to.press("Enter")


def start(page: Page, url: str, prompt: str) -> str:
    """Start a session; its address."""
    page.goto(url)
    send(page, prompt)
    page.wait_for_url("**/session?id=*", timeout=PATIENCE)
    return page.url


def status(page: Page, word: str) -> Locator:
    """Where the header of a session says this."""
    return page.locator(".st-key-session_header").get_by_text(word)
