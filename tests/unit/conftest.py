"""What all unit tests share."""

from __future__ import annotations

from hypothesis import settings

# Slow machines are no failures, and nothing is left behind in the checkout.
settings.register_profile("unit", deadline=None, database=None)
settings.load_profile("unit")
