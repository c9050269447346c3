"""A script with text only: a story of at least ten seconds, without questions."""

from __future__ import annotations

from lulu.agent.demo.blocks import Say
from lulu.agent.demo.turn import Turn

STORY = """\
# The lighthouse that kept a log

On a rock at the edge of the chart stood a lighthouse, and in it lived a keeper called Lulu who wrote everything down. \
Not because anybody asked her to. Ships passed, the weather turned, a gull stole the cheese, and each of these things \
got its line in the log, with the hour and the minute, in ink.

The other keepers along the coast laughed. *"We keep the light,"* they said, *"that is enough. Who reads a log?"* \
They told each other the news by lantern from rock to rock, and what the lanterns said was gone with the morning.

One night in November a storm came that nobody had foreseen. It put out every light from the cape to the bay. \
The lanterns stopped talking. In the dark, with the glass of her own lamp broken and the sea on the stairs, Lulu lit \
one candle, shielded it with her hand, and wrote:

> 02:14. The light is out. Three ships between here and the sound: the *Anna*, the *Perseverance*, and one without \
a name. Wind from the north-west. I begin with the glass.

And she began with the glass.

When the sun rose, the keepers came in their boats to see who was left. Everybody had been busy all night, and nobody \
could say what had happened, in which order, or which of the ships had made it through. So they stood around the \
table in the wet kitchen, and for the first time somebody asked:

**"Lulu, may we read your log?"**

It was all there:

1. the hour when each light had gone out, and the hour when it had come back;
2. the three ships, and where each was last seen;
3. what had been tried with the lamp, what had failed, and what had worked at last;
4. at 05:40, in a shaky hand, the gull.

They found the ship without a name before noon, aground on a sandbank and quite unhurt, because the log said where the \
wind had been when she vanished. Her captain came up the stairs, dripping, and asked what he owed.

"Nothing," said Lulu, and turned the page. "But tell me slowly how it went. I'd like to write it down."

Since that winter every lighthouse on that coast keeps a log. The light tells a ship where it is; the log tells \
everybody else. And on clear nights, when nothing happens at all, each keeper still writes one line before going to \
bed, always the same:

*All is well. The light is on.*
"""


async def story(turn: Turn) -> None:
    """Stream the story."""
    await turn.reply(Say(STORY))
