# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Does istiod write the status of what it has read: does a living pod of it lead, and is what it has written about the present form of the objects?

Source: istio pilot/pkg/leaderelection/leaderelection.go and pilot/pkg/bootstrap/configcontroller.go (what needs a leader, and of how many revisions),
pilot/pkg/model/kstatus/helper.go (a condition is written anew for each generation), pilot/pkg/config/kube/gatewaycommon/classinfo.go.
"""

from __future__ import annotations

import typing as t

from .._kinds import (
    AUTHORIZATION_POLICY,
    CONFIG_MAP,
    DEPLOYMENT,
    GATEWAY,
    GATEWAY_CLASS,
    GRPC_ROUTE,
    HTTP_ROUTE,
    LEASE,
    MUTATING_WEBHOOK,
    NAMESPACE,
    POD,
    SERVICE,
    VALIDATING_WEBHOOK,
)
from .._mesh.labels import REVISION, WAYPOINT_CLASS, Object, annotations_of, labels_of
from .._status.verdict import observed_generation
from .ages import SETTLING, age_of, last_write
from .check import Check
from .cluster import Cluster, refs_of
from .finding import ObjectRef, Problem, ref_of
from .serving import environment_of

_STATUS_LEASE, _GATEWAY_LEASE = "istio-status-leader", "istio-gateway-status-leader"
# These have one leader for each revision, whose name is appended.
_LEASES_OF_REVISIONS = {
    _GATEWAY_LEASE: "nobody writes the status of Gateways and routes of revision",
    "istio-gateway-deployment": "nobody creates or updates the pods of waypoints and gateways of revision",
}
_HOLDER_KEY = "leader.istio.io/holder-key"
# Beyond its duration, until another one must have taken it over.
_TAKEN_OVER_AFTER = 60
_CONTROLLERS = "istio.io/"
_CLASSES = ("istio", WAYPOINT_CLASS, "istio-east-west")
# The conditions that istiod writes for each generation.
_OF_GATEWAYS = ("Accepted", "Programmed")
_OF_POLICIES = ("WaypointAccepted", "ZtunnelAccepted")
_LOOK = "Look in istiod's log for errors about status or leader election, and restart it."


def revision_of(istiod: Object) -> str:
    """The revision of a Deployment of istiod; C(default) for the one without a name."""
    return str(labels_of(istiod).get(REVISION, "default"))


def istiod_of_revision(revision: str | None, cluster: Cluster) -> Object | None:
    """The Deployment of a revision, or None."""
    return next((item for item in cluster.istiods if revision_of(item) == revision), None)


def owner_of(gateway: Object, cluster: Cluster) -> Object | None:
    """The Deployment of the istiod whose revision owns a Gateway, or None."""
    namespace = cluster.namespace_labels(gateway["metadata"]["namespace"])
    return istiod_of_revision(cluster.revisions.owner(labels_of(gateway).get(REVISION) or namespace.get(REVISION) or ""), cluster)


def is_istios(gateway: Object, cluster: Cluster) -> bool:
    """Whether a Gateway is of one of Istio's classes."""
    name = str(gateway["spec"].get("gatewayClassName"))
    found = cluster.get(GATEWAY_CLASS, name)
    return str(found["spec"].get("controllerName")).startswith(_CONTROLLERS) if found else name in _CLASSES


def _default_istiod(cluster: Cluster) -> Object | None:
    return istiod_of_revision(cluster.revisions.default, cluster) or next(iter(cluster.istiods), None)


# leaders


def _find_without_leader(cluster: Cluster) -> t.Iterator[Problem]:
    seen = set()
    for istiod in cluster.istiods:
        environment = environment_of(istiod) or {}
        # Each is its own leader then, and leases are left from before.
        if (environment.get("ENABLE_LEADER_ELECTION") or "").lower() in ("false", "f", "0"):
            continue
        home, revision = istiod["metadata"]["namespace"], revision_of(istiod)
        for name, what in _LEASES_OF_REVISIONS.items():
            lease = cluster.get(LEASE, f"{name}-{revision}", home)
            if lease and _is_dead(lease, cluster):
                yield _without_leader(lease, f"{what} {revision}", ref_of(istiod))
        lease = None if home in seen else cluster.get(LEASE, _STATUS_LEASE, home)
        seen.add(home)
        if lease and _is_dead(lease, cluster):
            what = "nobody writes the conditions of policies and of what is bound to a waypoint, so those that stand there may be old"
            yield _without_leader(lease, what, ref_of(_istiod_in(home, cluster) or istiod))
        elif lease:
            yield from _held_by_another(lease, cluster)


def _istiod_in(home: str, cluster: Cluster) -> Object | None:
    """The istiod of a namespace that should lead."""
    found = _default_istiod(cluster)
    return found if found and found["metadata"]["namespace"] == home else None


def _is_dead(lease: Object, cluster: Cluster) -> bool:
    """Whether a lease is held by no living pod, and has not been renewed for so long that another one must have taken it over."""
    spec = lease.get("spec") or {}
    if age_of(spec.get("renewTime"), cluster) <= (spec.get("leaseDurationSeconds") or 0) + _TAKEN_OVER_AFTER or not cluster.now:
        return False
    holder = spec.get("holderIdentity")
    return not any(pod["metadata"]["name"] == holder for pod in cluster.pods(lease["metadata"]["namespace"]))


def _without_leader(lease: Object, what: str, istiod: ObjectRef) -> Problem:
    spec = lease.get("spec") or {}
    held = f"is held by pod {spec['holderIdentity']}, which does not exist any more," if spec.get("holderIdentity") else "is held by nobody"
    message = f"it {held} and was last renewed at {spec.get('renewTime', 'no time')}: {what}"
    remedy = f"Check that {istiod} runs and may write Leases; {_LOOK[0].lower()}{_LOOK[1:]}"
    return Problem(_ref_of_lease(lease), message, remedy, cause=istiod)


