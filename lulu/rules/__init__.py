"""Rules: approve or deny tool calls without asking a person. Knows no SDK and no store.

Deny rules are read generously: one suspicion is enough. Approve rules are read strictly: everything about the call must
be understood and matched, else no rule decides and a person is asked. Deny wins over approve in any order.

``parse`` reads a pattern, ``decide`` evaluates a call, ``explain`` adds a reason for each rule, and ``suggest`` returns
patterns for "don't ask again". ``narrowing`` says which calls of an approve rule still need a person. The syntax is
Claude Code's (see ``lulu.rules.patterns``). The argument ``resolve`` follows symbolic links; its default uses the file
system.
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
