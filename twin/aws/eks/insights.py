"""What EKS reports about versions; and about insights and Fargate profiles, of which there are none here."""

from __future__ import annotations

from typing import Any

from twin.aws.eks.call import Call
from twin.aws.eks.catalogue import DEFAULT_KUBERNETES_VERSION, KUBERNETES_VERSIONS, version_information
from twin.aws.eks.region import page


def describe_cluster_versions(call: Call) -> dict[str, Any]:
    versions = [version_information(version) for version in reversed(KUBERNETES_VERSIONS)]
    if desired := call.get("clusterVersions"):
        versions = [each for each in versions if each["clusterVersion"] in desired]
    if call.get("defaultOnly"):
        versions = [each for each in versions if each["clusterVersion"] == DEFAULT_KUBERNETES_VERSION]
    for parameter in ("status", "versionStatus"):
        if status := call.get(parameter):
            versions = [each for each in versions if each[parameter] == status]
    return page(versions, call.parameters, "clusterVersions")


def list_insights(call: Call) -> dict[str, Any]:
    _ = call.cluster
    return page([], call.parameters, "insights")


def list_fargate_profiles(call: Call) -> dict[str, Any]:
    _ = call.cluster
    return page([], call.parameters, "fargateProfileNames")


OPERATIONS = {"DescribeClusterVersions": describe_cluster_versions, "ListFargateProfiles": list_fargate_profiles, "ListInsights": list_insights}
