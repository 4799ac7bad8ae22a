# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads the current state at the edge of a mesh: each kind at most once, in the one namespace of all items or in all of them."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    ENDPOINT_SLICE,
    EVENT,
    GATEWAY,
    HTTP_ROUTE,
    INGRESS,
    ISTIO_GATEWAY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    SERVICE,
    VIRTUAL_SERVICE,
    Kind,
)
from .._managed_fields import MANAGED_BY
from .._mesh.labels import labels_of
from .._status.load_balancers import versions_of
from .plan import Place
from .provisioner import WEBHOOKS, handles_services

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .spec import DesiredItem, Key

# The kinds that are written, by the names in the keys of desired objects.
KINDS: t.Mapping[str, Kind] = {
    "ConfigMap": CONFIG_MAP,
    "Gateway": GATEWAY,
    "HTTPRoute": HTTP_ROUTE,
    "Ingress": INGRESS,
    "IstioGateway": ISTIO_GATEWAY,
    "VirtualService": VIRTUAL_SERVICE,
}

Warn = t.Callable[[str], None]


class Reader:
    """Reads what a task needs, and nothing twice.

    Args:
        session: where to read.
        items: decide in which namespaces it reads.
        warn: is called with what could not be read, and what was therefore not checked.
    """

    def __init__(self, session: ApiSession, items: t.Sequence[DesiredItem], warn: Warn) -> None:
        self._session = session
        self._warn = warn
        namespaces = {item.item["namespace"] for item in items}
        self.namespace = namespaces.pop() if len(namespaces) == 1 else None
        self._read: dict[t.Any, t.Any] = {}

    def objects(self, items: t.Sequence[DesiredItem], *, required: bool) -> dict[Key, Object]:
        """The current objects of the kinds that the items have; kinds that are not served have none, unless they are required."""
        desired = [one for item in items for one in item.objects]
        found: dict[Key, Object] = {}
        for name in sorted({one.key[0] for one in desired}):
            try:
                listed = self.read(KINDS[name], MANAGED_BY if name == "ConfigMap" else None)
            except NotServed:
                if required and any(one.manifest for one in desired if one.key[0] == name):
                    raise
                continue
            found.update({(name, *place_of(item)): item for item in listed})
        return found

    def namespaces(self) -> dict[str, t.Mapping[str, str]]:
        """The labels of all namespaces, by name."""
        return {item["metadata"]["name"]: labels_of(item) for item in self.read(NAMESPACE, metadata_only=True)}

    def services(self) -> dict[Place, Object]:
        """The Services, by namespace and name."""
        return {place_of(item): item for item in self.read(SERVICE)}

    def handles_services(self) -> bool | None:
        """Whether the load balancer controller's webhook handles new Services of type LoadBalancer; None if this user may not read it."""
        try:
            return handles_services(self._get(MUTATING_WEBHOOK, WEBHOOKS))
        except ApiError as error:
            self._warn_of(error, "Who provisions load balancers of new Services was not checked")
            return None

    def routable(self) -> bool | None:
        """Whether a network plug-in is known that gives pods addresses of the VPC; None if this user may not read it.

        Source: amazon-vpc-cni-k8s (DaemonSet aws-node), and Cilium's documentation of its ENI mode (ConfigMap cilium-config, ipam: eni).
        """
        try:
            if self._get(DAEMON_SET, "aws-node", "kube-system"):
                return True
            settings = self._get(CONFIG_MAP, "cilium-config", "kube-system")
        except ApiError as error:
            self._warn_of(error, "Whether pods can be targets of type ip was not checked")
            return None
        return bool(settings and (settings.get("data") or {}).get("ipam") == "eni")

    def events(self) -> dict[str, str]:
        """The current events, to distinguish later ones from them."""
        return versions_of(self.read(EVENT, metadata_only=True))

    def ready_pods(self) -> dict[Place, list[str]]:
        """The names of the ready pods behind each Service."""
        found: dict[Place, list[str]] = {}
        for item in self.read(ENDPOINT_SLICE):
            service = labels_of(item).get("kubernetes.io/service-name")
            pods = [
                endpoint["targetRef"]["name"]
                for endpoint in item.get("endpoints") or ()
                if (endpoint.get("conditions") or {}).get("ready") is not False and endpoint.get("targetRef")
            ]
            if service:
                found.setdefault((item["metadata"]["namespace"], service), []).extend(pods)
        return {place: sorted(set(pods)) for place, pods in found.items()}

    def read(self, kind: Kind, label_selector: str | None = None, *, metadata_only: bool = False, everywhere: bool = False) -> list[Object]:
        """The objects of a kind, in all namespaces if it has none or everywhere is set."""
        namespace = self.namespace if kind.namespaced and not everywhere else None
        key = (kind, namespace, label_selector, metadata_only)
        if key not in self._read:
            self._read[key] = self._session.list(kind, namespace, label_selector=label_selector, metadata_only=metadata_only).items
        found: list[Object] = self._read[key]
        return found

    def read_optional(self, kind: Kind, purpose: str, label_selector: str | None = None, *, everywhere: bool = False) -> t.List[Object] | None:
        """The objects' metadata, or None and a warning if this user may not list them."""
        try:
            return self.read(kind, label_selector, metadata_only=True, everywhere=everywhere)
        except ApiError as error:
            self._warn_of(error, f"Whether {purpose} was not checked in {kind.plural}")
            return None

    def _get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        key = (kind, namespace, name)
        if key not in self._read:
            self._read[key] = self._session.get(kind, name, namespace)
        found: Object | None = self._read[key]
        return found

    def _warn_of(self, error: ApiError, consequence: str) -> None:
        """Only what this user may not read is no error."""
        if error.status != 403:
            raise error
        self._warn(f"{consequence}: {error.message}")


def place_of(item: Object) -> Place:
    """Namespace and name of an object."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


__all__ = ("KINDS", "Reader", "Warn", "place_of")
