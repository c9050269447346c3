"""Where blocks end, as the browser reads them: the same cases as for ``lulu/text/paragraphs.py``."""

from __future__ import annotations

import json

from tests.support import ROOT
from tests.ui.browser.conftest import Stage

CASES = json.loads((ROOT / "tests/text/paragraphs.json").read_text(encoding="utf-8"))


def test_the_browser_ends_blocks_where_the_server_does(stage: Stage) -> None:
    texts = [case["finished"] + case["rest"] for case in CASES]

    blocks = [stage.call("paragraphs.js", "blocks", text) for text in texts]

    assert blocks == [case["blocks"] for case in CASES]
    assert all(case["rest"].strip() in ("", case["blocks"][-1].strip()) for case in CASES if case["blocks"])
