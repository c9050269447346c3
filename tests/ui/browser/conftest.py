"""A blank page on which scripts run as Streamlit runs those of components: no server, and no Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from lulu.ui.browser.assets import asset
from tests.browser import Viewer

#: An address that the page has; the browser is answered here and asks nobody.
ROOT = "http://lulu.localhost"

_LOAD = """
([name, text]) => {
  window.scripts ??= {};
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return import(url).then((script) => { scripts[name] = script; });
}
"""
_MOUNT = """
([name, key, html, data, into]) => {
  window.triggers ??= [];
  const id = `part-${key}`;
  const parentElement = document.getElementById(id) ?? Object.assign(document.createElement("div"), { id });
  if (!parentElement.isConnected) {
    parentElement.innerHTML = html;
    document.querySelector(into).append(parentElement);
  }
  const setTriggerValue = (trigger, value) => triggers.push([trigger, value]);
  (window.ends ??= {})[key] = scripts[name].default({ key, data, parentElement, setTriggerValue });
}
"""


class Stage:
    """A page with some HTML, where components are drawn."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.loaded: set[str] = set()

    def open(self, body: str = "", path: str = "/session?id=one") -> None:
        """Go to an address where this HTML stands; what was loaded before is gone."""
        self.loaded.clear()

        def answer(route: Route) -> None:
            route.fulfill(content_type="text/html", body=f"<!doctype html><title>Lulu</title><body>{body}")

        self.page.unroute("**/*")
        self.page.route("**/*", answer)
        self.page.goto(f"{ROOT}{path}")

    def load(self, name: str) -> None:
        """Run a script's text, once for each page."""
        if name not in self.loaded:
            self.page.evaluate(_LOAD, [name, asset(name)])
            self.loaded.add(name)

    def mount(self, name: str, data: object = None, *, html: str = "", key: str = "part", into: str = "body") -> None:
        """Draw a component with its data; with the same key again: the next run draws it."""
        self.load(name)
        self.page.evaluate(_MOUNT, [name, key, html, data, into])

    def call(self, name: str, function: str, *values: object) -> Any:
        """What a function that a script exports returns."""
        self.load(name)
        return self.page.evaluate(f"([name, values]) => scripts[name].{function}(...values)", [name, list(values)])

    @property
    def triggers(self) -> list[Any]:
        """What components have told the server, oldest first."""
        return list(self.page.evaluate("window.triggers ?? []"))


@pytest.fixture
def stage(new_viewer: Callable[..., Viewer]) -> Stage:
    """A page of 1280 by 800 that is not signed in anywhere."""
    made = Stage(new_viewer(signed_in=False, viewport={"width": 1280, "height": 800}).page)
    made.open()
    return made
