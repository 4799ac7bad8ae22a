"""Which tests of twins run in one process, where several share the work: those that use one twin or one account."""

from __future__ import annotations

import functools
import os
import re

from xdist.scheduler import LoadScopeScheduling

from twin.paths import REPOSITORY

# The fixtures of a whole session, each with how the signature of a test has it. A file that uses both goes with the account, which takes longer to make.
_SHARED = {"prod": re.compile(r"\bprod: Rehearsed\b"), "mesh": re.compile(r"\bmesh: Twin\b")}
_FAULTS = "tests/twin/faults"


class SchedulingByTwin(LoadScopeScheduling):
    """Gives a process all tests of a twin. A test that is not recognized as one of them makes another twin, and is only slower."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope_of(nodeid.partition("::")[0])


def own_name(name: str) -> str:
    """The name of a twin or an account that no other process of this run has."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return f"{name}-{worker}" if worker else name


@functools.cache
def _scope_of(file: str) -> str:
    if file.startswith(_FAULTS):
        return _FAULTS
    text = (REPOSITORY / file).read_text()
    return next((name for name, signature in _SHARED.items() if signature.search(text)), file)