def _ref_of_lease(lease: Object) -> ObjectRef:
    return ObjectRef(LEASE.name, lease["metadata"]["namespace"], lease["metadata"]["name"])


def _held_by_another(lease: Object, cluster: Cluster) -> t.Iterator[Problem]:
    revision, default = annotations_of(lease).get(_HOLDER_KEY, "").lstrip("^"), cluster.revisions.default
    if revision and default and revision != default and istiod_of_revision(revision, cluster):
        message = f"istiod of revision {revision} writes the conditions of policies and bindings for all revisions, not that of the default one, {default}"
        remedy = "Keep in mind which version they come from; a revision with the tag default takes the lease over."
        yield Problem(_ref_of_lease(lease), message, remedy, severity="info")


# statuses


def _find_stuck(cluster: Cluster) -> t.Iterator[Problem]:
    found: dict[ObjectRef, list[Object]] = {}
    for item, conditions, istiod in _judged(cluster):
        generation = item["metadata"].get("generation", 0)
        observed = [number for one in conditions if (number := observed_generation(one)) is not None]
        written = last_write(item, "spec")
        if not observed or max(observed) >= generation or item["metadata"].get("deletionTimestamp") or not istiod:
            continue
        if written is None or cluster.now - written >= SETTLING or not cluster.now:
            found.setdefault(_why_stuck(item, istiod, cluster), []).append(item)
    for cause, items in found.items():
        if len(items) == 1:
            message = "its status is for an older generation, because istiod has not reported on the present one, so what was changed is probably not in effect"
            yield Problem(ref_of(items[0]), message, _LOOK, cause=cause)
        else:
            what = f"the status of {len(items)} objects is for an older generation, because istiod has not reported on the present one"
            yield Problem(cause, f"{what}, so what was changed is probably not in effect", _LOOK, refs_of(items), cause=cause)


def _why_stuck(item: Object, istiod: Object, cluster: Cluster) -> ObjectRef:
    """What may be the cause: that nobody leads, or else istiod itself."""
    name = _STATUS_LEASE if item["kind"] == AUTHORIZATION_POLICY.name else f"{_GATEWAY_LEASE}-{revision_of(istiod)}"
    lease = cluster.get(LEASE, name, istiod["metadata"]["namespace"])
    return _ref_of_lease(lease) if lease and _is_dead(lease, cluster) else ref_of(istiod)


_Judged = t.Tuple[Object, t.List[t.Mapping[str, t.Any]], t.Optional[Object]]


def _judged(cluster: Cluster) -> t.Iterator[_Judged]:
    """What istiod reports on, with the conditions that it writes, and the istiod that writes them; without what no istiod sees."""
    default = _default_istiod(cluster)
    for gateway in cluster.all(GATEWAY):
        if is_istios(gateway, cluster) and _is_seen(gateway, cluster):
            yield gateway, _conditions(gateway.get("status"), _OF_GATEWAYS), owner_of(gateway, cluster) or default
    for kind in (HTTP_ROUTE, GRPC_ROUTE):
        for route in cluster.all(kind):
            parents = [one for one in _list((route.get("status") or {}), "parents") if str(one.get("controllerName")).startswith(_CONTROLLERS)]
            if parents and _is_seen(route, cluster):
                yield route, [found for parent in parents for found in _conditions(parent)], _istiod_of_route(route, cluster) or default
    for policy in cluster.all(AUTHORIZATION_POLICY):
        if _is_seen(policy, cluster):
            yield policy, _conditions(policy.get("status"), _OF_POLICIES), default


def _is_seen(item: Object, cluster: Cluster) -> bool:
    return not cluster.settings.hides(cluster.namespace_labels(item["metadata"]["namespace"]))


def _istiod_of_route(route: Object, cluster: Cluster) -> Object | None:
    for parent in route["spec"].get("parentRefs") or ():
        if parent.get("kind", GATEWAY.name) == GATEWAY.name:
            gateway = cluster.get(GATEWAY, str(parent.get("name")), parent.get("namespace") or route["metadata"]["namespace"])
            if gateway:
                return owner_of(gateway, cluster)
    return None


def _conditions(status: t.Any, kinds: t.Collection[str] = ()) -> list[t.Mapping[str, t.Any]]:
    return [one for one in _list(status, "conditions") if not kinds or one.get("type") in kinds]


def _list(status: t.Any, name: str) -> list[t.Mapping[str, t.Any]]:
    # The status of a custom resource may be of any form.
    found = status.get(name) if isinstance(status, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


_OF_REVISIONS = (DEPLOYMENT, MUTATING_WEBHOOK, VALIDATING_WEBHOOK, SERVICE)
CHECKS: tuple[Check, ...] = (
    Check(
        "MW3006",
        "nobody leads istiod",
        "warning",
        (LEASE, POD, *_OF_REVISIONS),
        _find_without_leader,
        "istio pilot/pkg/leaderelection/leaderelection.go",
    ),
    Check(
        "MW3007",
        "istiod does not report on changes",
        "error",
        (GATEWAY, HTTP_ROUTE, GRPC_ROUTE, AUTHORIZATION_POLICY, NAMESPACE, CONFIG_MAP, *_OF_REVISIONS),
        _find_stuck,
        "istio pilot/pkg/model/kstatus/helper.go",
    ),
)

__all__ = ("CHECKS", "is_istios", "istiod_of_revision", "owner_of", "revision_of")
