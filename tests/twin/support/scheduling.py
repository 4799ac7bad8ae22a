"""Which tests of twins run in one process, in which order, and for how long they share what is costly to make."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from twin.paths import REPOSITORY

T = TypeVar("T")

# What several files share, each with how the signature of a test has it. A file that uses both goes with the account, which takes longer to make.
_SHARED = {"prod": re.compile(r"\bprod: Rehearsed\b"), "mesh": re.compile(r"\bmesh: Twin\b")}
_FAULTS = "tests/twin/faults"
# What takes minutes, the longest first: begun last, it would leave the other process with nothing to do. The others follow in the order of their names.
_LONGEST_FIRST = (
    "prod",
    "mesh",
    "tests/twin/playbooks/test_check_mode.py",
    "tests/twin/variables/test_variables.py",
    "tests/twin/playbooks/test_variants.py",
    "tests/twin/playbooks/test_interrupted.py",
)


class SchedulingByTwin(LoadScopeScheduling):
    """Gives a process all tests of a scope. A test that is not recognized as one of a shared twin makes another twin, and is only slower."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        # The order of the collection, which in_order makes, instead of the numbers of tests: four hundred may take less than eleven.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


class SharedInScope:
    """What the tests of one scope share: made for the first that asks, and gone after the last, so that no server idles beside the tests of others."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made: dict[str, Any] = {}

    def get(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What was made under this name; a failure is raised again, for nothing is gained by making it once more."""
        if name not in self._made:
            try:
                self._made[name] = self._stack.enter_context(make())
            except Exception as error:
                self._made[name] = error
        if isinstance(self._made[name], Exception):
            raise self._made[name]
        made: T = self._made[name]
        return made

    def end(self) -> None:
        """Take down all that was made."""
        self._made.clear()
        self._stack.close()


def own_name(name: str) -> str:
    """The name of a twin or an account that no other process of this run has."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return f"{name}-{worker}" if worker else name


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests of a scope one after the other, and the longest scopes first."""
    scopes = dict.fromkeys(scope_of(item.nodeid) for item in items)
    rank = {scope: place for place, scope in enumerate(sorted(scopes, key=_place))}
    return sorted(items, key=lambda item: rank[scope_of(item.nodeid)])


def _place(scope: str) -> int:
    return _LONGEST_FIRST.index(scope) if scope in _LONGEST_FIRST else len(_LONGEST_FIRST)


def scope_of(nodeid: str) -> str:
    """The name of the scope of a test: what its file shares with others, or the file itself."""
    return _scope_of_file(nodeid.partition("::")[0])


@functools.cache
def _scope_of_file(file: str) -> str:
    if file.startswith(_FAULTS):
        return _FAULTS
    text = (REPOSITORY / file).read_text()
    return next((name for name, signature in _SHARED.items() if signature.search(text)), file)
