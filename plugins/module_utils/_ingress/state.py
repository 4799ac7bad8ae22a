# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.
"""What the module ingress reads: each kind at most once, in the one namespace of all items or in all of them."""

from __future__ import annotations

import typing as t

from .._errors import ApiError, NotServed
from .._k8s.managed_fields import MANAGED_BY
from .._kinds import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, ENDPOINT_SLICE, EVENT, GATEWAY, HTTP_ROUTE, INGRESS, MUTATING_WEBHOOK, NAMESPACE, SERVICE, Kind
from .._mesh.labels import GATEWAY_NAME, MANAGED_GATEWAY, labels_of
from .._status.load_balancers import versions_of
from .makers import WEBHOOKS, asks_about_services
from .plan import Place

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession, Object
    from .wishes import Key, Wish

INGRESS_CLASS = Kind("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False)
ISTIO_GATEWAY = Kind("networking.istio.io/v1", "Gateway", "gateways")
VIRTUAL_SERVICE = Kind("networking.istio.io/v1", "VirtualService", "virtualservices")

# The kinds of what is written, by the words of the wishes' keys.
KINDS: t.Mapping[str, Kind] = {
    "ConfigMap": CONFIG_MAP,
    "Gateway": GATEWAY,
    "HTTPRoute": HTTP_ROUTE,
    "Ingress": INGRESS,
    "IstioGateway": ISTIO_GATEWAY,
    "VirtualService": VIRTUAL_SERVICE,
}
_CONTROLLER = "app.kubernetes.io/name=aws-load-balancer-controller"

Warn = t.Callable[[str], None]


class Reader:
    """Reads what a task needs.

    Args:
        session: where to read.
        wishes: the items.
        warn: is told what could not be read, and what therefore was not looked at.
    """

    def __init__(self, session: ApiSession, wishes: t.Sequence[Wish], warn: Warn) -> None:
        self._session = session
        self._wishes = wishes
        self._warn = warn
        places = {wish.item["namespace"] for wish in wishes}
        self._place = places.pop() if len(places) == 1 else None

    def objects(self, *, required: bool) -> dict[Key, Object]:
        """What is there of the kinds that the items have; kinds that are not served yet have no objects, unless they are required."""
        wanted = [object_ for wish in self._wishes for object_ in (wish.main, *wish.others)]
        found: dict[Key, Object] = {}
        for name in sorted({wanted_object.key[0] for wanted_object in wanted}):
            needed = required and any(one.manifest for one in wanted if one.key[0] == name)
            selector = MANAGED_BY if name == "ConfigMap" else None
            try:
                items = self._session.list(KINDS[name], self._place, label_selector=selector).items
            except NotServed:
                if needed:
                    raise
                continue
            found.update({(name, item["metadata"]["namespace"], item["metadata"]["name"]): item for item in items})
        return found

    def namespaces(self) -> dict[str, t.Mapping[str, str]]:
        """The labels of all namespaces, by name."""
        return {item["metadata"]["name"]: labels_of(item) for item in self._session.list(NAMESPACE, metadata_only=True).items}

    def services(self) -> dict[Place, Object]:
        """The Services in the namespaces of gateways and load balancers."""
        if not any(wish.group in ("gateways", "albs") for wish in self._wishes):
            return {}
        return {_place(item): item for item in self._session.list(SERVICE, self._place).items}

    def strange_deployments(self) -> frozenset[Place]:
        """The Deployments that istiod did not make, where gateways are."""
        if not any(wish.group == "gateways" and wish.present for wish in self._wishes):
            return frozenset()
        items = self._optional(DEPLOYMENT, self._place, "a gateway's name is taken", f"!{MANAGED_GATEWAY}") or []
        return frozenset(_place(item) for item in items if GATEWAY_NAME not in labels_of(item))

    def ingress_classes(self) -> frozenset[str] | None:
        """The names of the IngressClasses; None when this user may not ask."""
        items = self._optional(INGRESS_CLASS, None, "the ingress class exists")
        return None if items is None else frozenset(item["metadata"]["name"] for item in items)

    def controller(self) -> bool | None:
        """Whether the AWS Load Balancer Controller is installed; None when this user may not ask."""
        items = self._optional(DEPLOYMENT, None, "the AWS Load Balancer Controller is installed", _CONTROLLER)
        return None if items is None else bool(items)

    def service_webhook(self) -> bool | None:
        """Whether the controller is asked about new Services of type LoadBalancer; None when this user may not look."""
        try:
            return asks_about_services(self._session.get(MUTATING_WEBHOOK, WEBHOOKS))
        except ApiError as error:
            if error.status != 403:
                raise
            self._warn(f"Who makes load balancers of new Services was not looked at: {error.message}")
            return None

    def routable(self) -> bool | None:
        """Whether a network plug-in is known that gives pods addresses of the VPC; None when this user may not ask.

        Source: amazon-vpc-cni-k8s (DaemonSet aws-node), and Cilium's documentation of its ENI mode (ConfigMap cilium-config, ipam: eni).
        """
        try:
            if self._session.get(DAEMON_SET, "aws-node", "kube-system"):
                return True
            settings = self._session.get(CONFIG_MAP, "cilium-config", "kube-system")
        except ApiError as error:
            if error.status != 403:
                raise
            self._warn(f"Whether pods can be targets of type ip was not looked at: {error.message}")
            return None
        return bool(settings and (settings.get("data") or {}).get("ipam") == "eni")

    def events(self) -> dict[str, str]:
        """The events that are there, to tell later ones from them."""
        return versions_of(self._session.list(EVENT, self._place, metadata_only=True).items)

    def endpoints(self) -> dict[Place, list[str]]:
        """The names of the ready pods behind each Service."""
        found: dict[Place, list[str]] = {}
        for item in self._session.list(ENDPOINT_SLICE, self._place).items:
            service = labels_of(item).get("kubernetes.io/service-name")
            pods = [
                endpoint["targetRef"]["name"]
                for endpoint in item.get("endpoints") or ()
                if (endpoint.get("conditions") or {}).get("ready") is not False and endpoint.get("targetRef")
            ]
            if service:
                found.setdefault((item["metadata"]["namespace"], service), []).extend(pods)
        return {place: sorted(set(pods)) for place, pods in found.items()}

    def _optional(self, kind: Kind, place: str | None, purpose: str, label_selector: str | None = None) -> list[Object] | None:
        """The objects' metadata, or None and a warning when this user may not list them."""
        try:
            return self._session.list(kind, place, label_selector=label_selector, metadata_only=True).items
        except ApiError as error:
            if error.status != 403:
                raise
            self._warn(f"Whether {purpose} was not looked at in {kind.plural}: {error.message}")
            return None


def _place(item: Object) -> Place:
    return item["metadata"]["namespace"], item["metadata"]["name"]


__all__ = ("INGRESS_CLASS", "ISTIO_GATEWAY", "KINDS", "VIRTUAL_SERVICE", "Reader")
