# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Objects reduced to what checks ask for, so that a large cluster fits into memory."""

from __future__ import annotations

import typing as t

from .._mesh.labels import REVISION, SIDECAR_STATUS, Object

_AMBIENT_PREFIX = "ambient.istio.io/"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_POD_METADATA = ("name", "namespace", "uid", "labels", "creationTimestamp", "deletionTimestamp")
_POD_STATUS = ("phase", "podIP", "startTime", "reason")
# The values of Istio's ConfigMaps that checks read; the templates of the injector are large.
_SETTINGS = ("mesh", "EXCLUDE_NAMESPACES", "AMBIENT_ENABLED")


def trim_pod(pod: Object) -> dict[str, t.Any]:
    """A pod without what no check asks for."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    kept: dict[str, t.Any] = {name: metadata[name] for name in _POD_METADATA if name in metadata}
    annotations = metadata.get("annotations") or {}
    kept["annotations"] = {name: value for name, value in annotations.items() if name == REVISION or name.startswith(_AMBIENT_PREFIX)}
    if SIDECAR_STATUS in annotations:
        # An empty sidecar status counts as one, so the key is what matters, not the long value.
        kept["annotations"][SIDECAR_STATUS] = ""
    kept["ownerReferences"] = [
        {"kind": owner["kind"], "name": owner["name"], "controller": True} for owner in metadata.get("ownerReferences") or () if owner.get("controller")
    ]
    conditions = [{"type": one.get("type"), "status": one.get("status")} for one in status.get("conditions") or () if one.get("type") == "Ready"]
    containers = [{"name": one.get("name"), "ready": one.get("ready"), "state": one.get("state")} for one in status.get("containerStatuses") or ()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": kept,
        "spec": {
            **{name: spec[name] for name in ("hostNetwork", "nodeName", "serviceAccountName") if name in spec},
            "containers": [{name: one[name] for name in ("name", "image", "ports") if name in one} for one in spec.get("containers") or ()],
        },
        "status": {
            **{name: status[name] for name in _POD_STATUS if name in status},
            "conditions": conditions,
            "containerStatuses": [one for one in containers if not one["ready"]],
        },
    }


def trim_definition(definition: Object) -> dict[str, t.Any]:
    """A CustomResourceDefinition without its schemas."""
    spec = definition["spec"]
    versions = [{name: version[name] for name in ("name", "served", "storage") if name in version} for version in spec.get("versions") or ()]
    return {**trim_object(definition), "spec": {**{name: spec[name] for name in ("group", "names", "scope") if name in spec}, "versions": versions}}


def trim_config_map(config_map: Object) -> dict[str, t.Any]:
    """A ConfigMap of Istio's: the settings with their values, everything else with its key alone."""
    trimmed = trim_object(config_map)
    if (config_map["metadata"].get("labels") or {}).keys() & {"operator.istio.io/component"}:
        trimmed["data"] = {key: value if key in _SETTINGS else "" for key, value in (config_map.get("data") or {}).items()}
    return trimmed


def trim_object(item: Object) -> dict[str, t.Any]:
    """Any other object, without the copy of itself that kubectl leaves, and of its managed fields only who wrote when."""
    metadata = dict(item["metadata"])
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {name: value for name, value in metadata["annotations"].items() if name != _LAST_APPLIED}
    if "managedFields" in metadata:
        metadata["managedFields"] = [_trim_entry(entry) for entry in metadata["managedFields"] or ()]
    return {**item, "metadata": metadata}


def _trim_entry(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """One entry of managedFields, with the names of the parts that it is about, such as C(f:spec)."""
    kept = {name: entry[name] for name in ("manager", "operation", "subresource", "time") if name in entry}
    return {**kept, "fieldsV1": {name: {} for name in entry.get("fieldsV1") or {}}}


__all__ = ("trim_config_map", "trim_definition", "trim_object", "trim_pod")
