# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A bundle of the Gateway API: its version and its definitions."""

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


def parse_bundle(documents: t.Iterable[Object], source: str) -> Bundle:
    """Sort the documents of a bundle.

    Raises:
        MeshError: there is no definition, or they are of several versions.
    """
    items = list(documents)
    definitions = sorted((item for item in items if item["kind"] == "CustomResourceDefinition"), key=lambda item: str(item["metadata"]["name"]))
    versions = sorted({annotations_of(item).get(BUNDLE_VERSION, "") for item in definitions})
    if len(versions) != 1 or not versions[0]:
        found = "no CustomResourceDefinition" if not definitions else f"definitions of the versions {', '.join(version or 'none' for version in versions)}"
        raise MeshError(f"{source} has {found}: name one bundle of the Gateway API, such as a release's standard-install.yaml.")
    return Bundle(versions[0], tuple(definitions), tuple(item for item in items if item["kind"] in _GUARD_KINDS))


def version_of(text: str) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    """A bundle version in the order of semantic versioning: a release candidate comes before its release, rc.2 before rc.10."""
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(.+))?", text)
    if not found:
        return (0, 0, 0, False, ((True, 0, text),))
    major, minor, patch, candidate = found.groups()
    parts = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in (candidate or "").split("."))
    return (int(major), int(minor or 0), int(patch or 0), candidate is None, parts)


__all__ = ("BUNDLE_VERSION", "CHANNEL", "Bundle", "parse_bundle", "version_of")
