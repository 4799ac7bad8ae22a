"""What the load balancer controller meets in AWS, where moto lacks it or tells it otherwise.

Each function stands for one gap, and its docstring says what AWS does. The real controller, run against the emulator,
is what found them.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.acm.models import acm_backends
from moto.elbv2.exceptions import ELBClientError, SubnetNotFoundError, TargetGroupNotFoundError, ValidationError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeHealthStatus, FakeListener, FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.elbv2.ssl_policies import SSL_POLICIES

SECURE_PROTOCOLS = frozenset({"HTTPS", "TLS"})
# docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
_OLDER_POLICIES = {
    "FS-2018-06": ("TLSv1", "TLSv1.1", "TLSv1.2"),
    "FS-1-1-2019-08": ("TLSv1.1", "TLSv1.2"),
    "FS-1-2-2019-08": ("TLSv1.2",),
    "FS-1-2-Res-2019-08": ("TLSv1.2",),
    "TLS-1-0-2015-04": ("TLSv1", "TLSv1.1", "TLSv1.2"),
    "2015-05": ("TLSv1", "TLSv1.1", "TLSv1.2"),
}
# moto refuses them when a listener is changed, though not when it is made.
_LISTENER_PROTOCOLS_OF_NLB = frozenset({"TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
_ADDRESS_TYPES_WITHOUT_PUBLIC_IPV4 = "dualstack-without-public-ipv4"

# docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
_COMMON_ATTRIBUTES = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "ipv6.deny_all_igw_traffic": "false",
    "zonal_shift.config.enabled": "false",
}
NETWORK_ATTRIBUTES = {
    **_COMMON_ATTRIBUTES,
    "dns_record.client_routing_policy": "any_availability_zone",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
}
APPLICATION_ATTRIBUTES = {
    **_COMMON_ATTRIBUTES,
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}


@dataclass
class Durations:
    """Seconds that things take here; in AWS the first is minutes, and the second is what the health check is set to.

    Attributes:
        provisioning: from the creation of a load balancer until it is active.
        first_health_check: from the registration of a target until its health is known.
    """

    provisioning: float = 1.0
    first_health_check: float = 1.0


DURATIONS = Durations()


def extend() -> None:
    """Bring moto closer to AWS; a second call changes nothing."""
    if getattr(ELBv2Backend, "extended_by_twin", False):
        return
    ELBv2Backend.extended_by_twin = True
    _provision()
    _tell_network_load_balancers_apart()
    _give_a_scheme()
    _name()
    _refuse_unknown_subnets_and_groups()
    _take_addresses()
    _give_default_attributes()
    _protect_from_deletion()
    _know_older_policies()
    _refuse_unknown_certificates_and_policies()
    _modify_listeners_of_network_load_balancers()
    _keep_health_check_codes()
    _check_health()
    _count_users_of_target_groups()
    _list_no_target_groups()


def _wrap(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


def _provision() -> None:
    """A load balancer is provisioning for a while; moto has it active as soon as anybody asks."""

    def activate(self: FakeLoadBalancer) -> None:
        if self.state == "provisioning" and time.monotonic() - self.made_at >= DURATIONS.provisioning:
            self.state = "active"

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeLoadBalancer:
            balancer = create(self, *arguments, **named)
            balancer.made_at = time.monotonic()
            return balancer

        return create_load_balancer

    FakeLoadBalancer.made_at = 0.0
    FakeLoadBalancer.activate = activate
    _wrap(ELBv2Backend, "create_load_balancer", make)


def _tell_network_load_balancers_apart() -> None:
    """The ARN of a network load balancer says C(net), and so do those of its listeners and rules; moto says C(app) of all."""

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeLoadBalancer:
            balancer = create(self, *arguments, **named)
            if balancer.type == "network":
                wrong, balancer.arn = balancer.arn, balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
                self.load_balancers[balancer.arn] = self.load_balancers.pop(wrong)
                self.tagging_service.copy_tags(wrong, balancer.arn)
                self.tagging_service.delete_all_tags_for_resource(wrong)
            return balancer

        return create_load_balancer

    _wrap(ELBv2Backend, "create_load_balancer", make)


def _give_a_scheme() -> None:
    """A load balancer that is made without a scheme is internet-facing (API reference of CreateLoadBalancer); moto's has none then."""

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeLoadBalancer:
            balancer = create(self, *arguments, **named)
            balancer.scheme = balancer.scheme or "internet-facing"
            return balancer

        return create_load_balancer

    _wrap(ELBv2Backend, "create_load_balancer", make)


