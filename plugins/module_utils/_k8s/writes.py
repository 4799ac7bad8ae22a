# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""One write to an API server, and how messages name it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kinds import NAMESPACE, Kind

Object = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Write:
    """One write to be sent.

    Attributes:
        verb: C(create), C(apply), C(patch) or C(delete).
        kind: what is written.
        name: the object's name.
        namespace: its namespace, or None for a cluster-scoped kind.
        body: the object (create, apply), the merge patch (patch) or the delete options (delete).
        force: with apply, take over fields that another field manager owns.
        creates: with apply, whether the object is not there yet.
        subresource: such as C(status); empty for the object itself.
        dry_run: let the server judge the write, unknown fields included, without keeping it.
    """

    verb: t.Literal["create", "apply", "patch", "delete"]
    kind: Kind
    name: str
    namespace: str | None = None
    body: Object | None = None
    force: bool = False
    creates: bool = False
    subresource: str = ""
    dry_run: bool = False

    @property
    def access_verbs(self) -> tuple[str, ...]:
        """The verbs that RBAC asks about; server-side apply is a patch, and a creation where there is nothing yet."""
        if self.verb == "apply":
            return ("patch", "create") if self.creates else ("patch",)
        return (self.verb,)

    @property
    def into(self) -> str | None:
        """The namespace to which the write adds something; None if it adds nothing, or to none. A Namespace is added to by its labels."""
        name = self.name if self.kind == NAMESPACE else self.namespace
        return name if self.verb != "delete" and _adds(self.body) else None

    def __str__(self) -> str:
        return f"{self.verb} {title_of(self.kind, self.name, self.namespace)}"


def _adds(value: t.Any) -> bool:
    """Whether a body sets anything; None takes a field away."""
    return any(map(_adds, value.values())) if isinstance(value, dict) else value is not None


def title_of(kind: Kind, name: str | None = None, namespace: str | None = None) -> str:
    """How messages name an object: C(Gateway shop/waypoint), C(Namespace shop), or C(pods in namespace shop)."""
    if name:
        return f"{kind.name} {namespace}/{name}" if namespace else f"{kind.name} {name}"
    return f"{kind.plural} in namespace {namespace}" if namespace else kind.plural


__all__ = ("Object", "Write", "title_of")
