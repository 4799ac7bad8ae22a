# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Do node agents run, and does the Service exist from which ztunnel gets its configuration and certificates?

The chart of ztunnel composes the address of istiod from its own values, not from those of istiod. With another revision or namespace, ztunnel connects
to a Service that does not exist, and no pod in the mesh ever gets a certificate.
Source: istio manifests/charts/ztunnel/templates/daemonset.yaml (CA_ADDRESS and XDS_ADDRESS).
"""

from __future__ import annotations

import re
import typing as t

from .._kinds import DAEMON_SET, SERVICE
from .target import Need, Rule, Snapshot, Target
from .verdict import Object, Verdict, terminating
from .workloads import judge_daemon_set

# The chart gives the DaemonSet this name. Other DaemonSets may use variables of these names for something else.
_ZTUNNEL = "ztunnel"
_ADDRESSES = ("XDS_ADDRESS", "CA_ADDRESS")
_OF_SERVICE = re.compile(r"(?:https?://)?(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?(?::\d+)?/?")


def judge_node_agent(title: str, daemon_set: Object | None, services: t.Sequence[Object]) -> Verdict:
    """Current when every eligible node has an up-to-date, available pod, and the Services that its pods connect to exist.

    Addresses in other namespaces, and those outside of the cluster, are not judged.

    Args:
        title: how messages name the DaemonSet.
        daemon_set: the DaemonSet, or None.
        services: the Services of its namespace.
    """
    if daemon_set is not None and not terminating(daemon_set):
        known = {service["metadata"]["name"] for service in services}
        for variable, name in _named_services(daemon_set):
            if name not in known:
                place = f"{daemon_set['metadata']['namespace']}/{name}"
                message = f"its pods connect to Service {place} ({variable}), which does not exist"
                return Verdict("InProgress", "NoControlPlane", message, _REMEDY)
    return judge_daemon_set(title, daemon_set)


_REMEDY = "Give the chart ztunnel the revision and the namespace of istiod (values revision and istioNamespace), or install the istiod that it names."


def _named_services(daemon_set: Object) -> t.Iterator[tuple[str, str]]:
    """The variables of its containers that hold the address of a Service of its namespace, and the name of that Service."""
    pod = (daemon_set["spec"].get("template") or {}).get("spec") or {}
    for container in pod.get("containers") or ():
        for variable in container.get("env") or ():
            found = _OF_SERVICE.fullmatch(str(variable.get("value") or "")) if variable["name"] in _ADDRESSES else None
            if found and found["namespace"] == daemon_set["metadata"]["namespace"]:
                yield variable["name"], found["name"]


def _needs(target: Target) -> t.Iterable[Need]:
    yield DAEMON_SET, target.namespace
    if target.name == _ZTUNNEL:
        yield SERVICE, target.namespace


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    title = target.title_of(DAEMON_SET)
    daemon_set = snapshot.get(DAEMON_SET, target.name, target.namespace)
    if target.name == _ZTUNNEL:
        return judge_node_agent(title, daemon_set, snapshot.all(SERVICE, target.namespace))
    return judge_daemon_set(title, daemon_set)


DAEMON_SET_RULE = Rule(_needs, ("name", "namespace"), _judge)

__all__ = ("DAEMON_SET_RULE", "judge_node_agent")