def _name() -> None:
    """The DNS name tells an internal load balancer, and a network load balancer, from others."""

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeLoadBalancer:
            balancer = create(self, *arguments, **named)
            unique = balancer.arn.rpartition("/")[2]
            if balancer.type == "network":
                balancer.dns_name = f"{balancer.name}-{unique}.elb.{self.region_name}.amazonaws.com"
            else:
                internal = "internal-" if balancer.scheme == "internal" else ""
                balancer.dns_name = f"{internal}{balancer.name}-{int(unique, 16) % 10**10:010}.{self.region_name}.elb.amazonaws.com"
            return balancer

        return create_load_balancer

    _wrap(ELBv2Backend, "create_load_balancer", make)


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

    _wrap(ELBv2Backend, "create_load_balancer", make)


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
            wanted = {mapping["SubnetId"]: mapping["AllocationId"] for mapping in subnet_mappings or () if mapping.get("AllocationId")}
            known = {address.allocation_id: address for address in self.ec2_backend.addresses}
            if any(allocation not in known for allocation in wanted.values()):
                raise ELBClientError("AllocationIdNotFound", "The specified allocation ID does not exist.")
            if any(known[allocation].association_id for allocation in wanted.values()):
                raise ELBClientError("ResourceInUse", "The allocation IDs are not available for use")
            balancer = create(self, name, security_groups, subnet_ids, subnet_mappings, *arguments, **named)
            balancer.addresses = {subnet: known[allocation] for subnet, allocation in wanted.items()}
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
    _wrap(ELBv2Backend, "create_load_balancer", make)
    _wrap(ELBv2Backend, "delete_load_balancer", release)


