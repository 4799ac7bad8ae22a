# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The objects that istiod creates for a Gateway, as far as they are known without its templates: for dry runs, never for a write.

Source: istio manifests/charts/istio-control/istio-discovery/files (waypoint.yaml, kube-gateway.yaml), and
pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (configureIstioGateway, setLabelOverrides, extractServicePorts, applyOverlay, apply).
Environment variables of the container are left out.
"""

from __future__ import annotations

import typing as t

from .._k8s.writes import Write
from .._kinds import BY_NAME
from .._mesh.labels import (
    DATAPLANE_MODE,
    GATEWAY_CLASS,
    GATEWAY_NAME,
    INJECT,
    MANAGED_BY_GATEWAY,
    MANAGED_BY_MESH,
    MANAGED_GATEWAY,
    NETWORK,
    REVISION,
    WAYPOINT_CLASS,
    Object,
    annotations_of,
    labels_of,
)
from .._mesh.parameters import CONTAINER, ON_REQUEST, OVERLAY_KINDS
from .._mesh.strategic_merge import OverlayError, merge

Map = t.Mapping[str, t.Any]
Objects = t.Dict[str, t.Dict[str, t.Any]]

_PROBE_NAME = "meshwright-dry-run"
_PREFIX = "gateway.networking.k8s.io/"
_CLASS_NAME = "gateway.networking.k8s.io/gateway-class-name"
_NAME_OVERRIDE, _ACCOUNT_OVERRIDE = "gateway.istio.io/name-override", "gateway.istio.io/service-account"
_SERVICE_TYPE = "networking.istio.io/service-type"
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", _NAME_OVERRIDE, _ACCOUNT_OVERRIDE, "gateway.istio.io/controller-version")
_CONTROLLERS = {GATEWAY_CLASS: MANAGED_BY_GATEWAY, WAYPOINT_CLASS: MANAGED_BY_MESH}
_PORTS = ((15020, "metrics"), (15021, "status-port"), (15090, "http-envoy-prom"))
_MOUNTS = {
    "/var/run/secrets/workload-spiffe-uds": "workload-socket",
    "/var/run/secrets/istio": "istiod-ca-cert",
    "/var/lib/istio/data": "istio-data",
    "/etc/istio/proxy": "istio-envoy",
    "/var/run/secrets/tokens": "istio-token",
    "/etc/istio/pod": "istio-podinfo",
}
_GATEWAY_MOUNTS = {"/var/run/secrets/credential-uds": "credential-socket", "/var/run/secrets/workload-spiffe-credentials": "workload-certs"}
_LABELS, _ANNOTATIONS = {"fieldPath": "metadata.labels"}, {"fieldPath": "metadata.annotations"}
_VOLUMES: t.Mapping[str, Map] = {
    "workload-socket": {"emptyDir": {}},
    "istio-envoy": {"emptyDir": {"medium": "Memory"}},
    "istio-data": {"emptyDir": {}},
    "istio-podinfo": {"downwardAPI": {"items": [{"path": "labels", "fieldRef": _LABELS}, {"path": "annotations", "fieldRef": _ANNOTATIONS}]}},
    "istio-token": {"projected": {"sources": [{"serviceAccountToken": {"audience": "istio-ca", "expirationSeconds": 43200, "path": "istio-token"}}]}},
    "istiod-ca-cert": {"configMap": {"name": "istio-ca-root-cert"}},
}
_WAYPOINT_VOLUMES: t.Mapping[str, Map] = {"go-proxy-envoy": {"emptyDir": {"medium": "Memory"}}, "go-proxy-data": {"emptyDir": {}}}
_GATEWAY_VOLUMES: t.Mapping[str, Map] = {"credential-socket": {"emptyDir": {}}, "workload-certs": {"emptyDir": {}}}
_PROBE = {"httpGet": {"path": "/healthz/ready", "port": 15021, "scheme": "HTTP"}, "successThreshold": 1, "timeoutSeconds": 1}
_RESOURCES = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}


def render_managed(gateway: Object, overlays: t.Sequence[Map] = (), values: Map | None = None) -> Objects:
    """The objects that istiod creates for a Gateway of class istio or istio-waypoint, by the keys of OVERLAY_KINDS.

    Args:
        gateway: the Gateway, as it is or as it is going to be applied.
        overlays: what is merged into the objects, by the keys of OVERLAY_KINDS: the defaults of the class, then the Gateway's own.
        values: the values of istiod's chart; None for its defaults.

    Raises:
        OverlayError: an overlay cannot be merged.
    """
    rendered = {key: item for key, item in _render(gateway, values or {}).items() if key not in ON_REQUEST or any(key in one for one in overlays)}
    for key, item in rendered.items():
        metadata = item["metadata"]
        for overlay in overlays:
            if isinstance(overlay.get(key), dict):
                rendered[key] = item = merge(item, overlay[key])
        if not isinstance(item.get("metadata"), dict) or not isinstance(item["metadata"].get("labels") or {}, dict):
            raise OverlayError(f"the overlay {key} leaves no metadata with labels, which each object must have")
        # istiod takes no overlay that changes any of it (applyOverlay), and sets the label itself (apply).
        identity = {"name": metadata["name"], "namespace": metadata["namespace"]}
        labels = {**(item["metadata"].get("labels") or {}), MANAGED_GATEWAY: _CONTROLLERS[gateway["spec"]["gatewayClassName"]]}
        rendered[key] = {**item, "metadata": {**item["metadata"], **identity, "labels": labels}}
    return rendered


def creation_of(item: Object) -> Write:
    """The dry run of creating an object."""
    metadata = item["metadata"]
    return Write("create", BY_NAME[item["kind"]], metadata["name"], metadata["namespace"], dict(item), dry_run=True)


def under_another_name(item: Object) -> Object:
    """The object under a name that none has, so that its dry run is not about the current one."""
    return {**item, "metadata": {**item["metadata"], "name": _PROBE_NAME}}


def _render(gateway: Object, values: Map) -> Objects:
    spec, metadata = gateway["spec"], gateway["metadata"]
    gateway_class = spec["gatewayClassName"]
    default = metadata["name"] if gateway_class == WAYPOINT_CLASS else f"{metadata['name']}-{gateway_class}"
    name = annotations_of(gateway).get(_NAME_OVERRIDE) or default
    account = annotations_of(gateway).get(_ACCOUNT_OVERRIDE) or default
    own = {GATEWAY_NAME: metadata["name"], _CLASS_NAME: gateway_class}
    labels, annotations = _copied_labels(gateway, values), _copied(gateway, "annotations", annotations_of(gateway))
    annotations = {key: value for key, value in annotations.items() if key not in _NOT_COPIED}
    selector = {"matchLabels": {GATEWAY_NAME: metadata["name"]}}
    specs: Objects = {
        "serviceAccount": {},
        "deployment": {"spec": {"selector": selector, "template": _pod_template(gateway, name, account, labels, annotations, values)}},
        "service": {"spec": _service(gateway)},
        "horizontalPodAutoscaler": {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "maxReplicas": 1}},
        "podDisruptionBudget": {"spec": {"selector": selector}},
    }
    owner = [{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": metadata["name"], "uid": metadata.get("uid")}]
    rendered: Objects = {}
    for key, body in specs.items():
        api_version, kind = OVERLAY_KINDS[key]
        common: dict[str, t.Any] = {"name": account if key == "serviceAccount" else name, "namespace": metadata["namespace"], "labels": {**labels, **own}}
        if annotations:
            common["annotations"] = annotations
        if metadata.get("uid"):
            common["ownerReferences"] = owner
        rendered[key] = {"apiVersion": api_version, "kind": kind, "metadata": common, **body}
    return rendered


def _copied(gateway: Object, part: str, of_the_gateway: t.Mapping[str, str]) -> dict[str, str]:
    """The labels or annotations of spec.infrastructure; those of the Gateway itself if it has none there."""
    given = (gateway["spec"].get("infrastructure") or {}).get(part)
    return {key: value for key, value in given.items() if not key.startswith(_PREFIX)} if given is not None else dict(of_the_gateway)


def _copied_labels(gateway: Object, values: Map) -> dict[str, str]:
    labels = _copied(gateway, "labels", labels_of(gateway))
    network = (values.get("global") or {}).get("network")
    if gateway["spec"]["gatewayClassName"] != WAYPOINT_CLASS:
        return labels if DATAPLANE_MODE in {**labels, **labels_of(gateway)} else {**labels, DATAPLANE_MODE: "none"}
    return {**labels, NETWORK: network} if network and NETWORK not in labels_of(gateway) else labels


def _service(gateway: Object) -> dict[str, t.Any]:
    ports, numbers = [{"name": "status-port", "port": 15021, "protocol": "TCP", "appProtocol": "tcp"}], set()
    for listener in gateway["spec"].get("listeners") or ():
        if listener["port"] in numbers:
            continue
        numbers.add(listener["port"])
        # Two names can be one without their dots; istiod then adds the port, as is done here in any case of doubt.
        name = str(listener["name"]).replace(".", "-")[:63]
        name = f"{name[:57]}-{listener['port']}" if any(port["name"] == name for port in ports) else name
        ports.append({"name": name, "port": listener["port"], "protocol": "TCP", "appProtocol": str(listener["protocol"]).lower()})
    default = "ClusterIP" if gateway["spec"]["gatewayClassName"] == WAYPOINT_CLASS else "LoadBalancer"
    return {
        "ipFamilyPolicy": "PreferDualStack",
        "ports": ports,
        "selector": {GATEWAY_NAME: gateway["metadata"]["name"]},
        "type": annotations_of(gateway).get(_SERVICE_TYPE) or default,
    }


def _pod_template(gateway: Object, name: str, account: str, labels: Map, annotations: Map, values: Map) -> dict[str, t.Any]:
    gateway_class = gateway["spec"]["gatewayClassName"]
    is_waypoint = gateway_class == WAYPOINT_CLASS
    settings = values.get("global") or {}
    first = {INJECT: "false", "service.istio.io/canonical-name": name, "service.istio.io/canonical-revision": "latest"}
    own = {GATEWAY_NAME: gateway["metadata"]["name"], _CLASS_NAME: gateway_class, MANAGED_GATEWAY: _CONTROLLERS[gateway_class]}
    metrics = {"prometheus.io/path": "/stats/prometheus", "prometheus.io/port": "15020", "prometheus.io/scrape": "true"}
    mounts = {**_MOUNTS, **({} if is_waypoint else _GATEWAY_MOUNTS)}
    volumes = {**_VOLUMES, **(_WAYPOINT_VOLUMES if is_waypoint else _GATEWAY_VOLUMES)}
    pod: dict[str, t.Any] = {
        "serviceAccountName": account,
        "containers": [_container(is_waypoint=is_waypoint, mounts=mounts, values=values)],
        "volumes": [{"name": volume, **source} for volume, source in volumes.items()],
    }
    if is_waypoint:
        placement = settings.get("waypoint") or {}
        pod.update({key: placement[key] for key in ("affinity", "topologySpreadConstraints", "nodeSelector", "tolerations") if placement.get(key)})
    else:
        given = values.get("gateways") or {}
        profile = {"seccompProfile": given["seccompProfile"]} if given.get("seccompProfile") else {}
        pod["securityContext"] = given.get("securityContext") or {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}], **profile}
    if settings.get("imagePullSecrets"):
        pod["imagePullSecrets"] = [{"name": secret} for secret in settings["imagePullSecrets"]]
    return {
        "metadata": {
            "annotations": {**annotations, REVISION: values.get("revision") or "default", **metrics},
            "labels": {**first, **({DATAPLANE_MODE: "none"} if is_waypoint else {}), **labels, **own},
        },
        "spec": pod,
    }


def _container(*, is_waypoint: bool, mounts: t.Mapping[str, str], values: Map) -> dict[str, t.Any]:
    settings = values.get("global") or {}
    proxy = settings.get("proxy") or {}
    resources = (settings.get("waypoint") or {}) if is_waypoint else proxy
    identity = {"runAsUser": 1337, "runAsGroup": 1337} if not is_waypoint or settings.get("platform") != "openshift" else {}
    profile = (values.get("gateways") or {}).get("seccompProfile")
    return {
        "name": CONTAINER,
        "image": _image(settings),
        **({"imagePullPolicy": settings["imagePullPolicy"]} if settings.get("imagePullPolicy") else {}),
        "args": ["proxy", "waypoint" if is_waypoint else "router"],
        "ports": [{"containerPort": port, "name": name, "protocol": "TCP"} for port, name in _PORTS],
        "resources": resources.get("resources", {}) if values else _RESOURCES,
        "startupProbe": {**_PROBE, "failureThreshold": 30, "initialDelaySeconds": 1, "periodSeconds": 1},
        "readinessProbe": {**_PROBE, "failureThreshold": 4, "initialDelaySeconds": 0, "periodSeconds": 15},
        "securityContext": {
            "privileged": False,
            **identity,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            **({"seccompProfile": profile} if profile and is_waypoint else {}),
        },
        "volumeMounts": [{"mountPath": path, "name": name} for path, name in mounts.items()],
    }


def _image(settings: Map) -> str:
    """The image of the proxy. Source: pkg/kube/inject/inject.go (ProxyImage, imageURL)."""
    name = str((settings.get("proxy") or {}).get("image") or "proxyv2")
    if "/" in name:
        return name
    tag, variant = str(settings.get("tag") or "latest"), str(settings.get("variant") or "")
    for known in ("distroless", "debug"):
        tag = tag[: -len(known) - 1] if variant and tag.endswith(f"-{known}") else tag
    return f"{settings.get('hub') or 'docker.io/istio'}/{name}:{tag}{f'-{variant}' if variant not in ('', 'default') else ''}"


__all__ = ("creation_of", "render_managed", "under_another_name")
