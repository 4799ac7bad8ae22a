# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Webhooks of other installations that stand in the way of the mesh.

A webhook that fails closed, and whose server is gone, lets nobody write what it intercepts: Istio's own objects, those of the Gateway API, which waypoints
are as well, or the pods of an injected namespace.
An uninstalled control plane leaves such configurations behind, because they have no namespace to be deleted with.
Source: the API reference of admissionregistration.k8s.io/v1 (failurePolicy is Fail by default; C(*) in rules matches everything, C(*/*) subresources,
too, and only CREATE and UPDATE are about new contents), and istio
manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml (paths below /inject).
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._kinds import AUTHORIZATION_POLICY, BY_NAME, GATEWAY, ISTIO_GATEWAY, VIRTUAL_SERVICE
from .probes import Probe
from .verdict import Object
from .webhooks import endpoint_probe

# The groups of Istio's objects, and that of Gateways and routes.
_GROUPS = {
    "Istio's objects": frozenset({ISTIO_GATEWAY.group, AUTHORIZATION_POLICY.group, "telemetry.istio.io", "extensions.istio.io"}),
    "objects of the Gateway API": frozenset({GATEWAY.group}),
}
# What stands for all groups, operations or resources.
_ALL = frozenset({"*", "*/*"})
_WRITES = frozenset({"CREATE", "UPDATE"})


def foreign_probes(own: t.Collection[Object], webhooks: t.Iterable[Object]) -> list[Probe]:
    """One question for the endpoint of each webhook of another installation that would block the mesh if it did not answer.

    Args:
        own: the webhook configurations of the control plane itself.
        webhooks: all webhook configurations of the cluster.
    """
    ours = {_key(item) for item in own}
    found: dict[str, Probe] = {}
    for configuration in webhooks:
        if _key(configuration) in ours:
            continue
        for hook in configuration.get("webhooks") or ():
            blocks, probe = _what_it_blocks(hook), endpoint_probe(hook)
            if blocks and probe:
                title = f"{configuration['kind']} {configuration['metadata']['name']}"
                remedy = f"Until its server runs again, or {title} is deleted, {blocks} cannot be written."
                found.setdefault(probe.path, replace(probe, title=f"{title} of another installation intercepts {blocks}, and its {probe.title}", remedy=remedy))
    return list(found.values())


def _what_it_blocks(hook: t.Mapping[str, t.Any]) -> str:
    """What nobody can write while the webhook does not answer, as far as it concerns the mesh; empty if nothing."""
    if hook.get("failurePolicy", "Fail") != "Fail":
        return ""
    rules = [rule for rule in hook.get("rules") or () if (_WRITES | _ALL).intersection(rule.get("operations") or _ALL)]
    for blocked, groups in _GROUPS.items():
        if any(_intercepts(rule, groups) for rule in rules):
            return blocked
    path = ((hook.get("clientConfig") or {}).get("service") or {}).get("path") or ""
    return "pods" if path.startswith("/inject") and any("pods" in (rule.get("resources") or ()) for rule in rules) else ""


def _intercepts(rule: t.Mapping[str, t.Any], groups: t.Collection[str]) -> bool:
    """Whether a rule is about objects of one of the groups; one for all groups may be about resources that none of these has, such as pods."""
    named, resources = set(rule.get("apiGroups") or ()), rule.get("resources") or ()
    if "*" not in named:
        return bool(named.intersection(groups))
    of_the_mesh = {kind.plural for kind in (*BY_NAME.values(), ISTIO_GATEWAY, VIRTUAL_SERVICE) if kind.group in groups}
    return any(resource in _ALL or resource in of_the_mesh for resource in resources)


def _key(configuration: Object) -> tuple[str, str]:
    return configuration["kind"], configuration["metadata"]["name"]


__all__ = ("foreign_probes",)
