"""Auto-approve rules: which tool calls are approved or denied without asking a person. Pure: no SDK, no store.

To deny, rules are read generously: one suspicion is enough. To approve, strictly: everything about the call must be
understood and matched, else nothing is decided and a person is asked. Deny wins over approve, whatever the order.

``parse`` reads a pattern, ``decide`` judges a call, ``explain`` says what each rule has to do with it, and ``suggest``
offers patterns for "don't ask again"; ``narrowing`` says what an approve rule asks about all the same. The syntax is
Claude Code's (see ``lulu.rules.patterns``). Symbolic links are followed by the function that is handed in as
``resolve``; its default asks the file system.
"""

from lulu.rules.evaluate import decide, explain, real_path
from lulu.rules.patterns import Pattern, parse
from lulu.rules.suggestions import narrowing, suggest
from lulu.rules.values import Action, Explanation, Judged, Resolve, Rule, ToolCall, Verdict

__all__ = [
    "Action",
    "Explanation",
    "Judged",
    "Pattern",
    "Resolve",
    "Rule",
    "ToolCall",
    "Verdict",
    "decide",
    "explain",
    "narrowing",
    "parse",
    "real_path",
    "suggest",
]
