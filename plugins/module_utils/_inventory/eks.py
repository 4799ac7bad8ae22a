# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the variables of the roles eks, aws_edge and alb_controller together, for errors that AWS would report minutes later."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._eks_addon.role_items import has_service_account, needs_role, starts_before_istio
from .._eks_nodegroup.role_items import DEFAULT_IMAGE, OWN_IMAGE
from .._eks_nodegroup.spec import find_image_errors, find_name_errors, find_node_errors, find_taint_errors, find_template_errors
from .._limits.aws import ADDON_NAME, CLUSTER_NAME
from .._limits.ranges import find_range_errors, find_range_problem
from .._mesh.startup_taint import STARTUP_TAINT
from .._network.spec import MOST_ZONES
from .._text import repeated
from .patterns import BOUNDARY, ROLE_PATH, SECURITY_GROUP_IDS, SUBNET_IDS, role_arn, validate_patterns, validate_role_names

if t.TYPE_CHECKING:
    from .variables import Variables


# Names and ids as the APIs of EKS, EC2, IAM, KMS and S3 take them.
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-\d{1,2}")
_VERSION = re.compile(r"1\.\d{2}")
_PATTERNS = {
    "eks_vpc_id": (re.compile(r"vpc-[0-9a-f]{8,17}"), "an id such as vpc-0a1b2c3d4e5f60718"),
    "eks_private_subnet_ids": SUBNET_IDS,
    "eks_public_subnet_ids": SUBNET_IDS,
    "eks_node_security_group_ids": SECURITY_GROUP_IDS,
    "eks_cluster_role_arn": role_arn("cluster"),
    "eks_node_role_arn": role_arn("nodes"),
    "alb_controller_role_arn": role_arn("controller"),
    "eks_permissions_boundary": BOUNDARY,
    "alb_controller_permissions_boundary": BOUNDARY,
    "eks_role_path": ROLE_PATH,
    "alb_controller_role_path": ROLE_PATH,
    "eks_encryption_key_arn": (
        re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/\S+"),
        "the ARN of a key, not of an alias, such as arn:aws:kms:eu-central-1:123456789012:key/...",
    ),
}
# The ranges that a VPC of EKS gives out well; the API of EC2 takes /16 to /28, of which eight subnets with room for nodes need /22.
_LARGEST, _SMALLEST = 16, 22
# The ranges that Services may have (API reference of EKS, KubernetesNetworkConfigRequest).
_PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
# What no client on the internet has: private addresses, those of carriers, and those of the host and its link (RFC 1918, 6598, 1122 and 3927).
_NOT_PUBLIC = (*_PRIVATE, *(ipaddress.IPv4Network(text) for text in ("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")))
_POD_IDENTITY_AGENT = "eks-pod-identity-agent"


