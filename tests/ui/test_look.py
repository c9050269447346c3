"""The one place where CSS has to repeat a colour of the theme."""

from __future__ import annotations

import tomllib

from lulu.ui import look
from tests.support import ROOT


def test_the_header_has_the_page_s_own_background_in_both_themes() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]

    page = (theme["light"]["backgroundColor"], theme["dark"]["backgroundColor"])

    assert f"light-dark({page[0]}, {page[1]})" in look.CSS
