# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The meshConfig of each istiod, as far as checks ask for it.

Source: istio manifests/charts/istio-control/istio-discovery/templates/configmap.yaml (the name and the keys), api mesh/v1alpha1 (MeshConfig).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._mesh.labels import Object
from .._mesh.mesh_settings import ISTIO_NAMESPACE
from .._yaml import YamlOutOfBounds, load_document

_NAME = re.compile(r"istio(-[a-z0-9]([a-z0-9-]*[a-z0-9])?)?")


@dataclass(frozen=True)
class MeshConfig:
    """The settings of one istiod.

    Attributes:
        namespace: the namespace of its ConfigMap.
        name: the name of its ConfigMap, which ends with the revision unless that is the default one.
        root_namespace: the namespace whose policies count for the whole mesh.
        trust_domain: the first part of all identities.
        providers: the names of C(extensionProviders).
        readable: whether it is YAML; if it is not, all else has its default.
    """

    namespace: str
    name: str
    root_namespace: str = ISTIO_NAMESPACE
    trust_domain: str = "cluster.local"
    providers: frozenset[str] = field(default_factory=frozenset)
    readable: bool = True


def read_mesh_configs(config_maps: t.Iterable[Object]) -> list[MeshConfig]:
    """The meshConfig of each istiod, in the order of their ConfigMaps."""
    return [_read(item, str(item["data"]["mesh"])) for item in config_maps if "mesh" in (item.get("data") or {}) and _NAME.fullmatch(item["metadata"]["name"])]


def _read(config_map: Object, text: str) -> MeshConfig:
    from yaml import YAMLError

    place = {"namespace": config_map["metadata"]["namespace"], "name": config_map["metadata"]["name"]}
    try:
        found = load_document(text) or {}
    except (YAMLError, YamlOutOfBounds):
        found = None
    if not isinstance(found, dict):
        return MeshConfig(**place, root_namespace=place["namespace"], readable=False)
    providers = found.get("extensionProviders")
    return MeshConfig(
        **place,
        root_namespace=str(found.get("rootNamespace") or place["namespace"]),
        trust_domain=str(found.get("trustDomain") or "cluster.local"),
        providers=frozenset(str(one.get("name")) for one in providers if isinstance(one, dict)) if isinstance(providers, list) else frozenset(),
    )


__all__ = ("MeshConfig", "read_mesh_configs")
