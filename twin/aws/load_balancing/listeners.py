"""Listeners with their certificates and security policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.acm.models import acm_backends
from moto.elbv2.exceptions import ELBClientError, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeListener
from moto.elbv2.ssl_policies import SSL_POLICIES

from twin.aws.load_balancing.moto_changes import wrap

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


def extend() -> None:
    _know_older_policies()
    _refuse_unknown_certificates_and_policies()
    _modify_listeners_of_network_load_balancers()


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

    wrap(ELBv2Backend, "create_listener", make)
    wrap(ELBv2Backend, "add_listener_certificates", add)


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

    wrap(ELBv2Backend, "modify_listener", make)
