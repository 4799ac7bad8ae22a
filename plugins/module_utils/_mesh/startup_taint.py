# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The taint with which nodes start, and which istiod removes from a node once istio-cni is ready there."""

from __future__ import annotations

import typing as t

# istiod's untaint controller removes this key from a node once istio-cni is ready on it (istio: pilot/pkg/features/pilot.go,
# PILOT_NODE_UNTAINT_CONTROLLERS_TAINT_NAME, which is taint.name in values.yaml of its chart), whatever the effect.
# NO_EXECUTE also holds for pods that are bound without the scheduler. In the spelling of EKS.
STARTUP_TAINT = {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_EXECUTE"}
# The same in the spelling of Kubernetes.
KUBERNETES_TAINT = {"key": STARTUP_TAINT["key"], "value": STARTUP_TAINT["value"], "effect": "NoExecute"}
TOLERATION = {"key": STARTUP_TAINT["key"], "operator": "Exists"}


def has_startup_taint(taints: t.Any) -> bool:
    """Whether the taint is among these taints."""
    return isinstance(taints, list) and any(isinstance(taint, dict) and taint.get("key") == STARTUP_TAINT["key"] for taint in taints)


def tolerates_startup_taint(tolerations: t.Any) -> bool:
    """Whether one of these tolerations is for the taint, or for all taints (Kubernetes' Toleration.ToleratesTaint)."""
    return isinstance(tolerations, list) and any(
        isinstance(one, dict)
        and one.get("key") in (None, "", STARTUP_TAINT["key"])
        and one.get("effect") in (None, "", KUBERNETES_TAINT["effect"])
        and (one.get("operator") == "Exists" or (one.get("key") == STARTUP_TAINT["key"] and one.get("value") == STARTUP_TAINT["value"]))
        and one.get("tolerationSeconds") is None
        for one in tolerations
    )


__all__ = ("KUBERNETES_TAINT", "STARTUP_TAINT", "TOLERATION", "has_startup_taint", "tolerates_startup_taint")
