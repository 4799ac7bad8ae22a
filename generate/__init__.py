"""What follows from the argument specs of the roles: see generate/__main__.py."""

from __future__ import annotations

import sys

from twin.paths import REPOSITORY

# The declarations and the conversion of values are the collection's own.
sys.path.insert(0, str(REPOSITORY / "collections"))
