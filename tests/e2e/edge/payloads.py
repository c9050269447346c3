"""What somebody might write to make a viewer's page load, run or pretend something; each is to be shown as typed."""

from __future__ import annotations

#: A host that is not Lulu's. Any request for it fails the test.
ELSEWHERE = "http://192.0.2.7:9"

#: One line each, shown to the letter in markdown and in labels.
LINES = [
    f"an image ![secret]({ELSEWHERE}/inline.png) inline",
    f"![with title]({ELSEWHERE}/t.png 'title')",
    "![no scheme](//192.0.2.7/x.png)",
    f"[![linked image]({ELSEWHERE}/nested.png)](javascript:alert(1))",
    f"!{ELSEWHERE}/bare.png and !www.example.org/x.png",
    f"<img src={ELSEWHERE}/img.png onerror=alert(1)>",
    f'<script src="{ELSEWHERE}/s.js"></script>',
    f"<iframe src='{ELSEWHERE}/frame'></iframe>",
    f"<svg onload=\"fetch('{ELSEWHERE}/svg')\"></svg>",
    f"<form action={ELSEWHERE}><input name=q></form>",
    f"<style>body {{ background: url({ELSEWHERE}/css.png) }}</style>",
    f"<!-- {ELSEWHERE} --> and <b>bold</b>",
    "[run](javascript:alert(1))",
    "[run *it*](JaVaScRiPt:alert(1) 'title')",
    "[open](data:text/html,<script>alert(1)</script>)",
    "[open](file:///etc/passwd)",
    "[open](claude-cli://open?x=1)",
    "[open](//192.0.2.7/x)",
    "[relative](/session?id=1) and [anchor](#root)",
    "<javascript:alert(1)> and <file:///etc/passwd>",
    ":red[not red] :blue-background[x] :rainbow[y] :small[z] :primary[p]",
    ':red-badge[badge] :color[c]{foreground="red"} :help[tip] :shimmer[s]',
    ":smile: :+1: :100: ::tada:: 12:30:45 a:b:c:d",
    ":material/home: :material_home: :streamlit: :material/",
    "$x^2$ and $$y$$ costs $5 or $6",
    "a -> b <- c <-> d -- e >= f <= g ~= h --> i",
    "-- -> --",
    "snake_case *not closed **nor this ~tilde~",
    "back\\slash C:\\new\\table",
    "a | b | c",
    "[^1] and [x] and [ ] and [a][b]",
    "::leaf[x] and :::container",
    "x ^2^ ==marked== ++ins++ {attr} @user #123",
    "Fahrenheit: 100 % :) ;-) :D <3",
    "مرحبا שלום 日本語 🏳️‍🌈 é",
]
#: What markdown itself changes: as typed in labels, and this in markdown.
MARKED = {
    "&lt;i&gt; &amp; &#58;red[x]": "<i> & :red[x]",
    "**strong** and __init__": "strong and init",
    "\\* \\[ \\` \\:red[x]": "* [ ` :red[x]",
    "`code :red[x] $y$ ![z](q) <b>` and text": "code :red[x] $y$ ![z](q) <b> and text",
    f"\\![words]({ELSEWHERE}/escaped.png) !<{ELSEWHERE}/auto.png>": f"!words !{ELSEWHERE}/auto.png",
    "[words](https://example.org/:smile:?a=$b$)": "words",
}

#: Starts of a line that would make it something else.
STARTS = [
    "# heading",
    "> quote",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "12) item",
    "=== x",
    "::: x",
    "--- x",
    "    x",
]

#: What is shown is not what is stored: terminal sequences go, what reorders or hides text becomes visible.
REPLACED = {
    "red \x1b[31mred\x1b[0m text": "red red text",
    "a \x1b]8;;http://192.0.2.7/\x07link\x1b]8;;\x07 b": "a link b",
    "rm \u202etxt.exe\u202c -rf": "rm ⟦RLO⟧txt.exe⟦PDF⟧ -rf",
    "bell \x07 nul \x00 del \x7f": "bell ␇ nul ␀ del ␡",
    "half \ud83d pair": "half \ufffd pair",
}

#: Several lines: reference definitions, blocks. None may load or link anything that is not http, https or mailto.
BLOCKS = [
    f"![by reference][pic]\n\n[pic]: {ELSEWHERE}/ref.png",
    "[by reference][bad]\n\n[bad]: javascript:alert(1)",
    f"| head | ![h]({ELSEWHERE}/h.png) |\n|---|---|\n| :red[x] | `a|b` <img src={ELSEWHERE}/cell.png> |",
    f"> - ![deep]({ELSEWHERE}/deep.png)\n>   <img src={ELSEWHERE}/deeper.png>",
    f"- ![unclosed]({ELSEWHERE}/unclosed.png\n- [x](",
    f"```mermaid\ngraph TD; A[<img src='{ELSEWHERE}/mermaid.png'>]\n```",
    "```math\nx^2\n```",
    "$$\nx^2\n$$",
    f":::note\n![in a container]({ELSEWHERE}/container.png)\n:::",
    f"# heading ![h]({ELSEWHERE}/heading.png)\n\nsetext :red[x]\n===",
    f"```html\n<img src={ELSEWHERE}/fence.png>",
]

#: Code is unchanged to the letter.
CODE = "if a -> b:\n\tprint(':red[x]', '$y$ `z` ![i](u)', \":smile:\")  # <b>\n\n    x = r'\\d' -- 1 <= 2"
