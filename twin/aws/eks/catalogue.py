"""Which versions EKS offers: of Kubernetes, and of each add-on for each version of Kubernetes.

The numbers are plausible, not Amazon's: they follow the form of real versions, and each add-on has several builds of which
one is the default, as in life.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any

KUBERNETES_VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
DEFAULT_KUBERNETES_VERSION = "1.35"
_OLDEST_IN_STANDARD_SUPPORT = "1.33"
PLATFORM_VERSION = "eks.9"


@dataclass(frozen=True)
class AddonOffer:
    """One add-on of Amazon's."""

    name: str
    kind: str
    namespace: str
    versions: dict[str, tuple[str, ...]]
    """For each version of Kubernetes, newest first; the second is the default, or the only one."""
    roles: tuple[tuple[str, str], ...] = ()
    """Service accounts that want AWS rights, each with the managed policy that Amazon recommends."""

    def default_version(self, kubernetes: str) -> str:
        return self.versions[kubernetes][min(1, len(self.versions[kubernetes]) - 1)]


def _same(*versions: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(KUBERNETES_VERSIONS, versions)


def _of_kubernetes(pattern: str, builds: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
    return {kubernetes: tuple(pattern.format(kubernetes=kubernetes, build=build) for build in builds) for kubernetes in KUBERNETES_VERSIONS}


OFFERS = {
    offer.name: offer
    for offer in (
        AddonOffer(
            "vpc-cni",
            "networking",
            "kube-system",
            _same("v1.21.1-eksbuild.3", "v1.21.1-eksbuild.1", "v1.20.4-eksbuild.2"),
            (("aws-node", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"),),
        ),
        AddonOffer("coredns", "networking", "kube-system", _same("v1.13.1-eksbuild.1", "v1.12.4-eksbuild.1", "v1.12.3-eksbuild.1")),
        AddonOffer("kube-proxy", "networking", "kube-system", _of_kubernetes("v{kubernetes}.3-eksbuild.{build}", (5, 2, 1))),
        AddonOffer("eks-pod-identity-agent", "security", "kube-system", _same("v1.3.10-eksbuild.2", "v1.3.10-eksbuild.1", "v1.3.9-eksbuild.5")),
        AddonOffer(
            "aws-ebs-csi-driver",
            "storage",
            "kube-system",
            _same("v1.54.0-eksbuild.1", "v1.53.0-eksbuild.1", "v1.52.1-eksbuild.1"),
            (("ebs-csi-controller-sa", "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"),),
        ),
        AddonOffer("metrics-server", "observability", "kube-system", _same("v0.8.0-eksbuild.3", "v0.8.0-eksbuild.2")),
        # Those below are only a pod each, see config/addons/_any.yaml.
        AddonOffer("adot", "observability", "opentelemetry-operator-system", _same("v0.131.0-eksbuild.1")),
        AddonOffer(
            "amazon-cloudwatch-observability",
            "observability",
            "amazon-cloudwatch",
            _same("v4.5.0-eksbuild.1", "v4.4.0-eksbuild.1"),
            (("cloudwatch-agent", "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"),),
        ),
        AddonOffer(
            "aws-efs-csi-driver",
            "storage",
            "kube-system",
            _same("v2.1.13-eksbuild.1", "v2.1.12-eksbuild.1"),
            (("efs-csi-controller-sa", "arn:aws:iam::aws:policy/service-role/AmazonEFSCSIDriverPolicy"),),
        ),
        AddonOffer("aws-guardduty-agent", "security", "amazon-guardduty", _same("v1.11.0-eksbuild.4")),
        AddonOffer("aws-mountpoint-s3-csi-driver", "storage", "kube-system", _same("v2.1.0-eksbuild.1")),
        AddonOffer("cert-manager", "security", "cert-manager", _same("v1.19.1-eksbuild.1")),
        AddonOffer("eks-node-monitoring-agent", "observability", "kube-system", _same("v1.4.1-eksbuild.1")),
        AddonOffer("external-dns", "networking", "external-dns", _same("v0.19.0-eksbuild.2")),
        AddonOffer("kube-state-metrics", "observability", "kube-state-metrics", _same("v2.17.0-eksbuild.2")),
        AddonOffer("prometheus-node-exporter", "observability", "prometheus-node-exporter", _same("v1.9.1-eksbuild.5")),
        AddonOffer("snapshot-controller", "storage", "kube-system", _same("v8.3.0-eksbuild.1")),
    )
}


def addon_info(offer: AddonOffer, kubernetes: str | None) -> dict[str, Any]:
    """One entry of DescribeAddonVersions; with a version of Kubernetes, only what fits that."""
    desired = [kubernetes] if kubernetes else list(reversed(KUBERNETES_VERSIONS))
    offered: dict[str, list[str]] = {}
    for each in desired:
        for version in offer.versions.get(each, ()):
            offered.setdefault(version, []).append(each)
    return {
        "addonName": offer.name,
        "type": offer.kind,
        "publisher": "eks",
        "owner": "aws",
        "defaultNamespace": offer.namespace,
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2"],
                "compatibilities": [
                    {"clusterVersion": each, "platformVersions": ["*"], "defaultVersion": offer.default_version(each) == version} for each in fitting
                ],
                "requiresConfiguration": False,
                "requiresIamPermissions": bool(offer.roles),
            }
            for version, fitting in offered.items()
        ],
    }


def configuration_schema(offer: AddonOffer) -> str:
    """A JSON schema of an add-on's configuration values: loose, as the local AWS knows no add-on's own."""
    properties = {"resources": {"type": "object"}, "tolerations": {"type": "array"}, "env": {"type": "object"}, "replicaCount": {"type": "integer"}}
    return json.dumps({"$schema": "http://json-schema.org/draft-06/schema#", "title": offer.name, "type": "object", "properties": properties})


def version_information(version: str) -> dict[str, Any]:
    """One entry of DescribeClusterVersions."""
    released = datetime.datetime(2024, 9, 26, tzinfo=datetime.UTC) + datetime.timedelta(days=122 * KUBERNETES_VERSIONS.index(version))
    standard = minor(version) >= minor(_OLDEST_IN_STANDARD_SUPPORT)
    return {
        "clusterVersion": version,
        "clusterType": "eks",
        "defaultPlatformVersion": PLATFORM_VERSION,
        "defaultVersion": version == DEFAULT_KUBERNETES_VERSION,
        "releaseDate": released,
        "endOfStandardSupportDate": released + datetime.timedelta(days=426),
        "endOfExtendedSupportDate": released + datetime.timedelta(days=791),
        "status": "standard-support" if standard else "extended-support",
        "versionStatus": "STANDARD_SUPPORT" if standard else "EXTENDED_SUPPORT",
        "kubernetesPatchVersion": f"{version}.3",
    }


def minor(version: str) -> int:
    """The minor number of a version of Kubernetes: 36 of 1.36."""
    return int(version.split(".")[1])
