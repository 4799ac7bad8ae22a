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

# What each version of a definition must say. Source: apiextensions-apiserver, pkg/apis/apiextensions/v1/types.go.
_OF_VERSIONS = ("name", "served", "storage")
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
        MeshError: there is no definition, one is incomplete, or they are of several versions.
    """
    items = list(documents)
    for item in items:
        lacks = _what_lacks(item)
        if lacks:
            raise MeshError(f"{source} is incomplete: {lacks}. It may be truncated: download it again, and compare its size with that of the release.")
    definitions = sorted((item for item in items if item["kind"] == "CustomResourceDefinition"), key=lambda item: str(item["metadata"]["name"]))
    versions = sorted({annotations_of(item).get(BUNDLE_VERSION, "") for item in definitions})
    if len(versions) != 1 or not versions[0]:
        found = "no CustomResourceDefinition" if not definitions else f"definitions of the versions {', '.join(version or 'none' for version in versions)}"
        raise MeshError(f"{source} has {found}: name one bundle of the Gateway API, such as a release's standard-install.yaml.")
    return Bundle(versions[0], tuple(definitions), tuple(item for item in items if item["kind"] in _GUARD_KINDS))


def _what_lacks(item: Object) -> str:
    """What a document lacks that every one of its kind has, as a file that ends too early does; empty if nothing."""
    metadata, spec = item.get("metadata"), item.get("spec")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if item["kind"] not in ("CustomResourceDefinition", *_GUARD_KINDS):
        return ""
    if not isinstance(name, str) or not name:
        return f"a {item['kind']} has no name"
    if not isinstance(spec, dict):
        return f"{item['kind']} {name} has no spec"
    if item["kind"] != "CustomResourceDefinition":
        return ""
    missing = [key for key in ("group", "names", "scope", "versions") if not spec.get(key)]
    if missing:
        return f"CustomResourceDefinition {name} has no spec.{missing[0]}"
    for version in spec["versions"] if isinstance(spec["versions"], list) else ():
        absent = [key for key in _OF_VERSIONS if not isinstance(version, dict) or version.get(key) is None]
        if absent:
            return f"a version of CustomResourceDefinition {name} has no {absent[0]}"
    return ""


def version_of(text: str) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    """A bundle version in the order of semantic versioning: a release candidate comes before its release, rc.2 before rc.10."""
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(.+))?", text)
    if not found:
        return (0, 0, 0, False, ((True, 0, text),))
    major, minor, patch, candidate = found.groups()
    parts = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in (candidate or "").split("."))
    return (int(major), int(minor or 0), int(patch or 0), candidate is None, parts)


__all__ = ("BUNDLE_VERSION", "CHANNEL", "Bundle", "parse_bundle", "version_of")
