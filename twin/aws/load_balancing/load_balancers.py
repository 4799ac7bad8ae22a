"""Load balancers: what they are called, what they have, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from moto.elbv2.exceptions import ELBClientError, SubnetNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer

from twin.aws.load_balancing.attributes import APPLICATION_ATTRIBUTES, NETWORK_ATTRIBUTES
from twin.aws.load_balancing.moto_changes import DURATIONS, wrap

_ADDRESS_TYPES_WITHOUT_PUBLIC_IPV4 = "dualstack-without-public-ipv4"


def extend() -> None:
    _provision()
    wrap(ELBv2Backend, "create_load_balancer", _complete)
    _refuse_unknown_subnets_and_groups()
    _take_addresses()
    _protect_from_deletion()


def _provision() -> None:
    """A load balancer is provisioning for a while; moto has it active as soon as anybody asks."""

    def activate(self: FakeLoadBalancer) -> None:
        if self.state == "provisioning" and time.monotonic() - self.made_at >= DURATIONS.provisioning:
            self.state = "active"

    FakeLoadBalancer.made_at = 0.0
    FakeLoadBalancer.activate = activate


def _complete(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
    """What a new load balancer has in AWS, beside what moto gives it."""

    def create_load_balancer(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeLoadBalancer:
        balancer = create(self, *arguments, **named)
        balancer.made_at = time.monotonic()
        _tell_network_load_balancers_apart(self, balancer)
        # Without a scheme it is internet-facing (API reference of CreateLoadBalancer); moto's has none then.
        balancer.scheme = balancer.scheme or "internet-facing"
        _name(self, balancer)
        # Every attribute has a value; moto returns a few.
        balancer.attrs = dict(NETWORK_ATTRIBUTES if balancer.type == "network" else APPLICATION_ATTRIBUTES)
        return balancer

    return create_load_balancer


def _tell_network_load_balancers_apart(backend: ELBv2Backend, balancer: FakeLoadBalancer) -> None:
    """The ARN of a network load balancer says C(net), and so do those of its listeners and rules; moto says C(app) of all."""
    if balancer.type == "network":
        wrong, balancer.arn = balancer.arn, balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
        backend.load_balancers[balancer.arn] = backend.load_balancers.pop(wrong)
        backend.tagging_service.copy_tags(wrong, balancer.arn)
        backend.tagging_service.delete_all_tags_for_resource(wrong)


def _name(backend: ELBv2Backend, balancer: FakeLoadBalancer) -> None:
    """The DNS name distinguishes an internal load balancer, and a network load balancer, from others."""
    unique = balancer.arn.rpartition("/")[2]
    if balancer.type == "network":
        balancer.dns_name = f"{balancer.name}-{unique}.elb.{backend.region_name}.amazonaws.com"
    else:
        internal = "internal-" if balancer.scheme == "internal" else ""
        balancer.dns_name = f"{internal}{balancer.name}-{int(unique, 16) % 10**10:010}.{backend.region_name}.elb.amazonaws.com"


def _refuse_unknown_subnets_and_groups() -> None:
    """An unknown subnet is SubnetNotFound, not EC2's own code; an unknown security group is refused; moto knows two address types of three."""

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(
            self: ELBv2Backend,
            name: str,
            security_groups: list[str],
            subnet_ids: list[str],
            subnet_mappings: list[dict[str, str]] | None = None,
            *arguments: Any,
            ip_address_type: str = "ipv4",
            **named: Any,
        ) -> FakeLoadBalancer:
            known = {subnet for by_zone in self.ec2_backend.subnets.values() for subnet in by_zone}
            if any(subnet not in known for subnet in (*(subnet_ids or ()), *(mapping["SubnetId"] for mapping in subnet_mappings or ()))):
                raise SubnetNotFoundError()
            for group in security_groups or ():
                if self.ec2_backend.get_security_group_from_id(group) is None:
                    raise ELBClientError("InvalidSecurityGroup", f"Security group '{group}' does not exist")
            bare = ip_address_type == _ADDRESS_TYPES_WITHOUT_PUBLIC_IPV4
            balancer = create(
                self, name, security_groups, subnet_ids, subnet_mappings, *arguments, ip_address_type="dualstack" if bare else ip_address_type, **named
            )
            balancer.ip_address_type = ip_address_type
            return balancer

        return create_load_balancer

    wrap(ELBv2Backend, "create_load_balancer", make)


def _take_addresses() -> None:
    """A network load balancer has the elastic IP addresses of its subnet mappings, and nobody else gets them meanwhile; moto forgets them."""

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(
            self: ELBv2Backend,
            name: str,
            security_groups: list[str],
            subnet_ids: list[str],
            subnet_mappings: list[dict[str, str]] | None = None,
            *arguments: Any,
            **named: Any,
        ) -> FakeLoadBalancer:
            desired = {mapping["SubnetId"]: mapping["AllocationId"] for mapping in subnet_mappings or () if mapping.get("AllocationId")}
            known = {address.allocation_id: address for address in self.ec2_backend.addresses}
            if any(allocation not in known for allocation in desired.values()):
                raise ELBClientError("AllocationIdNotFound", "The specified allocation ID does not exist.")
            if any(known[allocation].association_id for allocation in desired.values()):
                raise ELBClientError("ResourceInUse", "The allocation IDs are not available for use")
            balancer = create(self, name, security_groups, subnet_ids, subnet_mappings, *arguments, **named)
            balancer.addresses = {subnet: known[allocation] for subnet, allocation in desired.items()}
            for address in balancer.addresses.values():
                address.association_id = f"eipassoc-{address.allocation_id.removeprefix('eipalloc-')}"
            return balancer

        return create_load_balancer

    def release(delete: Callable[..., None]) -> Callable[..., None]:
        def delete_load_balancer(self: ELBv2Backend, arn: str) -> None:
            balancer = self.load_balancers.get(arn)
            delete(self, arn)
            for address in balancer.addresses.values() if balancer else ():
                address.association_id = None

        return delete_load_balancer

    def availability_zones(self: FakeLoadBalancer) -> list[AvailabilityZone]:
        found = []
        for subnet in self.subnets:
            zone, address = AvailabilityZone(subnet), self.addresses.get(subnet.id)
            zone.load_balancer_addresses = [{"IpAddress": address.public_ip, "AllocationId": address.allocation_id}] if address else []
            found.append(zone)
        return found

    FakeLoadBalancer.addresses = {}
    FakeLoadBalancer.availability_zones = property(availability_zones)
    wrap(ELBv2Backend, "create_load_balancer", make)
    wrap(ELBv2Backend, "delete_load_balancer", release)


def _protect_from_deletion() -> None:
    """A load balancer whose deletion protection is on cannot be deleted."""

    def make(delete: Callable[..., None]) -> Callable[..., None]:
        def delete_load_balancer(self: ELBv2Backend, arn: str) -> None:
            balancer = self.load_balancers.get(arn)
            if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
                raise ELBClientError("OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
            delete(self, arn)

        return delete_load_balancer

    wrap(ELBv2Backend, "delete_load_balancer", make)
