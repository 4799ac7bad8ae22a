# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The sources of charts, and the values of each of Istio's charts.

Source: istio manifests/charts/*/templates/zzz_profile.yaml and zzy_descope_legacy.yaml: whatever a profile or platform sets below C(pilot) or
C(cni) is copied over the root last, so a user's value for the same key without that prefix would be lost silently.
"""

from __future__ import annotations

import typing as t

from .._mesh.mesh_settings import ISTIO_NAMESPACE
from .._mesh.startup_taint import TOLERATION

# Platforms for which the charts have values of their own. They know no others (eks, aks, kind) and would refuse them.
# Not openshift: its values expect cni and ztunnel in kube-system.
CHART_PLATFORMS = frozenset({"gke", "k3d", "k3s", "microk8s", "minikube"})

# The key below which a chart of Istio has its values as well.
PREFIXES = {"istiod": "pilot", "cni": "cni"}
_ROOT_KEYS = frozenset({"global", "meshConfig", "profile", "platform", "compatibilityVersion"})

Values = t.Dict[str, t.Any]


def chart_values(chart: str, variables: t.Mapping[str, t.Any]) -> Values:
    """The values of one of Istio's charts: the mode's profile and the platform, then the collection's own, then the user's, prefixed as the chart needs.

    Args:
        chart: C(base), C(istiod), C(cni) or C(ztunnel).
        variables: the converted variables of the role istio. Sidecar mode has no profile: it is what the charts do by themselves.
    """
    own: Values = {}
    if chart == "base":
        own = _base_values(variables["istio_istiod_values"])
    elif chart == "ztunnel":
        own = _ztunnel_values(variables["istio_istiod_values"], variables["istio_namespace"])
    elif chart == "istiod":
        own = istiod_values(
            replicas=variables.get("istio_istiod_replicas"),
            autoscaling=variables.get("istio_istiod_autoscaling"),
            startup_taint=variables["istio_startup_taint"],
        )
    values: Values = {"profile": "ambient"} if variables["istio_mode"] == "ambient" else {}
    values = merge({**values, **platform_values(variables["istio_platform"])}, _namespace_values(chart, variables["istio_namespace"]))
    prefix = PREFIXES.get(chart)
    return with_text_revisions(merge(merge(values, _prefixed(own, prefix)), _prefixed(variables[f"istio_{chart}_values"], prefix)))


def with_text_revisions(values: Values) -> Values:
    """The values with revisions as text: templates compare them with text, and YAML makes a number of V(131).

    Source: istio manifests/charts, such as templates/istiod-injector-configmap.yaml (C(eq .Values.revision "")).
    """
    below = {key: with_text_revisions(value) for key, value in values.items() if key in PREFIXES.values() and isinstance(value, dict)}
    own: Values = {key: str(value) for key, value in values.items() if key in ("revision", "defaultRevision") and _is_number(value)}
    tags = values.get("revisionTags")
    if isinstance(tags, list):
        own["revisionTags"] = [str(tag) if _is_number(tag) else tag for tag in tags]
    return {**values, **below, **own}


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def platform_values(platform: str) -> Values:
    """The value that sets a chart's platform; none for a platform without values of its own."""
    return {"global": {"platform": platform}} if platform in CHART_PLATFORMS else {}


def _base_values(istiod: t.Mapping[str, t.Any]) -> Values:
    """What istiod's values mean for the chart base: its validating webhook calls the istiod of this revision, and must not call one that is not there.

    Source: istio manifests/charts/base/templates/defaultrevision-validatingwebhookconfiguration.yaml.

    Args:
        istiod: the user's values of the chart istiod, with or without prefix.
    """
    return {"defaultRevision": revision_of(istiod) or "default"}


def _ztunnel_values(istiod: t.Mapping[str, t.Any], namespace: str) -> Values:
    """The values from which the chart of ztunnel composes the address of istiod; they must match those of istiod.

    Source: istio manifests/charts/ztunnel/templates/daemonset.yaml.

    Args:
        istiod: the user's values of the chart istiod, with or without prefix.
        namespace: the namespace of istiod.
    """
    values: Values = {"revision": revision_of(istiod)} if revision_of(istiod) else {}
    return values if namespace == ISTIO_NAMESPACE else {**values, "istioNamespace": namespace}


def _namespace_values(chart: str, namespace: str) -> Values:
    """The value by which the charts base and istiod name their namespace in accounts, bindings, webhooks and the addresses of proxies.

    The namespace of the release does not reach them. Source: istio manifests/charts/base and istio-control/istio-discovery, templates.
    """
    return {"global": {"istioNamespace": namespace}} if chart in ("base", "istiod") and namespace != ISTIO_NAMESPACE else {}


def revision_of(istiod: t.Mapping[str, t.Any]) -> str:
    """The revision in the user's values of the chart istiod; empty for the istiod without one.

    Args:
        istiod: the values, with or without prefix.
    """
    prefix = PREFIXES["istiod"]
    pilot = _prefixed(istiod, prefix).get(prefix)
    # What is no dictionary is a validation error of its own.
    return str(pilot.get("revision") or "") if isinstance(pilot, dict) else ""


def istiod_values(*, replicas: int | None = None, autoscaling: t.Mapping[str, t.Any] | None = None, startup_taint: bool = False) -> Values:
    """What the collection's variables say about istiod, as values without prefix.

    Args:
        replicas: a fixed number of istiods; not together with autoscaling.
        autoscaling: C(min) and C(max) replicas.
        startup_taint: nodes begin with a taint. istiod, which tolerates it, takes it away once istio-cni is ready there, and must be able to start before.
    """
    values: Values = {}
    if replicas is not None:
        values.update(autoscaleEnabled=False, replicaCount=replicas)
    elif autoscaling:
        values.update(autoscaleEnabled=True, autoscaleMin=autoscaling["min"], autoscaleMax=autoscaling["max"])
    if startup_taint:
        values.update(taint={"enabled": True}, tolerations=[dict(TOLERATION)])
    return values


def chart_reference(source: str, chart: str, version: str) -> dict[str, str]:
    """The options of the module helm_release that say where a chart is: C(chart_ref), and C(chart_repo_url) and C(chart_version) where they say more.

    Args:
        source: an HTTPS repository, an OCI registry path, or a directory with charts as C(helm pull) saves them.
        chart: one of Istio's, or any other that is kept there.
        version: the charts' version.
    """
    base = source.rstrip("/")
    if source.startswith("oci://"):
        return {"chart_ref": f"{base}/{chart}", "chart_version": version}
    if source.startswith(("https://", "http://")):
        return {"chart_ref": chart, "chart_repo_url": base, "chart_version": version}
    return {"chart_ref": f"{base}/{chart}-{version}.tgz"}


def merge(base: t.Mapping[str, t.Any], over: t.Mapping[str, t.Any]) -> Values:
    """Over's values over base's, dictionary by dictionary; lists are replaced. Neither argument is changed."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _prefixed(user: t.Mapping[str, t.Any], prefix: str | None) -> Values:
    # A key whose own keys are all commented out is not given. A null would take away what the collection sets there.
    user = {key: value for key, value in user.items() if value is not None or key not in {"global", "meshConfig", prefix}}
    if prefix is None:
        return user
    kept = {key: value for key, value in user.items() if key in _ROOT_KEYS or key == prefix}
    moved = {key: value for key, value in user.items() if key not in kept}
    # What the user has prefixed already is the more exact word.
    return merge({prefix: moved} if moved else {}, kept)


__all__ = (
    "CHART_PLATFORMS",
    "PREFIXES",
    "chart_reference",
    "chart_values",
    "istiod_values",
    "merge",
    "platform_values",
    "revision_of",
    "with_text_revisions",
)
