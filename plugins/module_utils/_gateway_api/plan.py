# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""A bundle of the Gateway API: what is in it, and what to do with it on a cluster that may have another version.

Source: sigs.k8s.io/gateway-api config/crd and its policy safe-upgrades (v1.5 and newer), which refuses definitions of older bundles.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._errors import MeshError
from .._mesh.labels import Object, annotations_of

BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version"
CHANNEL = "gateway.networking.k8s.io/channel"

_GUARD_KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@dataclass(frozen=True)
class Bundle:
    """The definitions of one release, its version, and the admission policy that guards it."""

    version: str
    definitions: tuple[Object, ...]
    guards: tuple[Object, ...]


@dataclass(frozen=True)
class BundleChange:
    """What to do about one definition.

    Attributes:
        name: its name.
        action: V(installed), V(upgraded), V(unchanged), V(kept older) or V(kept newer).
        before: the bundle version it has; empty when it is not there.
        bundle_version: the bundle's version.
        definition: what to apply.
    """

    name: str
    action: t.Literal["installed", "upgraded", "unchanged", "kept older", "kept newer"]
    before: str
    bundle_version: str
    definition: dict[str, t.Any]

    @property
    def changed(self) -> bool:
        return self.action in ("installed", "upgraded")

    @property
    def after(self) -> str:
        return self.bundle_version if self.changed else self.before


def parse_bundle(documents: t.Iterable[Object], source: str) -> Bundle:
    """Sort the documents of a bundle.

    Raises:
        MeshError: there is no definition, or they are of several versions.
    """
    items = list(documents)
    definitions = sorted((item for item in items if item["kind"] == "CustomResourceDefinition"), key=lambda item: str(item["metadata"]["name"]))
    versions = sorted({annotations_of(item).get(BUNDLE_VERSION, "") for item in definitions})
    if len(versions) != 1 or not versions[0]:
        told = "no CustomResourceDefinition" if not definitions else f"definitions of the versions {', '.join(version or 'none' for version in versions)}"
        raise MeshError(f"{source} has {told}: name one bundle of the Gateway API, such as a release's standard-install.yaml.")
    return Bundle(versions[0], tuple(definitions), tuple(item for item in items if item["kind"] in _GUARD_KINDS))


def plan_bundle(bundle: Bundle, present: t.Mapping[str, Object], *, upgrade: bool) -> list[BundleChange]:
    """What to do about each definition of the bundle, by name.

    Raises:
        MeshError: an upgrade would put one channel over the other, or over one that is unknown.
    """
    changes = []
    for definition in bundle.definitions:
        name = definition["metadata"]["name"]
        current = present.get(name)
        before = annotations_of(current).get(BUNDLE_VERSION, "v0") if current else ""
        action: t.Literal["installed", "upgraded", "unchanged", "kept older", "kept newer"]
        if current is None:
            action = "installed"
        elif version_of(before) == version_of(bundle.version):
            action = "unchanged"
        elif version_of(before) > version_of(bundle.version):
            action = "kept newer"
        else:
            action = "upgraded" if upgrade else "kept older"
        if action == "upgraded" and current is not None:
            _refuse_other_channel(name, current, definition)
        changes.append(BundleChange(name, action, before, bundle.version, dict(definition)))
    return changes


def _refuse_other_channel(name: str, current: Object, definition: Object) -> None:
    """The two channels have different fields; one over the other would damage objects."""
    installed, wanted = annotations_of(current).get(CHANNEL), annotations_of(definition).get(CHANNEL)
    if installed == wanted:
        return
    if not installed or not wanted:
        which = "is installed" if not installed else "is in the bundle"
        raise MeshError(f"{name} {which} without the annotation {CHANNEL}, so its channel is unknown: annotate it with standard or experimental.")
    raise MeshError(f"{name} is of the {installed} channel, the bundle of the {wanted} one: name the bundle of the {installed} channel.")


def version_of(text: str) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    """A bundle version in the order of semantic versioning: a release candidate comes before its release, rc.2 before rc.10."""
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(.+))?", text)
    if not found:
        return (0, 0, 0, False, ((True, 0, text),))
    major, minor, patch, candidate = found.groups()
    parts = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in (candidate or "").split("."))
    return (int(major), int(minor or 0), int(patch or 0), candidate is None, parts)


__all__ = ("Bundle", "BundleChange", "parse_bundle", "plan_bundle", "version_of")
