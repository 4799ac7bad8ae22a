"""What can go wrong with a twin, in one sentence."""

from __future__ import annotations


class TwinError(Exception):
    """Something the person at the terminal can cause and repair."""
