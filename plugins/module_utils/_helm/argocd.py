# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A chart as an Application of Argo CD, for those who let Argo CD do what Helm would do.

Source: Argo CD's Application specification (argoproj.io/v1alpha1), "Helm" and "Diffing Customization".
"""

from __future__ import annotations

import typing as t

Object = t.Dict[str, t.Any]

# istiod puts its CA and, once its webhook has refused a wrong object, the failure policy into its own webhooks: Argo CD would take both out again and again.
# Source: istio pilot/pkg/util/webhooks and pilot/pkg/.../validation controller ("Switching to fail-close").
_WRITTEN_BY_ISTIOD = [
    {"group": "admissionregistration.k8s.io", "kind": kind, "jqPathExpressions": [".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy"]}
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
]


def application(release: t.Mapping[str, t.Any], argocd: t.Mapping[str, t.Any]) -> Object:
    """The Application that keeps one release of a chart as it should be.

    Args:
        release: with C(name), C(namespace), C(values), and the options that chart_reference() returns.
        argocd: C(namespace), C(project) and C(destination) (the API server's URL as Argo CD knows it).

    Raises:
        ValueError: the chart is in a directory of this host, which Argo CD cannot read.
    """
    name, reference = release["name"], release["chart_ref"]
    if release.get("chart_repo_url"):
        source = {"repoURL": release["chart_repo_url"], "chart": reference}
    elif reference.startswith("oci://"):
        # Argo CD wants an OCI registry without its scheme.
        repository, _slash, chart = reference[len("oci://") :].rpartition("/")
        source = {"repoURL": repository, "chart": chart}
    else:
        raise ValueError(f"Argo CD cannot read the chart {reference} from a directory of this host: set istio_chart_source to an HTTPS or OCI repository.")
    helm = {"releaseName": name, "valuesObject": dict(release["values"])}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": argocd["namespace"]},
        "spec": {
            "project": argocd["project"],
            "source": {**source, "targetRevision": release["chart_version"], "helm": helm},
            "destination": {"server": argocd["destination"], "namespace": release["namespace"]},
            "ignoreDifferences": _WRITTEN_BY_ISTIOD if source["chart"] in ("istiod", "base") else [],
            "syncPolicy": {
                "automated": {"selfHeal": True, "prune": False},
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true", "RespectIgnoreDifferences=true"],
            },
        },
    }


__all__ = ("application",)
