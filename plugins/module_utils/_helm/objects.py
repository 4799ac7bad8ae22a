# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The objects of a release by its record: what Helm has installed, and what somebody may have deleted since.

Helm compares an upgrade with its record, and not with the cluster, unless it is started: a deleted object would be missed for ever.
Source: helm.sh/helm/v3 pkg/release (Manifest, without hooks), and pkg/kube/client.go (Update creates what does not exist).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._yaml import load_document

_TOP = re.compile(r"^(apiVersion|kind):[ \t]*[\"']?([^\s\"'#]+)[\"']?(?:[ \t]+#.*|[ \t]*)$", re.MULTILINE)
_METADATA = re.compile(r"^metadata:[ \t]*\n((?:[ \t]+\S.*\n?|[ \t]*(?:#.*)?\n)+)", re.MULTILINE)
_FIELD = re.compile(r"^([ \t]+)(name|namespace):[ \t]*[\"']?([^\s\"'#]+)[\"']?(?:[ \t]+#.*|[ \t]*)$", re.MULTILINE)


# What ends and is removed by itself.
_PASSING = frozenset({"Job", "Pod"})


@dataclass(frozen=True)
class ObjectRef:
    """One object that a release has installed; the namespace of a cluster-scoped one is not known to be none."""

    api_version: str
    kind: str
    namespace: str
    name: str


def objects_of(manifest: str, namespace: str) -> list[ObjectRef]:
    """The objects of a manifest, in its order.

    Args:
        manifest: the documents that a chart has rendered.
        namespace: the namespace of the release, which objects have that name none.
    """
    documents = re.split(r"^---.*$", manifest, flags=re.MULTILINE)
    return [ref for document in documents for ref in _refs(document, namespace) if ref.kind not in _PASSING]


def _refs(document: str, namespace: str) -> t.Iterator[ObjectRef]:
    # Definitions of a megabyte take a second to parse, so that the lines of interest are looked for first.
    top = dict(_TOP.findall(document))
    block = _METADATA.search(document)
    fields = _FIELD.findall(block[1]) if block else []
    indent = min((len(space) for space, _name, _value in fields), default=0)
    named = {name: value for space, name, value in fields if len(space) == indent}
    if not top and not document.strip():
        return
    if len(top) == 2 and "name" in named and not top["kind"].endswith("List"):
        yield ObjectRef(top["apiVersion"], top["kind"], named.get("namespace", namespace), named["name"])
        return
    yield from _refs_of(load_document(document), namespace)


def _refs_of(item: t.Any, namespace: str) -> t.Iterator[ObjectRef]:
    """The object that a document is, or those of the list that it is, as Helm installs them."""
    if not isinstance(item, dict):
        return
    if isinstance(item.get("items"), list) and str(item.get("kind")).endswith("List"):
        for one in item["items"]:
            yield from _refs_of(one, namespace)
        return
    metadata = item.get("metadata")
    if item.get("kind") and isinstance(metadata, dict) and metadata.get("name"):
        yield ObjectRef(str(item.get("apiVersion")), str(item["kind"]), str(metadata.get("namespace") or namespace), str(metadata["name"]))


__all__ = ("ObjectRef", "objects_of")
