# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The items of lists, and the dictionaries, that inventories have, as values.convert() returns them.

Written by C(python -m generate) from the argument specs of the roles. A key that is not declared there cannot be read, and a value can be compared only with
its choices.
"""

from __future__ import annotations

import typing as t


class AwsEdgeCertificate(t.TypedDict, total=False):
    domain: str
    subject_alternative_names: t.List[str]
    hosted_zone: str
    key_algorithm: t.Literal["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]


class AwsEdgeWebAcl(t.TypedDict, total=False):
    name: str
    managed_rule_groups: t.List[str]


class EksNodeGroup(t.TypedDict, total=False):
    name: str
    state: t.Literal["present", "absent"]
    instance_types: t.List[str]
    ami_type: str
    capacity_type: t.Literal["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"]
    disk_size: int
    min_size: int
    max_size: int
    desired_size: int
    max_unavailable: int
    labels: t.Dict[str, t.Any]
    taints: t.List[t.Dict[str, t.Any]]
    subnet_ids: t.List[str]
    version: str
    launch_template: t.Dict[str, t.Any]


class EksAddon(t.TypedDict, total=False):
    name: str
    version: str
    configuration_values: t.Dict[str, t.Any]
    service_account: str
    role_arn: str
    state: t.Literal["present", "absent"]


class EksAccessEntryPolicy(t.TypedDict, total=False):
    policy: str
    namespaces: t.List[str]


class EksAccessEntry(t.TypedDict, total=False):
    principal_arn: str
    state: t.Literal["present", "absent"]
    type: t.Literal["STANDARD", "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX"]
    username: str
    kubernetes_groups: t.List[str]
    policies: t.List[EksAccessEntryPolicy]
    tags: t.Dict[str, t.Any]


class EksPodIdentityAssociation(t.TypedDict, total=False):
    namespace: str
    service_account: str
    state: t.Literal["present", "absent"]
    role_arn: str
    target_role_arn: str
    disable_session_tags: bool
    tags: t.Dict[str, t.Any]


class CertificateRef(t.TypedDict, total=False):
    name: str
    namespace: str


_AllowedRoutes = t.TypedDict("_AllowedRoutes", {"from": t.Literal["Same", "All", "Selector"]}, total=False)


class AllowedRoutes(_AllowedRoutes, total=False):
    selector: t.Dict[str, t.Any]


class IngressGatewayListener(t.TypedDict, total=False):
    name: str
    port: int
    protocol: t.Literal["HTTP", "HTTPS", "TCP", "TLS"]
    hostname: str
    certificate_refs: t.List[CertificateRef]
    tls_mode: t.Literal["Terminate", "Passthrough"]
    allowed_routes: AllowedRoutes


class AccessLogs(t.TypedDict, total=False):
    enabled: bool
    bucket: str
    prefix: str


class HealthCheck(t.TypedDict, total=False):
    protocol: t.Literal["HTTP", "HTTPS", "TCP"]
    port: str
    path: str
    interval: int
    timeout: int
    healthy_threshold: int
    unhealthy_threshold: int
    success_codes: str


class IngressGatewayNlb(t.TypedDict, total=False):
    name: str
    scheme: t.Literal["internet-facing", "internal"]
    target_type: t.Literal["ip", "instance"]
    subnets: t.List[str]
    certificate_arns: t.List[str]
    certificate_domains: t.List[str]
    ssl_policy: str
    attributes: t.Dict[str, t.Any]
    deletion_protection: bool
    access_logs: AccessLogs
    tags: t.Dict[str, t.Any]
    ip_address_type: t.Literal["ipv4", "dualstack"]
    security_groups: t.List[str]
    health_check: HealthCheck
    deregistration_delay: int
    target_group_attributes: t.Dict[str, t.Any]
    annotations: t.Dict[str, t.Any]
    ssl_ports: t.List[int]
    cross_zone: bool
    eip_allocations: t.List[str]
    source_ranges: t.List[str]
    external_traffic_policy: t.Literal["Cluster", "Local"]
    preserve_client_ip: bool
    proxy_protocol: bool
    expose_status_port: bool


class IngressGateway(t.TypedDict, total=False):
    name: str
    namespace: str
    state: t.Literal["present", "absent"]
    create_namespace: bool
    load_balancer: t.Literal["none", "nlb", "alb"]
    service_type: t.Literal["ClusterIP", "NodePort", "LoadBalancer"]
    hosts: t.List[str]
    tls: t.Literal["none", "load_balancer", "gateway"]
    certificate_refs: t.List[CertificateRef]
    redirect_http: bool
    allowed_routes: AllowedRoutes
    route_namespaces: t.List[str]
    listeners: t.List[IngressGatewayListener]
    revision: str
    labels: t.Dict[str, t.Any]
    annotations: t.Dict[str, t.Any]
    replicas: int
    trusted_proxies: int
    drain_seconds: int
    overlays: t.Dict[str, t.Any]
    nlb: IngressGatewayNlb


class IngressAlb(t.TypedDict, total=False):
    name: str
    namespace: str
    state: t.Literal["present", "absent"]
    gateway: str
    service: str
    service_port: int
    hosts: t.List[str]
    tls_hosts: t.List[str]
    path: str
    labels: t.Dict[str, t.Any]
    ingress_class: str
    class_annotation: bool
    load_balancer_name: str
    scheme: t.Literal["internet-facing", "internal"]
    target_type: t.Literal["ip", "instance"]
    subnets: t.List[str]
    certificate_arns: t.List[str]
    certificate_domains: t.List[str]
    ssl_policy: str
    attributes: t.Dict[str, t.Any]
    deletion_protection: bool
    access_logs: AccessLogs
    tags: t.Dict[str, t.Any]
    ip_address_type: t.Literal["ipv4", "dualstack", "dualstack-without-public-ipv4"]
    security_groups: t.List[str]
    health_check: HealthCheck
    deregistration_delay: int
    target_group_attributes: t.Dict[str, t.Any]
    annotations: t.Dict[str, t.Any]
    listen_ports: t.List[t.Dict[str, t.Any]]
    ssl_redirect: int
    certificate_discovery: bool
    waf_acl_arn: str
    shield: bool
    idle_timeout: int
    group_name: str
    group_order: int
    inbound_cidrs: t.List[str]
    actions: t.Dict[str, t.Any]


class IngressRouteRuleBackend(t.TypedDict, total=False):
    service: str
    port: int
    namespace: str
    weight: int


class IngressRouteRule(t.TypedDict, total=False):
    path: str
    path_type: t.Literal["PathPrefix", "Exact", "RegularExpression"]
    backends: t.List[IngressRouteRuleBackend]


class IngressRoute(t.TypedDict, total=False):
    name: str
    namespace: str
    state: t.Literal["present", "absent"]
    kind: t.Literal["HTTPRoute", "VirtualService"]
    gateway: str
    gateway_namespace: str
    section_names: t.List[str]
    hosts: t.List[str]
    rules: t.List[IngressRouteRule]
    labels: t.Dict[str, t.Any]
    spec: t.Dict[str, t.Any]


class IngressClassicGateway(t.TypedDict, total=False):
    name: str
    namespace: str
    state: t.Literal["present", "absent"]
    labels: t.Dict[str, t.Any]
    release: str
    selector: t.Dict[str, t.Any]
    hosts: t.List[str]
    port: int
    protocol: t.Literal["HTTP", "HTTPS", "HTTP2", "GRPC", "TCP", "TLS"]
    tls: t.Dict[str, t.Any]
    servers: t.List[t.Dict[str, t.Any]]


class IstioIstiodAutoscaling(t.TypedDict, total=False):
    min: int
    max: int


class IstioGatewayAutoscaling(t.TypedDict, total=False):
    min: int
    max: int


class IstioGatewayService(t.TypedDict, total=False):
    type: t.Literal["ClusterIP", "LoadBalancer", "NodePort", "None"]
    ports: t.List[t.Dict[str, t.Any]]
    annotations: t.Dict[str, t.Any]
    cluster_ip: str
    load_balancer_ip: str
    load_balancer_class: str
    load_balancer_source_ranges: t.List[str]
    external_traffic_policy: t.Literal["Cluster", "Local"]
    health_check_node_port: int
    external_ips: t.List[str]
    ip_family_policy: t.Literal["SingleStack", "PreferDualStack", "RequireDualStack"]
    ip_families: t.List[str]
    allocate_load_balancer_node_ports: bool


class IstioGateway(t.TypedDict, total=False):
    name: str
    namespace: str
    replicas: int
    autoscaling: IstioGatewayAutoscaling
    service: IstioGatewayService
    values: t.Dict[str, t.Any]


class IstioArgocd(t.TypedDict, total=False):
    namespace: str
    project: str
    destination: str


class IstioReleaseNames(t.TypedDict, total=False):
    base: str
    istiod: str
    cni: str
    ztunnel: str


class KarpenterNodePool(t.TypedDict, total=False):
    name: str
    state: t.Literal["present", "absent"]
    weight: int
    limits: t.Dict[str, t.Any]
    capacity_types: t.List[t.Literal["on-demand", "spot", "reserved"]]
    architectures: t.List[t.Literal["amd64", "arm64"]]
    instance_types: t.List[str]
    instance_categories: t.List[str]
    zones: t.List[str]
    requirements: t.List[t.Dict[str, t.Any]]
    labels: t.Dict[str, t.Any]
    annotations: t.Dict[str, t.Any]
    taints: t.List[t.Dict[str, t.Any]]
    startup_taints: t.List[t.Dict[str, t.Any]]
    expire_after: str
    termination_grace_period: str
    disruption: t.Dict[str, t.Any]
    ami_alias: str
    subnet_ids: t.List[str]
    security_group_ids: t.List[str]
    disk_size: int
    tags: t.Dict[str, t.Any]
    node_class: str
    spec: t.Dict[str, t.Any]
    node_class_spec: t.Dict[str, t.Any]


class Canary(t.TypedDict, total=False):
    waypoint: str
    waypoint_namespace: str
    weight: str


class MeshNamespace(t.TypedDict, total=False):
    name: str
    label_selector: str
    state: t.Literal["present", "absent"]
    dataplane_mode: t.Literal["ambient", "none", ""]
    use_waypoint: str
    use_waypoint_namespace: str
    ingress_use_waypoint: t.Literal["true", "false", ""]
    canary: Canary


class MeshService(t.TypedDict, total=False):
    name: str
    namespace: str
    label_selector: str
    state: t.Literal["present", "absent"]
    use_waypoint: str
    use_waypoint_namespace: str
    ingress_use_waypoint: t.Literal["true", "false", ""]
    canary: Canary


class MeshWorkload(t.TypedDict, total=False):
    kind: t.Literal["Deployment", "StatefulSet", "DaemonSet"]
    name: str
    namespace: str
    label_selector: str
    state: t.Literal["present", "absent"]
    dataplane_mode: t.Literal["ambient", "none", ""]
    use_waypoint: str
    use_waypoint_namespace: str


class MeshWaypointAutoscaling(t.TypedDict, total=False):
    min_replicas: int
    max_replicas: int
    cpu_utilization: int
    metrics: t.List[t.Dict[str, t.Any]]


class MeshWaypointDisruptionBudget(t.TypedDict, total=False):
    min_available: str
    max_unavailable: str


class MeshWaypointResources(t.TypedDict, total=False):
    requests: t.Dict[str, t.Any]
    limits: t.Dict[str, t.Any]


_MeshWaypoint = t.TypedDict("_MeshWaypoint", {"for": t.Literal["service", "workload", "all", "none"]}, total=False)


class MeshWaypoint(_MeshWaypoint, total=False):
    name: str
    namespace: str
    state: t.Literal["present", "absent"]
    allowed_routes: AllowedRoutes
    revision: str
    replicas: int
    autoscaling: MeshWaypointAutoscaling
    high_availability: bool
    disruption_budget: MeshWaypointDisruptionBudget
    resources: MeshWaypointResources
    affinity: t.Dict[str, t.Any]
    node_selector: t.Dict[str, t.Any]
    tolerations: t.List[t.Dict[str, t.Any]]
    topology_spread: t.List[t.Dict[str, t.Any]]
    service_type: t.Literal["ClusterIP", "NodePort", "LoadBalancer"]
    service_annotations: t.Dict[str, t.Any]
    labels: t.Dict[str, t.Any]
    annotations: t.Dict[str, t.Any]
    overlays: t.Dict[str, t.Any]
