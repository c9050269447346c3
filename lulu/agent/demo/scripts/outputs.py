"""Scripts with unusual outputs: a picture, a very long text, and unknown messages."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from lulu.agent.demo import frames, tools
from lulu.agent.demo.blocks import Say, Strange
from lulu.agent.demo.calls import Call, Output
from lulu.agent.demo.turn import Turn

_WIDTH, _HEIGHT = 96, 56
_BARS = (14, 22, 18, 31, 27, 40, 36, 47)
_BIG = 200_000


async def image(turn: Turn) -> None:
    """Call a tool that answers with a picture."""
    path = turn.path("docs", "invoices-by-month.png")
    await turn.reply(Say("Let me look at the chart."), _read_image(path, chart()))
    await turn.reply(
        Say("Invoices grow month by month; only **March**, **May** and **July** fall behind the month before.")
    )


async def big(turn: Turn) -> None:
    """Call a tool that answers with 200 kB."""
    await turn.reply(
        Say("The export lists every invoice, one a line."),
        tools.bash("cat billing/export.csv", "Show the export", export(), seconds=0.8),
    )
    await turn.reply(Say(f"That is the whole export: **{len(export().splitlines()) - 1:,} invoices**."))


async def unknown(turn: Turn) -> None:
    """Send messages, blocks and tools of kinds that this version cannot know."""
    await turn.emit(frames.system("hologram_ready", depth=3, colours=["ultraviolet", "octarine"]))
    await turn.emit({"type": "telepathy", "thought": "A message of a type that nobody knows."})
    await turn.reply(
        Say("Here come a system message, a block and a tool that nobody knows."),
        Strange({"type": "hologram", "content": {"depth": 3}}),
        tools.answered(
            "Telescope",
            {"target": "Europa", "magnification": 240},
            [{"type": "hologram", "content": "a result block of a kind that nobody knows"}],
            {"sky": "clear", "seeing": 0.8},
        ),
    )
    await turn.reply(Say("Whatever you could see of it was kept as it came."))


def export() -> str:
    """Return a CSV file of about 200 kB."""
    rows = ["number,date,customer,net,tax,total"]
    size = len(rows[0])
    number = 0
    while size < _BIG:
        number += 1
        net = 1_000 + number * 37 % 9_000
        tax = net * 19 // 100
        date = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
        row = f"2026-{number:05d},{date},Customer {number % 97},{net},{tax},{net + tax}"
        rows.append(row)
        size += len(row) + 1
    return "\n".join(rows) + "\n"


def chart() -> bytes:
    """Return a tiny PNG: eight bars on a light background."""
    bar = _WIDTH // len(_BARS)
    rows = bytearray()
    for y in range(_HEIGHT):
        rows.append(0)
        for x in range(_WIDTH):
            is_bar = x % bar > 1 and _HEIGHT - y <= _BARS[min(x // bar, len(_BARS) - 1)]
            rows += b"\x7a\x5c\xe0" if is_bar else b"\xf4\xf2\xfb"
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _read_image(path: str, png: bytes) -> Call:
    encoded = base64.b64encode(png).decode()
    source = {"type": "base64", "media_type": "image/png", "data": encoded}
    file = {
        "base64": encoded,
        "type": "image/png",
        "originalSize": len(png),
        "dimensions": {"originalWidth": _WIDTH, "originalHeight": _HEIGHT},
    }

    def output(_: dict[str, Any]) -> Output:
        return Output(content=[{"type": "image", "source": source}], data={"type": "image", "file": file})

    return Call(name="Read", input={"file_path": path}, work=tools.after(tools.QUICK, output))
