# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Webhooks of other installations that stand in the way of the mesh.

A webhook that fails closed, and whose server is gone, lets nobody write what it intercepts: Istio's own objects, or the pods of an injected namespace.
An uninstalled control plane leaves such configurations behind, because they have no namespace to be deleted with.
Source: the API reference of admissionregistration.k8s.io/v1 (failurePolicy is Fail by default; C(*) in rules matches everything), and istio
manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml (paths below /inject).
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .probes import Probe
from .verdict import Object
from .webhooks import endpoint_probe

# The groups of Istio's objects, and what stands for all groups.
_ISTIO_GROUPS = frozenset({"*", "networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"})


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
    rules = hook.get("rules") or ()
    if any(_ISTIO_GROUPS.intersection(rule.get("apiGroups") or ()) for rule in rules):
        return "Istio's objects"
    path = ((hook.get("clientConfig") or {}).get("service") or {}).get("path") or ""
    return "pods" if path.startswith("/inject") and any("pods" in (rule.get("resources") or ()) for rule in rules) else ""


def _key(configuration: Object) -> tuple[str, str]:
    return configuration["kind"], configuration["metadata"]["name"]


__all__ = ("foreign_probes",)
