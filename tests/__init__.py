"""Lulu's tests, in folders that mirror ``lulu/``; what they share is in ``tests/support.py``."""
