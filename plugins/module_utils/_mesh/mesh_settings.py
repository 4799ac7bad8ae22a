# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Istio's own settings about namespaces: which the istio-cni agent excludes, and which istiod sees; and the version of istiod."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._yaml import YamlOutOfBounds, load_document
from .capture import EXCLUDED_NAMESPACES
from .labels import Object, labels_of, matches

# What the charts istio-cni and istiod put on their ConfigMaps, of every version and by every installer.
SETTINGS_SELECTOR = "operator.istio.io/component in (Cni,Pilot)"
# The default of the charts for the namespace of istiod, which is the root namespace of its mesh.
ISTIO_NAMESPACE = "istio-system"
CANARY_SINCE = (1, 31)

_CNI = "istio-cni-config"
_MESH = re.compile(r"istio(-[a-z0-9]([a-z0-9-]*[a-z0-9])?)?")
_ROOT_NAMESPACE = re.compile(r"""^rootNamespace:\s*["']?([a-z0-9][a-z0-9-]*)""", re.MULTILINE)
_OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})
_VERSION_LABEL = "app.kubernetes.io/version"


@dataclass(frozen=True)
class MeshSettings:
    """The settings that decide whether a namespace's labels have any effect.

    Attributes:
        excluded_namespaces: those in excludeNamespaces of the istio-cni chart; the chart's default where it is not installed.
        discovery_selectors: for each istiod that has any, its C(meshConfig.discoverySelectors); empty when one istiod sees everything.
        installed: whether an istio-cni agent is configured here at all.
    """

    excluded_namespaces: frozenset[str] = EXCLUDED_NAMESPACES
    discovery_selectors: tuple[tuple[t.Mapping[str, t.Any], ...], ...] = ()
    installed: bool = False

    def hides(self, labels: t.Mapping[str, str]) -> bool:
        """Whether no istiod sees a namespace with these labels: a namespace must match one of an istiod's selectors."""
        return bool(self.discovery_selectors) and not any(matches(selector, labels) for selectors in self.discovery_selectors for selector in selectors)


def read_settings(config_maps: t.Iterable[Object]) -> MeshSettings:
    """The settings in the ConfigMaps that C(SETTINGS_SELECTOR) finds.

    Source: the charts' templates configmap-cni.yaml and configmap.yaml, cni/pkg/util/podutil.go (SplitExcludeNamespaces) and
    pkg/kube/namespace/filter.go (the namespace must match at least one selector; none at all means every namespace).
    """
    excluded: set[str] = set()
    selectors: list[tuple[t.Mapping[str, t.Any], ...]] = []
    installed = False
    for item in config_maps:
        data = item.get("data") or {}
        name = item["metadata"]["name"]
        if name == _CNI:
            installed = True
            excluded |= {part.strip() for part in str(data.get("EXCLUDE_NAMESPACES") or "").split(",")} - {""}
        elif "mesh" in data and _MESH.fullmatch(name):
            selectors.append(_discovery_selectors(str(data["mesh"])))
    return MeshSettings(
        excluded_namespaces=frozenset(excluded) if installed else EXCLUDED_NAMESPACES,
        # An istiod without selectors sees every namespace, whatever the others do.
        discovery_selectors=tuple(selectors) if all(selectors) else (),
        installed=installed,
    )


def find_root_namespaces(config_maps: t.Iterable[Object]) -> set[str]:
    """The namespaces whose policies apply to a whole mesh, one for each istiod: C(meshConfig.rootNamespace), which the chart sets to that of istiod.

    Source: istio manifests/charts/istio-control/istio-discovery/templates/configmap.yaml.
    """
    found = set()
    for item in config_maps:
        mesh = (item.get("data") or {}).get("mesh")
        if mesh is not None and _MESH.fullmatch(item["metadata"]["name"]):
            given = _ROOT_NAMESPACE.search(str(mesh))
            found.add(given[1] if given else item["metadata"]["namespace"])
    return found


def trim_settings(config_map: Object) -> dict[str, t.Any]:
    """A ConfigMap without what C(read_settings) does not read: the injection template is large."""
    data = config_map.get("data") or {}
    return {"metadata": {"name": config_map["metadata"]["name"]}, "data": {key: data[key] for key in ("mesh", "EXCLUDE_NAMESPACES") if key in data}}


def too_old_for_canary(istiods: t.Iterable[Object]) -> list[str]:
    """The istiods that do not support waypoint canaries, as messages name them; one without a version label counts as too old."""
    found = []
    for item in istiods:
        version = labels_of(item).get(_VERSION_LABEL, "")
        number = re.match(r"v?(\d+)\.(\d+)", version)
        if number is None or (int(number[1]), int(number[2])) < CANARY_SINCE:
            reason = f"runs Istio {version}" if number else f"does not report its version (label {_VERSION_LABEL})"
            found.append(f"Deployment {item['metadata']['namespace']}/{item['metadata']['name']} {reason}")
    return found


def _discovery_selectors(mesh: str) -> tuple[t.Mapping[str, t.Any], ...]:
    """The selectors of one mesh configuration; none if istiod could not parse them either."""
    # Most have none: then YAML need not be loaded.
    if "discoverySelectors" not in mesh:
        return ()
    from yaml import YAMLError

    try:
        found = (load_document(mesh) or {}).get("discoverySelectors") or ()
    except (YAMLError, YamlOutOfBounds, AttributeError):
        return ()
    selectors = tuple(selector for selector in found if isinstance(selector, dict))
    expressions = [expression for selector in selectors for expression in selector.get("matchExpressions") or ()]
    return selectors if all(expression.get("operator") in _OPERATORS and "key" in expression for expression in expressions) else ()


__all__ = ("ISTIO_NAMESPACE", "SETTINGS_SELECTOR", "MeshSettings", "find_root_namespaces", "read_settings", "too_old_for_canary", "trim_settings")
