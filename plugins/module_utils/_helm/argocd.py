# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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


def application(
    release: str,
    chart: t.Mapping[str, str],
    values: t.Mapping[str, t.Any],
    *,
    namespace: str,
    argocd: t.Mapping[str, t.Any],
) -> Object:
    """The Application that keeps one release of a chart as it should be.

    Args:
        release: the release's and the Application's name.
        chart: as chart_reference() answers; a directory on this host is nothing that Argo CD could read.
        values: the chart's values.
        namespace: where the release lives.
        argocd: C(namespace), C(project) and C(destination) (the API server's URL as Argo CD knows it).

    Raises:
        ValueError: the chart is in a directory.
    """
    reference = chart["chart_ref"]
    if "chart_repo_url" in chart:
        source = {"repoURL": chart["chart_repo_url"], "chart": reference}
    elif reference.startswith("oci://"):
        # Argo CD wants an OCI registry without its scheme.
        repository, _slash, name = reference[len("oci://") :].rpartition("/")
        source = {"repoURL": repository, "chart": name}
    else:
        raise ValueError(f"Argo CD cannot read the chart {reference} from a directory of this host: set istio_chart_source to an HTTPS or OCI repository.")
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": release, "namespace": argocd["namespace"]},
        "spec": {
            "project": argocd["project"],
            "source": {**source, "targetRevision": chart["chart_version"], "helm": {"releaseName": release, "valuesObject": dict(values)}},
            "destination": {"server": argocd["destination"], "namespace": namespace},
            "ignoreDifferences": _WRITTEN_BY_ISTIOD if release == "istiod" or release == "istio-base" else [],
            "syncPolicy": {
                "automated": {"selfHeal": True, "prune": False},
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true", "RespectIgnoreDifferences=true"],
            },
        },
    }


__all__ = ("application",)
