"""Takes a picture of every recorded sample and puts them on sheets, one for each theme and width: ``make sheets``.

The sheets go to ``docs/screenshots``, or to the folder that is named.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from lulu import runtime
from lulu.model.events import Event, Result, User
from lulu.model.sessions import Launch, SessionId, SessionStatus
from lulu.settings import Settings
from lulu.ui.session.feed import WINDOW
from scripts.screenshots import FOLDER, settle
from tests.browser import ARGUMENTS, executable, sign_in
from tests.support import LuluServer, clean_environ
from tests.ui.recorded import SAMPLES

#: How each sheet is taken. So high that every transcript is drawn whole.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 12_000}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 12_000}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 16_000}, "color_scheme": "light"},
}
#: Pixels between two columns, the most that one is high, and how much smaller a sheet is than what was seen.
_GAP = 16
_HIGHEST = 5000
_SMALLER = 0.6
#: Fewer, and what was added and what failed would be grey.
_COLOURS = 96
#: What stays in view above and below would cover the transcript; a long output looks the same all the way down.
_STYLE = """
.st-key-session_header, [data-testid=stBottom], [data-testid=stHeader] { opacity: 0 !important; }
.st-key-transcript pre { max-height: 500px; overflow: hidden !important; }
"""
#: Folds are opened in rounds: one may hold others.
_ROUNDS = 3
#: Opens them all; whether there were any. One by one, the first would redraw the others.
_OPEN = """() => {
  const folds = [...document.querySelectorAll(".st-key-transcript details:not([open]) > summary")];
  const wanted = folds.filter((fold) => !fold.textContent.includes("Raw JSON"));
  wanted.forEach((fold) => fold.click());
  return wanted.length > 0;
}"""
#: Milliseconds until the page has begun to draw what was opened.
_UNTIL_IT_RUNS = 300


def main() -> None:
    """Store the samples in a few sessions, and look at each, open, in each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    goal: Path = parser.parse_args().folder
    goal.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lulu-") as name:
        folder = Path(name)
        chromium = executable()
        environ = clean_environ(folder / "home")
        os.environ.clear()
        os.environ.update(environ)
        lulu = LuluServer(folder, env={"LULU_AGENT": "demo"})
        sessions = store(lulu.data_dir)
        try:
            lulu.start()
            with (
                sync_playwright() as playwright,
                playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS)) as browser,
            ):
                for look, options in LOOKS.items():
                    context = browser.new_context(**options)
                    sign_in(context, lulu)
                    write(list(take(context, lulu.url, sessions)), goal / f"samples-{look}.png")
                    context.close()
        finally:
            lulu.close()


def store(data_dir: Path) -> list[SessionId]:
    """Sessions that hold a turn for each sample, in a database that no Lulu has open."""
    lulu = runtime.start(Settings(data_dir=data_dir, agent="demo"))
    sessions = []
    for number, rows in enumerate(pages(), start=1):
        launch = Launch(prompt=f"Samples {number}", working_directory="/home/ada/invoices", agent="demo")
        sessions.append(lulu.store.sessions.insert(launch, status=SessionStatus.COMPLETED))
        lulu.store.events.append(sessions[-1], rows)
    runtime.stop()
    return sessions


def pages() -> Iterator[list[Event]]:
    """The events of the samples, as many together as a page shows at first."""
    rows: list[Event] = []
    for sample in SAMPLES.values():
        turn = [User(text=sample.about), *sample.events, Result()]
        if len(rows) + len(turn) > WINDOW:
            yield rows
            rows = []
        rows += turn
    yield rows


def take(context: BrowserContext, url: str, sessions: list[SessionId]) -> Iterator[Image.Image]:
    """The transcript of each session, its folds open."""
    page = context.new_page()
    for session_id in sessions:
        page.goto(f"{url}/session?id={session_id}")
        page.locator(".st-key-transcript").wait_for()
        settle(page)
        for _ in range(_ROUNDS):
            open_folds(page)
        data = page.locator(".st-key-transcript").screenshot(animations="disabled", style=_STYLE)
        yield Image.open(io.BytesIO(data)).convert("RGB")


def open_folds(page: Page) -> None:
    """Open what is folded, but the raw JSON."""
    if page.evaluate(_OPEN):
        page.wait_for_timeout(_UNTIL_IT_RUNS)
        settle(page)


def write(pictures: list[Image.Image], path: Path) -> None:
    """The sheet: each picture as one column, or as several where it is too high."""
    columns = [
        picture.crop((0, top, picture.width, min(top + _HIGHEST, picture.height)))
        for picture in pictures
        for top in range(0, picture.height, _HIGHEST)
    ]
    width = sum(column.width + _GAP for column in columns) + _GAP
    sheet = Image.new("RGB", (width, max(column.height for column in columns) + 2 * _GAP), columns[0].getpixel((0, 0)))
    left = _GAP
    for column in columns:
        sheet.paste(column, (left, _GAP))
        left += column.width + _GAP
    smaller = sheet.resize((round(sheet.width * _SMALLER), round(sheet.height * _SMALLER)), Image.Resampling.LANCZOS)
    smaller.quantize(_COLOURS).save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main()
