# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""One thing to wait for, and the form of the rule by which its kind is judged."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import Kind
from .probes import Probe
from .verdict import Object, Verdict

# A kind to read, and the namespace to read it in; None for all of them, or when it has none.
Need = t.Tuple[Kind, t.Optional[str]]


class Snapshot(t.Protocol):
    """The objects that have been read."""

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None."""

    def all(self, kind: Kind, namespace: str | None = None) -> t.Sequence[Object]:
        """All objects of a kind, in a namespace or everywhere."""


class Expectation:
    """What else must be true of a target. A kind that can have expectations has a frozen dataclass of its own, beside its judge."""


E = t.TypeVar("E", bound=Expectation)


@dataclass(frozen=True)
class Target:
    """One thing to wait for.

    Attributes:
        kind: a key of RULES; with api_kind, any kind.
        name: the object's name; for a control plane, its revision.
        namespace: its namespace.
        expectation: what else must be true of it, in the form of its kind; None for nothing else.
        api_kind: for an object of any kind, where the API server serves it.
    """

    kind: str
    name: str = ""
    namespace: str = ""
    expectation: Expectation | None = None
    api_kind: Kind | None = None

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """How messages name its object."""
        return f"{self.kind} {'/'.join(part for part in (self.namespace, self.name) if part)}"

    def title_of(self, kind: Kind) -> str:
        """How messages name the object of this kind that it is about."""
        return f"{kind.name} {self.namespace}/{self.name}"

    def expected(self, form: type[E]) -> E:
        """What else must be true of it; the defaults of its kind's form when it has no expectation.

        Raises:
            TypeError: it has the expectation of another kind.
        """
        if self.expectation is None:
            return form()
        if not isinstance(self.expectation, form):
            raise TypeError(f"{self} has a {type(self.expectation).__name__}, and its kind takes a {form.__name__}")
        return self.expectation


@dataclass(frozen=True)
class Rule:
    """How targets of one kind are judged.

    Attributes:
        needs: what must be read for a target.
        options: the target's options that must be given.
        judge: the verdict on what has been read.
        probes: what must answer besides, when that verdict is Current.
    """

    needs: t.Callable[[Target], t.Iterable[Need]]
    options: tuple[str, ...]
    judge: t.Callable[[Target, Snapshot], Verdict]
    probes: t.Callable[[Target, Snapshot], t.Iterable[Probe]] = lambda _target, _snapshot: ()


def needs_in_namespace(*kinds: Kind) -> t.Callable[[Target], t.Iterable[Need]]:
    """Needs of what lies beside the target: in its namespace, where kinds have one."""
    return lambda target: ((kind, target.namespace if kind.namespaced else None) for kind in kinds)


def object_rule(kind: Kind, judge: t.Callable[[str, t.Optional[Object]], Verdict]) -> Rule:
    """A rule that reads the object alone."""

    def judge_object(target: Target, snapshot: Snapshot) -> Verdict:
        return judge(target.title_of(kind), snapshot.get(kind, target.name, target.namespace))

    return Rule(needs_in_namespace(kind), ("name", "namespace"), judge_object)


__all__ = ("Expectation", "Need", "Rule", "Snapshot", "Target", "needs_in_namespace", "object_rule")
