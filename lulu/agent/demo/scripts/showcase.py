"""The tour: a bug hunt with thinking, reading, an error, a diff, a permission request and markdown."""

from __future__ import annotations

from lulu.agent.demo import project, tools
from lulu.agent.demo.blocks import Say, Think
from lulu.agent.demo.turn import Turn

_PLAN = (
    "The total is off by a cent. That smells like rounding: either floats, or rounding too early. Three lines of "
    "0.99 at 19 % would show it: 3 times 0.1881 is 0.5643, but 3 times 0.19 is 0.57. Let me look where the tax is "
    "rounded before I change anything."
)
_FOUND = """\
Found it. `total()` rounds the tax of **every line** and then adds the rounded amounts, so each line may add up \
to half a cent:

```python
>>> lines = [Line("Sticker", 1, Decimal("0.99"))] * 3
>>> total(lines)
Decimal('3.54')        # 2.97 + 3 * 0.19, should be 3.53
```

The tax has to be summed first and rounded once."""
_DONE = """\
## The cent is back

`total()` in `billing/invoice.py` now adds up the exact tax and rounds it **once**, for the whole invoice.

| Invoice | Before | After |
|---|---:|---:|
| 3 stickers at 0.99 | 3.54 | **3.53** |
| 1 desk at 100.00 | 119.00 | 119.00 |
| 250 screws at 0.03 | 8.93 | 8.93 |

The heart of it:

```python
tax = sum((line.net * line.tax_rate for line in lines), Decimal(0))
return net + tax.quantize(CENT, ROUND_HALF_UP)
```

{tests}

Invoices that were already sent keep their old totals; tell me if you want a script that lists them."""
_TESTED = "All **14 tests** pass, `test_tax_is_rounded_once` among them."
_UNTESTED = "I have **not** run the tests, as you preferred; `python -m pytest -q` would check the change."
_NOT_CHANGED = f"""\
Understood, I leave `billing/invoice.py` as it is. This is the change that I had in mind:

```python
{project.FIX.rstrip()}
```

Say the word and I put it in."""


async def tour(turn: Turn) -> None:
    """Play the script for a first prompt that chooses no other script."""
    invoice, tests = turn.path("billing", "invoice.py"), turn.path("tests", "test_invoice.py")
    await turn.reply(
        Think(_PLAN),
        Say("I'll start with the code that adds up an invoice, and its tests."),
        tools.read(invoice, project.INVOICE),
        tools.read(tests, project.TESTS),
        tools.read_missing(turn.path("billing", "rounding.py")),
    )
    await turn.reply(
        Say("There is no separate module for rounding, so let me see where amounts are rounded at all."),
        tools.bash("grep -rn quantize billing", "Find where amounts are rounded", project.SEARCH, seconds=0.6),
    )
    [edited] = await turn.reply(Say(_FOUND), tools.edit(invoice, project.INVOICE, project.FAULT, project.FIX))
    if not edited:
        await turn.reply(Say(_NOT_CHANGED))
        return
    [tested] = await turn.reply(
        Say("Now the tests."),
        tools.bash("python -m pytest -q", "Run the test suite", project.TEST_OUTPUT, seconds=2.5),
    )
    await turn.reply(Say(_DONE.format(tests=_TESTED if tested else _UNTESTED)))
