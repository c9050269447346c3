"""What the tiny app shows, kept for the whole process."""

from lulu.store.bus import Bus

bus = Bus()
lines: list[str] = []
runs = {"page": 0, "tail": 0, "side": 0}