def validate_eks(variables: Variables) -> list[str]:
    """One sentence for each validation error in a cluster's AWS variables; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    errors = list(validate_patterns(variables, _PATTERNS))
    region = variables.get("eks_region") or ""
    if region and not _REGION.fullmatch(region):
        errors.append(f"eks_region is {region!r}: name a region such as eu-central-1.")
    if variables.get("eks_enabled"):
        errors += _validate_cluster(variables, region)
        errors += _validate_network(variables, region)
        errors += _validate_nodes(variables)
        errors += _validate_addons(variables)
    else:
        errors += _validate_issuers(variables)
    return errors


def eks_warnings(variables: Variables) -> t.Iterator[str]:
    """What is possible, and perhaps not meant, one sentence each; the arguments are those of validate_eks()."""
    if not variables.get("eks_enabled"):
        return
    if not variables.get("eks_endpoint_private_access", True) and not variables.get("eks_vpc_id") and variables.get("eks_nat_gateways") == "none":
        yield (
            "eks_endpoint_private_access is false, and eks_nat_gateways is none: unless you add another way to the internet, nodes cannot reach the API "
            "server, so set eks_endpoint_private_access to true, or create NAT gateways."
        )
    if not variables.get("eks_startup_taint", True) or not variables.get("eks_node_groups"):
        return
    for index, addon in enumerate(variables.get("eks_addons") or ()):
        if addon.get("state") != "absent" and not starts_before_istio(addon):
            yield (
                f"eks_addons[{index}] ({addon['name']}) is waited for before Istio is installed, and until then nodes have the taint {STARTUP_TAINT['key']}: "
                "if the add-on has Deployments, let them tolerate it in configuration_values, or set eks_startup_taint to false."
            )


def _validate_issuers(variables: Variables) -> t.Iterator[str]:
    """Roles that would be created to trust the issuer of a cluster that only the role eks reads."""
    identities = {"alb_controller": variables.get("alb_controller_identity"), "karpenter": variables.get("karpenter_identity")}
    values: t.Mapping[str, t.Any] = variables
    for role, identity in identities.items():
        if values.get(f"{role}_enabled") and identity == "irsa" and not values.get(f"{role}_role_arn"):
            yield (
                f"{role}_identity is irsa, but eks_enabled is false, and {role}_role_arn is not set: the role that would be created has to trust the OIDC "
                f"issuer of the cluster, which only the role eks reads, so set {role}_role_arn to an existing role, or {role}_identity to pod_identity."
            )


def _validate_cluster(variables: Variables, region: str) -> t.Iterator[str]:
    if not region:
        yield "eks_region is not set, but eks_enabled is true: set the region of the cluster, such as eu-central-1."
    name = variables.get("eks_cluster_name")
    if name is not None and not CLUSTER_NAME.fullmatch(name):
        yield f"eks_cluster_name is {name!r} (the name of the host, unless it is set): use at most 100 letters, digits, dashes and underscores."
    elif name is not None and region:
        yield from _validate_role_names(variables, f"{name}-{region}")
    # The kubeconfig of the role eks has one context, with the name that the AWS CLI gives it.
    context = variables.get("cluster_context")
    if context and region and name and not re.fullmatch(rf"arn:aws[a-z-]*:eks:{re.escape(region)}:\d{{12}}:cluster/{re.escape(name)}", context):
        yield f"cluster_context is {context!r}, but eks_enabled is true, and the kubeconfig that the role eks sets has no such context: omit it."
    version = variables.get("eks_version") or ""
    if version and not _VERSION.fullmatch(version):
        yield f'eks_version is {version!r}: use a minor version in quotes, such as "1.35".'
    key = str(variables.get("eks_encryption_key_arn") or "")
    if region and key.count(":") >= 5 and key.split(":")[3] != region:
        yield f"eks_encryption_key_arn is in region {key.split(':')[3]}, but eks_region is {region}: use a key in the region of the cluster."
    if not variables.get("eks_endpoint_public_access", True) and not variables.get("eks_endpoint_private_access", True):
        yield "eks_endpoint_public_access and eks_endpoint_private_access are both false: the API server would be unreachable, so set one of them to true."
    yield from _validate_endpoint(variables)
    if variables.get("eks_startup_taint", True) and variables.get("eks_node_groups") and variables.get("istio_startup_taint") is False:
        yield (
            f"eks_startup_taint is true, but istio_startup_taint is false: nothing would remove the taint {STARTUP_TAINT['key']} from the nodes, "
            "and no pod could run there, so set both to the same value."
        )


def _validate_endpoint(variables: Variables) -> t.Iterator[str]:
    """Source: the user guide of EKS, cluster API server endpoint (no range means all addresses; reserved ones are refused)."""
    if not variables.get("eks_endpoint_public_access", True):
        return
    cidrs = variables.get("eks_endpoint_public_cidrs")
    yield from find_range_errors("eks_endpoint_public_cidrs", cidrs)
    if cidrs is not None and not cidrs:
        yield (
            "eks_endpoint_public_cidrs is empty, which EKS takes for all addresses of the internet: "
            "name ranges, or set eks_endpoint_public_access to false to admit none."
        )
    for cidr in cidrs or ():
        network = _network(cidr)
        if ":" in cidr:
            yield f"eks_endpoint_public_cidrs has {cidr!r}, a range of IPv6, which the endpoint of an IPv4 cluster does not take: use ranges of IPv4."
        elif network is not None and any(map(network.subnet_of, _NOT_PUBLIC)):
            yield (
                f"eks_endpoint_public_cidrs has {cidr!r}, a range of private addresses, which EKS refuses: use the addresses with which clients reach the "
                "internet; inside the VPC, eks_endpoint_private_access admits all."
            )


def _validate_role_names(variables: Variables, prefix: str) -> t.Iterator[str]:
    made = {
        "cluster": not variables.get("eks_cluster_role_arn"),
        "nodes": not variables.get("eks_node_role_arn"),
        "ebs-csi": any(map(needs_role, variables.get("eks_addons") or ())),
        "alb-controller": variables.get("alb_controller_enabled") and not variables.get("alb_controller_role_arn"),
    }
    yield from validate_role_names(f"{prefix}-{suffix}" for suffix, is_made in made.items() if is_made)


def _validate_network(variables: Variables, region: str) -> t.Iterator[str]:
    zones = variables.get("eks_availability_zones") or []
    private, public = variables.get("eks_private_subnet_ids") or [], variables.get("eks_public_subnet_ids") or []
    if variables.get("eks_vpc_id"):
        if len(set(private)) < 2:
            yield "eks_private_subnet_ids needs at least two subnets of eks_vpc_id in different zones, which EKS requires."
        for subnet in sorted({*private} & {*public}):
            yield f"eks_private_subnet_ids and eks_public_subnet_ids both name {subnet}: a subnet is either private or public."
        if zones:
            yield "eks_availability_zones is set, but eks_vpc_id names an existing VPC: remove one of the two."
        yield from _validate_service_range(variables)
        return
    if private or public:
        yield "eks_private_subnet_ids or eks_public_subnet_ids is set without eks_vpc_id: set the VPC as well, or remove the subnets to have a VPC created."
    if not 2 <= len(zones) <= MOST_ZONES:
        count = "1 zone" if len(zones) == 1 else f"{len(zones)} zones"
        yield f"eks_availability_zones names {count}: use two to {MOST_ZONES}, such as {region or 'eu-central-1'}a and {region or 'eu-central-1'}b."
    for zone in repeated(zones):
        yield f"eks_availability_zones names {zone} more than once."
    for zone in zones:
        if region and not zone.startswith(region):
            yield f"eks_availability_zones names {zone}, which is not in eks_region {region}."
    yield from _validate_ranges(variables)


def _validate_ranges(variables: Variables) -> t.Iterator[str]:
    cidr = str(variables.get("eks_vpc_cidr") or "")
    network = _network(cidr)
    if network is None or network.version != 4 or not _LARGEST <= network.prefixlen <= _SMALLEST:
        yield f"eks_vpc_cidr is {cidr!r}: use an IPv4 range with a prefix between /{_LARGEST} and /{_SMALLEST}, such as 10.20.0.0/16."
        return
    errors = list(_validate_service_range(variables))
    yield from errors
    services = str(variables.get("eks_service_ipv4_cidr") or "")
    inner = _network(services)
    if not errors and inner is not None and inner.overlaps(network):
        yield f"eks_service_ipv4_cidr {services} overlaps eks_vpc_cidr {cidr}: Services need a separate range."


def _validate_service_range(variables: Variables) -> t.Iterator[str]:
    """Source: API reference of EKS, KubernetesNetworkConfigRequest."""
    services = str(variables.get("eks_service_ipv4_cidr") or "")
    inner = _network(services)
    if services and (inner is None or inner.version != 4 or not 12 <= inner.prefixlen <= 24 or not any(map(inner.subnet_of, _PRIVATE))):
        yield f"eks_service_ipv4_cidr is {services!r}: use a private IPv4 range with a prefix between /12 and /24, such as 172.20.0.0/16."


def _validate_nodes(variables: Variables) -> t.Iterator[str]:
    groups = variables.get("eks_node_groups") or ()
    names = [group["name"] for group in groups]
    for name in repeated(names):
        yield f"eks_node_groups names {name} more than once: combine these items into one."
    control_plane = variables.get("eks_version") or ""
    for index, group in enumerate(groups):
        if group.get("state") == "absent":
            continue
        place = f"eks_node_groups[{index}]"
        yield from find_name_errors(f"{place}.name", group["name"])
        image = group.get("ami_type") or (None if group.get("launch_template") else DEFAULT_IMAGE)
        if image == OWN_IMAGE and (group.get("version") or not group.get("launch_template")):
            yield (
                f"{place}.ami_type is {OWN_IMAGE}, for the image of a launch template, which determines the version as well: "
                f"{'omit version' if group.get('launch_template') else 'set launch_template'}, or use a type of EKS."
            )
        images = find_image_errors(image, group.get("version") or control_plane, group.get("instance_types"))
        yield from (f"{place}.{error}" for error in (*find_node_errors(group), *images))
        low, high = group["min_size"], group["max_size"]
        desired = group.get("desired_size", low)
        if not 0 <= low <= desired <= max(high, 1) <= high:
            yield (
                f"{place} has min_size {low}, desired_size {desired} and max_size {high}: "
                "they must not decrease in this order, and max_size must be at least 1."
            )
        version = group.get("version") or ""
        if version and not _VERSION.fullmatch(version):
            yield f'{place}.version is {version!r}: use a minor version in quotes, such as "1.35".'
        elif version and _VERSION.fullmatch(control_plane) and not 0 <= int(control_plane[2:]) - int(version[2:]) <= 3:
            yield f"{place}.version is {version}, but eks_version is {control_plane}: nodes may be up to three minor versions older, and never newer."
        yield from (f"{place}.{error}" for error in find_template_errors(group))
        if group.get("launch_template") and group.get("disk_size") is not None:
            yield f"{place} has both launch_template and disk_size: the template sets the size of the disk, so omit disk_size."
        for number, taint in enumerate(group.get("taints") or ()):
            yield from (f"{place}.taints[{number}]{error}" for error in find_taint_errors(taint))


def _validate_addons(variables: Variables) -> t.Iterator[str]:
    addons = variables.get("eks_addons") or ()
    names = [addon["name"] for addon in addons]
    for index, name in enumerate(names):
        if not ADDON_NAME.fullmatch(name):
            yield f"eks_addons[{index}].name is {name!r}: use the name of an add-on that EKS offers, such as vpc-cni."
    for name in repeated(names):
        yield f"eks_addons names {name} more than once: combine these items into one."
    for index, addon in enumerate(addons):
        place, role = f"eks_addons[{index}]", addon.get("role_arn")
        if not role or addon.get("state") == "absent":
            continue
        yield from validate_patterns({f"{place}.role_arn": role}, {f"{place}.role_arn": role_arn("addon")})
        if variables.get("eks_identity", "pod_identity") == "pod_identity" and not has_service_account(addon):
            yield (
                f"{place}.role_arn is set, but service_account is not, so that Pod Identity could give the role to nobody: "
                "add the add-on's service account, such as aws-node for vpc-cni."
            )
    installed = {addon["name"] for addon in addons if addon.get("state") != "absent"}
    name = _needs_agent(variables)
    if name and _POD_IDENTITY_AGENT not in installed:
        yield f"{name} is pod_identity, but eks_addons lacks {_POD_IDENTITY_AGENT}, without which pods get no credentials: add it, or set {name} to irsa."


def _needs_agent(variables: Variables) -> str:
    """The variable because of which pods get their credentials from the Pod Identity agent; empty if none do."""
    identity = variables.get("eks_identity", "pod_identity")
    addons = [addon for addon in variables.get("eks_addons") or () if addon.get("state") != "absent"]
    associations = [one for one in variables.get("eks_pod_identity_associations") or () if one.get("state") != "absent"]
    of_addons = any(needs_role(addon) or addon.get("role_arn") for addon in addons)
    if identity == "pod_identity" and (of_addons or associations):
        return "eks_identity"
    for role in ("alb_controller", "karpenter"):
        own = variables.get(f"{role}_identity", identity)
        if variables.get(f"{role}_enabled") and own == "pod_identity":
            # By default, it is that of the cluster.
            return "eks_identity" if own == identity else f"{role}_identity"
    return ""


def _network(cidr: str) -> t.Any:
    return None if find_range_problem(cidr) else ipaddress.ip_network(cidr)


__all__ = ("eks_warnings", "validate_eks")
