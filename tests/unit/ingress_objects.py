"""Objects at the edge of a mesh as an API server has them, for tests."""

from __future__ import annotations

import copy
from typing import Any


def applied(manifest: dict[str, Any]) -> dict[str, Any]:
    """An object as our server-side apply leaves it: with what the API adds, and with the fields that are ours."""

    def fields(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return {f"f:{name}": fields(below) for name, below in value.items()}
        return {}

    own = {name: value for name, value in manifest.items() if name not in ("apiVersion", "kind")}
    own["metadata"] = {name: value for name, value in manifest["metadata"].items() if name in ("labels", "annotations")}
    item = copy.deepcopy(manifest)
    item["metadata"].update(uid="1", managedFields=[{"manager": "meshwright", "operation": "Apply", "fieldsV1": fields(own)}])
    return item


def by_hand(manifest: dict[str, Any]) -> dict[str, Any]:
    """The object as somebody else has made it."""
    item = applied(manifest)
    item["metadata"]["managedFields"] = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {}}]
    return item


def service(
    name: str, kind: str = "ClusterIP", *, ports: Any = ((15021, "status-port"), (80, "http2")), gateway: str = "", **annotations: str
) -> dict[str, Any]:
    """A Service; gateway is the Gateway for which istiod has made it."""
    labels = {"gateway.networking.k8s.io/gateway-name": gateway} if gateway else {}
    metadata = {"name": name, "namespace": "istio-ingress", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "spec": {"type": kind, "ports": [{"port": port, "name": word} for port, word in ports]}, "status": {"loadBalancer": {}}}