def _give_default_attributes() -> None:
    """Every attribute of a load balancer has a value; moto tells a few."""

    def make(create: Callable[..., FakeLoadBalancer]) -> Callable[..., FakeLoadBalancer]:
        def create_load_balancer(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeLoadBalancer:
            balancer = create(self, *arguments, **named)
            balancer.attrs = dict(NETWORK_ATTRIBUTES if balancer.type == "network" else APPLICATION_ATTRIBUTES)
            return balancer

        return create_load_balancer

    _wrap(ELBv2Backend, "create_load_balancer", make)


def _protect_from_deletion() -> None:
    """A load balancer whose deletion protection is on cannot be deleted."""

    def make(delete: Callable[..., None]) -> Callable[..., None]:
        def delete_load_balancer(self: ELBv2Backend, arn: str) -> None:
            balancer = self.load_balancers.get(arn)
            if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
                raise ELBClientError("OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
            delete(self, arn)

        return delete_load_balancer

    _wrap(ELBv2Backend, "delete_load_balancer", make)


def _check_certificate(backend: ELBv2Backend, protocol: str | None, certificate: str | None) -> None:
    """Refuse what AWS refuses of a listener's certificate."""
    if protocol in SECURE_PROTOCOLS and not certificate:
        raise ValidationError(
            "A certificate must be specified for HTTPS listeners" if protocol == "HTTPS" else "A certificate must be specified for TLS listeners"
        )
    if not certificate or ":acm:" not in certificate:
        return
    known = acm_backends[backend.account_id][backend.region_name]._certificates.get(certificate)
    if known is None:
        raise ELBClientError("CertificateNotFound", f"Certificate ARN '{certificate}' is not valid")
    if known.status != "ISSUED":
        raise ELBClientError(
            "UnsupportedCertificate",
            f"The certificate '{certificate}' must have a fully-qualified domain name, a supported signature, and a supported key size.",
        )


def _check_policy(policy: str | None) -> None:
    if policy and policy not in SSL_POLICIES:
        raise ELBClientError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


def _know_older_policies() -> None:
    """Policies of before 2020 can still be chosen; moto does not list them. Their ciphers are left out."""
    for name, protocols in _OLDER_POLICIES.items():
        SSL_POLICIES.setdefault(f"ELBSecurityPolicy-{name}", {"name": f"ELBSecurityPolicy-{name}", "ciphers": [], "ssl_protocols": list(protocols)})


def _refuse_unknown_certificates_and_policies() -> None:
    """A listener needs a certificate that is there and issued, and a security policy that exists; moto checks a changed listener only."""

    def make(create: Callable[..., FakeListener]) -> Callable[..., FakeListener]:
        def create_listener(
            self: ELBv2Backend, load_balancer_arn: str, protocol: str, port: str, ssl_policy: str, certificate: str | None, *arguments: Any, **named: Any
        ) -> FakeListener:
            if protocol in SECURE_PROTOCOLS:
                _check_policy(ssl_policy)
            _check_certificate(self, protocol, certificate)
            balancer = self.load_balancers.get(load_balancer_arn)
            if balancer is not None and any(str(listener.port) == str(port) for listener in balancer.listeners.values()):
                raise ELBClientError("DuplicateListener", f"A listener already exists on this port for this load balancer '{load_balancer_arn}'")
            listener = create(self, load_balancer_arn, protocol, port, ssl_policy, certificate, *arguments, **named)
            # moto gives every listener a security policy.
            listener.ssl_policy = ssl_policy if protocol in SECURE_PROTOCOLS else None
            return listener

        return create_listener

    def add(original: Callable[..., Any]) -> Callable[..., Any]:
        def add_listener_certificates(self: ELBv2Backend, arn: str, certificates: list[dict[str, Any]]) -> Any:
            for certificate in certificates:
                _check_certificate(self, None, certificate["CertificateArn"])
            return original(self, arn, certificates)

        return add_listener_certificates

    _wrap(ELBv2Backend, "create_listener", make)
    _wrap(ELBv2Backend, "add_listener_certificates", add)


def _modify_listeners_of_network_load_balancers() -> None:
    """A listener of a network load balancer can be changed, too: moto knows HTTP, HTTPS and TCP only, and replaces the additional certificates."""

    def make(modify: Callable[..., FakeListener]) -> Callable[..., FakeListener]:
        def modify_listener(
            self: ELBv2Backend,
            arn: str,
            port: str | None = None,
            protocol: str | None = None,
            ssl_policy: str | None = None,
            certificates: list[dict[str, Any]] | None = None,
            actions: list[dict[str, Any]] | None = None,
        ) -> FakeListener:
            (listener,) = self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])
            default = certificates[0]["CertificateArn"] if certificates else listener.certificate
            after = protocol or listener.protocol
            additional = [certificate for certificate in listener.certificates or () if certificate not in (listener.certificate, default)]
            _check_certificate(self, after, default)
            known = None if after in _LISTENER_PROTOCOLS_OF_NLB else protocol
            modify(self, arn, port, known, ssl_policy, certificates or [], actions or [])
            listener.protocol = after
            if after in SECURE_PROTOCOLS:
                listener.certificate = default
                listener.certificates = [default, *additional]
            return listener

        return modify_listener

    _wrap(ELBv2Backend, "modify_listener", make)


