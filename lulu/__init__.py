"""Lulu: mission control for Claude agents on your own machine and LAN."""

__version__ = "0.1.0"
