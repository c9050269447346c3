"""A script with web research and invented sources."""

from __future__ import annotations

from lulu.agent.demo import tools
from lulu.agent.demo.blocks import Say, Think
from lulu.agent.demo.calls import Call
from lulu.agent.demo.turn import Turn

_QUERY = "round VAT per invoice or per line"
_SOURCES = (
    ("Rounding VAT: per line or per invoice?", "https://example.org/vat/rounding"),
    ("Decimal fixed point arithmetic in Python", "https://example.org/python/decimal"),
    ("Half up, half even: a field guide", "https://example.org/rounding/field-guide"),
)
_PAGE = """\
# Rounding VAT

Both ways are accepted as long as they are used **consistently**. Rounding once per invoice keeps the total closest
to the exact amount; rounding per line makes every line add up on paper.
"""


async def web(turn: Turn) -> None:
    """Run a search and fetch a page."""
    [searched] = await turn.reply(
        Think("The rule is a matter of law, not of taste. Better to look it up."),
        Say("I'll look up how tax has to be rounded."),
        _search(),
    )
    if not searched:
        await turn.reply(Say("Without the web I can only say: round once, at the end."))
        return
    [fetched] = await turn.reply(_fetch())
    found = "Both ways are allowed, if used consistently" if fetched else "The titles say that both ways are in use"
    sources = "\n".join(f"- [{title}]({url})" for title, url in _SOURCES)
    await turn.reply(
        Say(f"{found}; rounding **once per invoice** stays closest to the exact amount.\n\nSources:\n{sources}")
    )


def _search() -> Call:
    links = [{"title": title, "url": url} for title, url in _SOURCES]
    results = [{"tool_use_id": "srvtoolu_demo", "content": links}, "Both ways are accepted."]
    listed = "\n".join(f"- {title}: {url}" for title, url in _SOURCES)
    return tools.answered(
        "WebSearch",
        {"query": _QUERY},
        f'Web search results for query: "{_QUERY}"\n\n{listed}',
        {"query": _QUERY, "results": results, "durationSeconds": 1.4, "searchCount": 1},
        seconds=1.4,
    )


def _fetch() -> Call:
    url = _SOURCES[0][1]
    data = {"bytes": 48_211, "code": 200, "codeText": "OK", "result": _PAGE, "durationMs": 1_830, "url": url}
    tool_input = {"url": url, "prompt": "What does the page say about rounding per line or per invoice?"}
    return tools.answered("WebFetch", tool_input, _PAGE, data, seconds=1.8)
