"""The small Python project that the demo agent pretends to work on: an invoice with a wrong total."""

from __future__ import annotations

INVOICE = '''"""Totals of an invoice."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """One line: an article, how many, and what each costs before tax."""

    article: str
    quantity: int
    price: Decimal
    tax_rate: Decimal = Decimal("0.19")

    @property
    def net(self) -> Decimal:
        return self.quantity * self.price


def total(lines: list[Line]) -> Decimal:
    """What the customer pays."""
    gross = Decimal(0)
    for line in lines:
        tax = (line.net * line.tax_rate).quantize(CENT, ROUND_HALF_UP)
        gross += line.net + tax
    return gross
'''

#: The faulty lines, and their replacement.
FAULT = """    gross = Decimal(0)
    for line in lines:
        tax = (line.net * line.tax_rate).quantize(CENT, ROUND_HALF_UP)
        gross += line.net + tax
    return gross
"""
FIX = """    net = sum((line.net for line in lines), Decimal(0))
    tax = sum((line.net * line.tax_rate for line in lines), Decimal(0))
    return net + tax.quantize(CENT, ROUND_HALF_UP)
"""

TESTS = """from decimal import Decimal

from billing.invoice import Line, total


def test_total_adds_tax():
    assert total([Line("Desk", 1, Decimal("100.00"))]) == Decimal("119.00")


def test_tax_is_rounded_once():
    stickers = [Line(f"Sticker {colour}", 1, Decimal("0.99")) for colour in ("red", "green", "blue")]

    assert total(stickers) == Decimal("3.53")
"""

SEARCH = """billing/invoice.py:27:        tax = (line.net * line.tax_rate).quantize(CENT, ROUND_HALF_UP)
billing/receipt.py:11:    return f"{value.quantize(CENT)} EUR"
"""

TEST_OUTPUT = """..............                                                           [100%]
14 passed in 0.21s
"""

TREE = """billing/
  __init__.py
  invoice.py
  receipt.py
tests/
  test_invoice.py
  test_receipt.py
pyproject.toml
"""

LOG = """9c1f2ab (HEAD -> main) Add the receipt
4d07e91 Round the tax of every line
b83a6c5 Total an invoice
"""

TYPE_OUTPUT = """Success: no issues found in 3 source files
"""

REGRESSION_TEST = """from decimal import Decimal

import pytest

from billing.invoice import Line, total


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([Line("Sticker", 3, Decimal("0.99"))], "3.53"),
        ([Line("Screw", 250, Decimal("0.03"))], "8.93"),
        ([Line("Book", 1, Decimal("9.99"), tax_rate=Decimal("0.07"))], "10.69"),
    ],
)
def test_total_is_exact_to_the_cent(lines, expected):
    assert total(lines) == Decimal(expected)
"""

RECEIPT = '''"""An invoice as text."""

from decimal import Decimal

from billing.invoice import CENT, Line, total

WIDTH = 40


def amount(value: Decimal) -> str:
    return f"{value.quantize(CENT)} EUR"


def receipt(lines: list[Line]) -> str:
    """One line an article, then the total."""
    rows = [f"{line.article:<{WIDTH - 14}}{amount(line.net):>14}" for line in lines]
    return "\\n".join([*rows, "-" * WIDTH, f"{'Total':<{WIDTH - 14}}{amount(total(lines)):>14}"])
'''
