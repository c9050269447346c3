"""The one place where CSS has to repeat a colour of the theme."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta

import pytest

from lulu.ui import formats
from lulu.ui.browser.assets import asset
from tests.support import ROOT


def test_the_header_has_the_page_s_own_background_in_both_themes() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]

    page = (theme["light"]["backgroundColor"], theme["dark"]["backgroundColor"])

    assert f"light-dark({page[0]}, {page[1]})" in asset("styles.css")


@pytest.mark.parametrize(("days", "form"), [(0, "%H:%M"), (3, "%b %-d, %H:%M"), (800, "%b %-d %Y, %H:%M")])
def test_a_time_of_another_day_has_its_date(days: int, form: str) -> None:
    today = datetime.now().astimezone().replace(hour=12, minute=30)
    # Three days ago may be another year.
    moment = today.replace(month=6, day=15) if days == 3 and today.month != 6 else today - timedelta(days=days)

    assert formats.clock(moment) == moment.strftime(form)
