# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The variables of one cluster, as values.convert() returns them.

Written by C(python -m generate) from the argument specs of the roles. A key that is not declared there cannot be read, and a value can be compared only with
its choices.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .items import (
        AwsEdgeCertificate,
        AwsEdgeWebAcl,
        EksAccessEntry,
        EksAddon,
        EksNodeGroup,
        EksPodIdentityAssociation,
        IngressAlb,
        IngressClassicGateway,
        IngressGateway,
        IngressRoute,
        IstioArgocd,
        IstioGateway,
        IstioIstiodAutoscaling,
        IstioReleaseNames,
        KarpenterNodePool,
        MeshNamespace,
        MeshService,
        MeshWaypoint,
        MeshWorkload,
    )


class Variables(t.TypedDict, total=False):
    """All variables of all roles; one without a value is left out."""

    cluster_kubeconfig: t.Any
    cluster_context: str
    cluster_from_environment: bool
    cluster_shared: bool
    alb_controller_enabled: bool
    alb_controller_version: str
    alb_controller_chart_source: str
    alb_controller_namespace: str
    alb_controller_cluster_name: str
    alb_controller_region: str
    alb_controller_vpc_id: str
    alb_controller_identity: t.Literal["pod_identity", "irsa", "none"]
    alb_controller_role_arn: str
    alb_controller_policy_source: str
    alb_controller_role_path: str
    alb_controller_permissions_boundary: str
    alb_controller_tags: t.Dict[str, t.Any]
    alb_controller_service_account: str
    alb_controller_service_account_create: bool
    alb_controller_replicas: int
    alb_controller_gateway_api: bool
    alb_controller_service_webhook: bool
    alb_controller_target_type: t.Literal["ip", "instance"]
    alb_controller_values: t.Dict[str, t.Any]
    alb_controller_release_name: str
    alb_controller_force_conflicts: bool
    alb_controller_take_ownership: bool
    alb_controller_repair_releases: bool
    alb_controller_timeout: int
    eks_region: str
    aws_edge_hosted_zones: t.List[str]
    aws_edge_certificates: t.List[AwsEdgeCertificate]
    aws_edge_web_acls: t.List[AwsEdgeWebAcl]
    aws_edge_log_buckets: t.List[str]
    aws_edge_tags: t.Dict[str, t.Any]
    aws_edge_timeout: int
    bookinfo_enabled: bool
    bookinfo_namespace: str
    bookinfo_source: str
    bookinfo_timeout: int
    eks_enabled: bool
    eks_cluster_name: str
    eks_version: str
    eks_tags: t.Dict[str, t.Any]
    eks_vpc_cidr: str
    eks_availability_zones: t.List[str]
    eks_nat_gateways: t.Literal["one", "per_zone", "none"]
    eks_vpc_id: str
    eks_private_subnet_ids: t.List[str]
    eks_public_subnet_ids: t.List[str]
    eks_allow_untagged_subnets: bool
    eks_cluster_role_arn: str
    eks_node_role_arn: str
    eks_role_path: str
    eks_permissions_boundary: str
    eks_endpoint_public_access: bool
    eks_endpoint_private_access: bool
    eks_endpoint_public_cidrs: t.List[str]
    eks_log_types: t.List[t.Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]]
    eks_encryption_key_arn: str
    eks_service_ipv4_cidr: str
    eks_authentication_mode: t.Literal["API", "API_AND_CONFIG_MAP"]
    eks_support_type: t.Literal["STANDARD", "EXTENDED"]
    eks_deletion_protection: bool
    eks_identity: t.Literal["pod_identity", "irsa"]
    eks_node_groups: t.List[EksNodeGroup]
    eks_startup_taint: bool
    eks_node_security_group_ids: t.List[str]
    eks_addons: t.List[EksAddon]
    eks_access_entries: t.List[EksAccessEntry]
    eks_pod_identity_associations: t.List[EksPodIdentityAssociation]
    eks_timeout: int
    gateway_api_version: str
    gateway_api_source: str
    gateway_api_upgrade: bool
    gateway_api_force_conflicts: bool
    gateway_api_timeout: int
    ingress_gateways: t.List[IngressGateway]
    ingress_albs: t.List[IngressAlb]
    ingress_routes: t.List[IngressRoute]
    ingress_classic_gateways: t.List[IngressClassicGateway]
    ingress_check_load_balancers: bool
    ingress_force_conflicts: bool
    ingress_override_deletion_protection: bool
    ingress_allow_unroutable_targets: bool
    ingress_allow_load_balancer_service: bool
    ingress_timeout: int
    istio_mode: t.Literal["ambient", "sidecar"]
    istio_version: str
    istio_chart_source: str
    istio_namespace: str
    istio_platform: t.Literal["aks", "eks", "gke", "k3d", "k3s", "kind", "microk8s", "minikube", "other"]
    istio_base_values: t.Dict[str, t.Any]
    istio_istiod_values: t.Dict[str, t.Any]
    istio_cni_values: t.Dict[str, t.Any]
    istio_ztunnel_values: t.Dict[str, t.Any]
    istio_istiod_replicas: int
    istio_istiod_autoscaling: IstioIstiodAutoscaling
    istio_gateways: t.List[IstioGateway]
    istio_startup_taint: bool
    istio_delivery: t.Literal["argocd", "helm"]
    istio_argocd: IstioArgocd
    istio_release_names: IstioReleaseNames
    istio_take_ownership: bool
    istio_repair_releases: bool
    istio_timeout: int
    karpenter_enabled: bool
    karpenter_version: str
    karpenter_chart_source: str
    karpenter_namespace: str
    karpenter_cluster_name: str
    karpenter_region: str
    karpenter_identity: t.Literal["pod_identity", "irsa", "none"]
    karpenter_role_arn: str
    karpenter_node_role_arn: str
    karpenter_node_policies: t.List[str]
    karpenter_role_path: str
    karpenter_permissions_boundary: str
    karpenter_tags: t.Dict[str, t.Any]
    karpenter_service_account: str
    karpenter_service_account_create: bool
    karpenter_interruptions: bool
    karpenter_interruption_queue: str
    karpenter_replicas: int
    karpenter_resources: t.Dict[str, t.Any]
    karpenter_values: t.Dict[str, t.Any]
    karpenter_release_name: str
    karpenter_force_conflicts: bool
    karpenter_take_ownership: bool
    karpenter_repair_releases: bool
    karpenter_timeout: int
    karpenter_node_pools: t.List[KarpenterNodePool]
    karpenter_startup_taint: bool
    karpenter_ami_alias: str
    karpenter_subnet_ids: t.List[str]
    karpenter_security_group_ids: t.List[str]
    karpenter_wait_for_node_pools: bool
    mesh_namespaces: t.List[MeshNamespace]
    mesh_services: t.List[MeshService]
    mesh_workloads: t.List[MeshWorkload]
    mesh_waypoints: t.List[MeshWaypoint]
    mesh_force_conflicts: bool
    mesh_allow_unsafe_binding: bool
    mesh_allow_injection_labels: bool
    mesh_allow_excluded_namespaces: bool
    mesh_allow_hidden_namespaces: bool
    mesh_allow_unowned_revision: bool
    mesh_detach: bool
    mesh_timeout: int


__all__ = ("Variables",)