def _keep_health_check_codes() -> None:
    """The codes of an HTTP health check can be changed whatever the target group's own protocol is."""

    def make(modify: Callable[..., FakeTargetGroup]) -> Callable[..., FakeTargetGroup]:
        signature = inspect.signature(modify)

        def modify_target_group(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeTargetGroup:
            group = modify(self, *arguments, **named)
            codes = signature.bind(self, *arguments, **named).arguments.get("http_codes")
            if codes is not None:
                group.matcher = {"HttpCode": codes}
            return group

        return modify_target_group

    _wrap(ELBv2Backend, "modify_target_group", make)


def _check_health() -> None:
    """A target is initial first, then healthy when it answers; one that does not exist never does. moto has all healthy at once."""

    def make(register: Callable[..., None]) -> Callable[..., None]:
        def register_targets(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
            before = dict(self.targets)
            register(self, targets)
            for target in targets:
                kept = self.targets[target["Id"]]
                kept["Since"] = before.get(target["Id"], {}).get("Since", time.monotonic())
                kept["AvailabilityZone"] = target.get("AvailabilityZone")

        return register_targets

    def examine(original: Callable[..., FakeHealthStatus]) -> Callable[..., FakeHealthStatus]:
        def health_for(self: FakeTargetGroup, target: dict[str, Any], ec2_backend: Any) -> FakeHealthStatus:
            status = original(self, target, ec2_backend)
            known = self.targets.get(target["Id"])
            if known is not None and status.status == "healthy":
                status.status, status.reason, status.description = _health(self, known, ec2_backend)
                status.availability_zone = known.get("AvailabilityZone")
            return status

        return health_for

    def described(self: FakeHealthStatus) -> dict[str, Any]:
        zone = getattr(self, "availability_zone", None)
        return {"Id": self.instance_id, "Port": self.port, **({"AvailabilityZone": zone} if zone else {})}

    FakeHealthStatus.target = property(described)
    _wrap(FakeTargetGroup, "register", make)
    _wrap(FakeTargetGroup, "health_for", examine)


def _health(group: FakeTargetGroup, target: dict[str, Any], ec2_backend: Any) -> tuple[str, str | None, str | None]:
    if not group.load_balancer_arns:
        return "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
    if time.monotonic() - target["Since"] < DURATIONS.first_health_check:
        return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
    if group.target_type == "ip" and not _is_assigned(target["Id"], ec2_backend):
        return "unhealthy", "Target.Timeout", "Request timed out"
    return "healthy", None, None


def _is_assigned(address: str, ec2_backend: Any) -> bool:
    """Whether a network interface has the address: pods that run are told of in this way."""
    return any(address == each.get("PrivateIpAddress") for eni in ec2_backend.enis.values() for each in eni.private_ip_addresses)


def _count_users_of_target_groups() -> None:
    """A target group belongs to the load balancers whose listeners or rules forward to it now; moto never forgets one."""

    def load_balancer_arns(self: FakeTargetGroup) -> list[str]:
        balancers = elbv2_backends[self.account_id][self.region_name].load_balancers.values()
        return [balancer.arn for balancer in balancers if any(self.arn in _forwards_to(listener) for listener in balancer.listeners.values())]

    # moto also writes the attribute; what it writes is not needed.
    FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, lambda _self, _value: None)


def _list_no_target_groups() -> None:
    """A load balancer that forwards nowhere has no target groups, which is no error; moto says TargetGroupNotFound."""

    def make(describe: Callable[..., Any]) -> Callable[..., Any]:
        def describe_target_groups(self: ELBv2Backend, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None) -> Any:
            try:
                return describe(self, load_balancer_arn, target_group_arns, names)
            except TargetGroupNotFoundError:
                if load_balancer_arn and not target_group_arns and not names:
                    return []
                raise

        return describe_target_groups

    _wrap(ELBv2Backend, "describe_target_groups", make)


def _forwards_to(listener: FakeListener) -> set[str]:
    actions = [*listener.default_actions, *(action for rule in listener.rules.values() for action in rule.actions)]
    found = set()
    for action in actions:
        data = action.data
        found.add(data.get("TargetGroupArn"))
        found.update(group.get("TargetGroupArn") for group in (data.get("ForwardConfig") or {}).get("TargetGroups") or ())
    return found
