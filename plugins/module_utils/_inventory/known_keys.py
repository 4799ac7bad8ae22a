# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Annotations and labels by which controllers are configured, and which are ignored if they are misspelled.

Sources: aws-load-balancer-controller pkg/annotations/constants.go (v3.4), the annotations of the provider that is built into Kubernetes
(cloud-provider-aws), and istio.io/api v1.31 (annotation and label).
"""

from __future__ import annotations

from .._ingress.annotation_values import ALB_PREFIX, NLB_PREFIX

_ALB = (
    "acm-pca-arn auth-idp-cognito auth-idp-oidc auth-on-unauthenticated-request auth-scope auth-session-cookie auth-session-timeout auth-type "
    "backend-protocol backend-protocol-version certificate-arn create-acm-cert customer-owned-ipv4-pool dry-run-plan enable-frontend-nlb "
    "frontend-nlb-attributes frontend-nlb-eip-allocations frontend-nlb-healthcheck-healthy-threshold-count frontend-nlb-healthcheck-interval-seconds "
    "frontend-nlb-healthcheck-path frontend-nlb-healthcheck-port frontend-nlb-healthcheck-protocol frontend-nlb-healthcheck-success-codes "
    "frontend-nlb-healthcheck-timeout-seconds frontend-nlb-healthcheck-unhealthy-threshold-count frontend-nlb-listener-port-mapping frontend-nlb-scheme "
    "frontend-nlb-security-groups frontend-nlb-subnets frontend-nlb-tags group.name group.order healthcheck-interval-seconds healthcheck-path "
    "healthcheck-port healthcheck-protocol healthcheck-timeout-seconds healthy-threshold-count inbound-cidrs ip-address-type ipam-ipv4-pool-id "
    "jwt-validation listen-ports load-balancer-attributes load-balancer-name manage-backend-security-group-rules minimum-load-balancer-capacity "
    "multi-cluster-target-group mutual-authentication scheme security-group-prefix-lists security-groups shield-advanced-protection ssl-policy ssl-redirect "
    "subnets success-codes tags target-control-port target-group-attributes target-node-labels target-type unhealthy-threshold-count use-regex-path-match "
    "waf-acl-id wafv2-acl-arn wafv2-acl-name web-acl-id "
)

_NLB = (
    "access-log-emit-interval access-log-enabled access-log-s3-bucket-name access-log-s3-bucket-prefix additional-resource-tags alpn-policy attributes "
    "backend-protocol connection-draining-enabled connection-draining-timeout connection-idle-timeout cross-zone-load-balancing-enabled disable-nlb-sg "
    "eip-allocations enable-icmp-for-path-mtu-discovery enable-prefix-for-ipv6-source-nat enable-tcp-udp-listener extra-security-groups "
    "healthcheck-healthy-threshold healthcheck-interval healthcheck-path healthcheck-port healthcheck-protocol healthcheck-success-codes "
    "healthcheck-timeout healthcheck-unhealthy-threshold inbound-sg-rules-on-private-link-traffic internal ip-address-type ipv6-addresses "
    "manage-backend-security-group-rules minimum-load-balancer-capacity multi-cluster-target-group name nlb-target-type private-ipv4-addresses "
    "proxy-protocol proxy-protocol-per-target-group quic-enabled-containers quic-enabled-ports scheme security-group-prefix-lists security-groups "
    "source-nat-ipv6-prefixes ssl-cert ssl-negotiation-policy ssl-ports subnets target-group-attributes target-node-labels type "
)

# By their domains.
_ISTIO = {
    "alpha.istio.io": "canonical-serviceaccounts kubernetes-serviceaccounts",
    "ambient.istio.io": "bypass-inbound-capture dns-capture redirection waypoint-inbound-binding",
    "galley.istio.io": "analyze-suppress",
    "gateway.istio.io": "controller-version managed name-override service-account",
    "gateway.networking.k8s.io": "gateway-class-name gateway-name",
    "inject.istio.io": "templates",
    "istio.io": (
        "autoRegistrationGroup connectedAt dataplane-mode disconnectedAt dry-run ingress-use-waypoint reroute-virtual-interfaces rev tag use-waypoint "
        "use-waypoint-canary use-waypoint-canary-namespace use-waypoint-canary-weight use-waypoint-namespace waypoint-for workloadController "
    ),
    "kubernetes.io": "ingress.class",
    "networking.istio.io": "enable-autoallocate-ip exportTo gatewayPort service-type traffic-distribution",
    "operator.istio.io": "component managed version",
    "prometheus.istio.io": "merge-metrics",
    "proxy.istio.io": "config overrides",
    "readiness.status.sidecar.istio.io": "applicationPorts failureThreshold initialDelaySeconds periodSeconds",
    "security.istio.io": "tlsMode",
    "service.istio.io": "canonical-name canonical-revision workload-name",
    "sidecar.istio.io": (
        "agentLogLevel bootstrapOverride componentLogLevel discoveryAddress extraStatTags inject interceptionMode logLevel nativeSidecar proxyCPU "
        "proxyCPULimit proxyImage proxyImageType proxyMemory proxyMemoryLimit rewriteAppHTTPProbers statsCompression statsEvictionInterval statsFlushInterval "
        "statsHistogramBins statsHistogramBuckets statsInclusionPrefixes statsInclusionRegexps statsInclusionSuffixes status userVolume userVolumeMount "
    ),
    "status.sidecar.istio.io": "port",
    "topology.istio.io": "cluster controlPlaneClusters locality network subzone",
    "traffic.istio.io": "nodeSelector",
    "traffic.sidecar.istio.io": (
        "excludeInboundPorts excludeInterfaces excludeOutboundIPRanges excludeOutboundPorts includeInboundPorts includeOutboundIPRanges includeOutboundPorts "
        "kubevirtInterfaces "
    ),
}

# Names that are followed by that of a Service, an action or a listener.
FAMILIES = (
    *(f"{ALB_PREFIX}{name}" for name in ("actions", "conditions", "transforms", "listener-attributes")),
    f"{NLB_PREFIX}listener-attributes",
)
KNOWN_KEYS = frozenset(
    {
        *(f"{ALB_PREFIX}{name}" for name in _ALB.split()),
        *(f"{NLB_PREFIX}{name}" for name in _NLB.split()),
        *(f"{domain}/{name}" for domain, names in _ISTIO.items() for name in names.split()),
    }
)

__all__ = ("FAMILIES", "KNOWN_KEYS")
