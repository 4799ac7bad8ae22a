# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What istiod renders the objects of a Gateway from: the Gateway, overlays, and the templates and chart values of its injector configuration.

Source: istio pilot/pkg/bootstrap/sidecarinjector.go (initSidecarInjector, getInjectorConfigMapName), pilot/pkg/config/kube/gatewaycommon
(classinfo.go, deploymentcontroller.go: render) and the chart's templates/istiod-injector-configmap.yaml.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from .._mesh.labels import GATEWAY_CLASS, WAYPOINT_CLASS, Object
from .._text import format_names
from .._yaml import load_document

# The template of each class whose objects istiod creates, as far as this collection declares Gateways of it.
TEMPLATES: t.Mapping[str, str] = {GATEWAY_CLASS: "kube-gateway", WAYPOINT_CLASS: "waypoint"}
_NAME = "istio-sidecar-injector"

Overlays = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Injector:
    """The configuration of one istiod.

    Attributes:
        templates: the names of its templates.
        values: the values of its chart, as far as templates read them.
    """

    templates: frozenset[str] = frozenset()
    values: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Created:
    """A Gateway whose objects istiod is going to create.

    Attributes:
        title: how messages name it.
        gateway: the Gateway as it is going to be applied.
        overlays: its own overlays, by the keys of OVERLAY_KINDS.
        only_overlays: whether only what the overlays make of its objects is tried, under another name: the objects exist already, or their namespace does not.
    """

    title: str
    gateway: Object
    overlays: t.Mapping[str, t.Any]
    only_overlays: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """What is refused of one is refused of all of its identity: they differ in their name alone, or where only overlays are tried, in their place."""
        metadata, spec = self.gateway["metadata"], self.gateway["spec"]
        infrastructure = {key: value for key, value in (spec.get("infrastructure") or {}).items() if key != "parametersRef"}
        copied = [metadata.get("labels"), metadata.get("annotations"), {**spec, "infrastructure": infrastructure}, self.overlays]
        # Selectors in overlays name the Gateway.
        namespace = "" if self.only_overlays else str(metadata["namespace"])
        return namespace, json.dumps(copied, sort_keys=True, default=str).replace(json.dumps(metadata["name"]), "")


def injector_name(revision: str) -> str:
    """The name of the ConfigMap of an istiod."""
    return _NAME if revision in ("", "default") else f"{_NAME}-{revision}"


def parse_injector(config_map: Object) -> Injector:
    """The configuration in a ConfigMap; what is missing or malformed in it is empty."""
    data = config_map.get("data") or {}
    templates, values = _load(data.get("config")).get("templates"), _load(data.get("values"))
    return Injector(frozenset(templates if isinstance(templates, dict) else ()), values)


def parse_overlays(config_map: Object) -> Overlays:
    """The overlays in a ConfigMap; what is not YAML is passed over, because istiod renders nothing with it at all."""
    overlays: Overlays = {}
    for key, text in (config_map.get("data") or {}).items():
        try:
            overlays[key] = load_document(text)
        except Exception:  # noqa: S112  # whatever it is, it is no overlay
            continue
    return overlays


def find_problem(config_map: Object | None, title: str, templates: t.Iterable[str] = TEMPLATES.values()) -> str:
    """Why an istiod creates nothing for Gateways; empty if its configuration does not say so.

    Args:
        config_map: the ConfigMap, or None if there is none.
        title: how messages name it, such as C(ConfigMap istio-system/istio-sidecar-injector).
        templates: the templates that it must have.
    """
    if config_map is None:
        return f"{title} does not exist, from which istiod renders waypoints and gateways"
    missing = sorted(set(templates) - parse_injector(config_map).templates)
    if not missing:
        return ""
    return f"{title} has no template {format_names(missing)}, so istiod creates nothing for Gateways of this class"


def _load(text: t.Any) -> dict[str, t.Any]:
    # The values are JSON, which is YAML but takes far less time as what it is.
    for parse in (json.loads, load_document):
        try:
            content = parse(text)
        except Exception:  # noqa: S112  # whatever it is, it is no configuration, and istiod would not take it either
            continue
        return content if isinstance(content, dict) else {}
    return {}


__all__ = ("TEMPLATES", "Created", "Injector", "Overlays", "find_problem", "injector_name", "parse_injector", "parse_overlays")
