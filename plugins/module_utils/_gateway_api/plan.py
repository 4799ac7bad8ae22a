# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What to do with a bundle of the Gateway API on a cluster that may have another version.

Source: sigs.k8s.io/gateway-api config/crd and its policy safe-upgrades (v1.5 and newer), which refuses definitions of older bundles.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._errors import MeshError
from .._mesh.labels import Object, annotations_of
from .spec import BUNDLE_VERSION, CHANNEL, Bundle, version_of

Action = t.Literal["installed", "upgraded", "unchanged", "kept older", "kept newer"]


@dataclass(frozen=True)
class BundleState:
    """What the cluster has of a bundle.

    Attributes:
        definitions: the metadata of all CustomResourceDefinitions, by name.
        guards: the bundle's admission policy and its binding, as far as they exist, by kind and name.
    """

    definitions: t.Mapping[str, Object] = field(default_factory=dict)
    guards: t.Mapping[tuple[str, str], Object] = field(default_factory=dict)


@dataclass(frozen=True)
class BundleChange:
    """What to do about one definition.

    Attributes:
        name: its name.
        action: V(installed), V(upgraded), V(unchanged), V(kept older) or V(kept newer).
        before: its current bundle version; empty if it does not exist.
        bundle_version: the bundle's version.
        definition: what to apply.
    """

    name: str
    action: Action
    before: str
    bundle_version: str
    definition: dict[str, t.Any]

    @property
    def changed(self) -> bool:
        return self.action in ("installed", "upgraded")

    @property
    def after(self) -> str:
        return self.bundle_version if self.changed else self.before


@dataclass(frozen=True)
class BundlePlan:
    """What to do about a bundle.

    Attributes:
        version: the bundle's version.
        changes: one for each of its definitions, by name.
        guards: the objects of its admission policy that are to be applied after them.
    """

    version: str
    changes: tuple[BundleChange, ...]
    guards: tuple[Object, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.guards) or any(change.changed for change in self.changes)

    @property
    def warnings(self) -> list[str]:
        older = [change.before for change in self.changes if change.action == "kept older"]
        if not older:
            return []
        versions = ", ".join(sorted(set(older)))
        return [f"{len(older)} definitions stay at {versions}, older than the bundle's {self.version}: set upgrade to bring them up to date."]


def plan_bundle(bundle: Bundle, state: BundleState, *, upgrade: bool) -> BundlePlan:
    """What to do about a bundle.

    Raises:
        MeshError: an upgrade would put one channel over the other, or over one that is unknown.
    """
    changes = tuple(_plan_definition(bundle.version, definition, state.definitions, upgrade=upgrade) for definition in bundle.definitions)
    guards = applied_guards(bundle, state.definitions, upgrade=upgrade)
    differing = tuple(guard for guard in guards if _differs(guard, state.guards.get((guard["kind"], guard["metadata"]["name"]))))
    return BundlePlan(bundle.version, changes, differing)


def applied_guards(bundle: Bundle, definitions: t.Mapping[str, Object], *, upgrade: bool) -> tuple[Object, ...]:
    """The bundle's admission policy, which refuses definitions of other versions: it goes in only where all of them have the bundle's."""
    actions = [_action(bundle.version, definitions.get(definition["metadata"]["name"]), upgrade=upgrade) for definition in bundle.definitions]
    return bundle.guards if all(action in ("installed", "upgraded", "unchanged") for action in actions) else ()


def _plan_definition(version: str, definition: Object, definitions: t.Mapping[str, Object], *, upgrade: bool) -> BundleChange:
    name = definition["metadata"]["name"]
    current = definitions.get(name)
    action = _action(version, current, upgrade=upgrade)
    if action == "upgraded" and current is not None:
        _refuse_other_channel(name, current, definition)
    return BundleChange(name, action, _version(current) if current else "", version, dict(definition))


def _action(version: str, current: Object | None, *, upgrade: bool) -> Action:
    if current is None:
        return "installed"
    before, after = version_of(_version(current)), version_of(version)
    if before == after:
        return "unchanged"
    if before > after:
        return "kept newer"
    return "upgraded" if upgrade else "kept older"


def _version(definition: Object) -> str:
    return annotations_of(definition).get(BUNDLE_VERSION, "v0")


def _differs(guard: Object, current: Object | None) -> bool:
    """Whether the cluster lacks this part of the admission policy, or its annotations name another version."""
    return current is None or any(annotations_of(current).get(key) != value for key, value in annotations_of(guard).items())


def _refuse_other_channel(name: str, current: Object, definition: Object) -> None:
    """The two channels have different fields; one over the other would damage objects."""
    installed, desired = annotations_of(current).get(CHANNEL), annotations_of(definition).get(CHANNEL)
    if installed == desired:
        return
    if not installed or not desired:
        which = "is installed" if not installed else "is in the bundle"
        raise MeshError(f"{name} {which} without the annotation {CHANNEL}, so its channel is unknown: annotate it with standard or experimental.")
    raise MeshError(f"{name} is of the {installed} channel, the bundle of the {desired} one: name the bundle of the {installed} channel.")


__all__ = ("BundleChange", "BundlePlan", "BundleState", "applied_guards", "plan_bundle")
