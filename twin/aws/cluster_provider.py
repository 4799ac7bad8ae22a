"""What an EKS cluster of the local AWS is in the real world: nothing but a record, or a twin."""

from __future__ import annotations

import base64
import datetime
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class ClusterKey(NamedTuple):
    """Which cluster of an account: two regions may have one of the same name."""

    region: str
    name: str


@dataclass(frozen=True)
class ClusterSpec:
    """What is known of a cluster when it is created."""

    name: str
    region: str
    account: str
    arn: str
    version: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    service_cidr: str
    oidc_issuer: str
    creator_arn: str
    webhook_url: str
    """Where the API server sends a TokenReview: an address of the emulator."""

    @property
    def key(self) -> ClusterKey:
        return ClusterKey(self.region, self.name)


@dataclass(frozen=True)
class ClusterEndpoint:
    """Where a cluster answers."""

    endpoint: str
    certificate_authority_data: str
    """The CA's certificate as PEM in base64, as DescribeCluster returns it."""


@dataclass(frozen=True)
class NodeSpec:
    """One instance of a node group, as its Node object has to show it."""

    name: str
    instance_id: str
    zone: str
    region: str
    node_group: str
    instance_type: str
    private_address: str
    provider_id: str
    kubernetes_version: str
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[dict[str, str], ...] = ()
    """As Kubernetes writes them: key, value, effect (NoSchedule, NoExecute, PreferNoSchedule)."""


@dataclass(frozen=True)
class AddonSpec:
    """One add-on that EKS installs."""

    name: str
    version: str
    configuration: dict[str, Any] = field(default_factory=dict)
    """Its configuration values, parsed."""


@dataclass(frozen=True, order=True)
class Grant:
    """An access policy that counts in one namespace only."""

    group: str
    """The group of those who have it, as the token webhook reports it."""
    policy: str
    """Its name: AmazonEKSViewPolicy."""
    namespace: str
    """As the scope names it: a name, or a pattern as in C(team-*). It need not exist yet."""


class ClusterProvider(Protocol):
    """Makes the clusters that the EKS API reports.

    Each call may take seconds; the emulator makes the calls of one cluster one after the other, in a thread of its own,
    and shows the cluster, node group or add-on as CREATING, UPDATING or DELETING until the call returns. An exception
    makes it fail, with the exception's text as the health issue that DescribeCluster, DescribeNodegroup or DescribeAddon returns. All calls are
    declarative: a repeated one finds its work done.
    """

    inline: bool
    """True when calls return at once, so that they need no thread."""

    def create(self, spec: ClusterSpec) -> ClusterEndpoint: ...

    def delete(self, cluster: ClusterKey) -> None: ...

    def set_nodes(self, cluster: ClusterKey, nodes: Sequence[NodeSpec]) -> None:
        """Make the cluster have these nodes, of all of its node groups, and no others."""

    def install_addon(self, cluster: ClusterKey, addon: AddonSpec) -> None: ...

    def remove_addon(self, cluster: ClusterKey, name: str) -> None: ...

    def set_grants(self, cluster: ClusterKey, grants: Sequence[Grant]) -> None:
        """Let these policies, and no others, count in their namespaces."""


class RecordsOnly:
    """Clusters that only the EKS API knows of: their endpoint has a name and a certificate, and nobody answers there."""

    inline = True

    def create(self, spec: ClusterSpec) -> ClusterEndpoint:
        identity = secrets.token_hex(16).upper()
        certificate = base64.b64encode(_self_signed()).decode()
        return ClusterEndpoint(f"https://{identity}.gr7.{spec.region}.eks.amazonaws.com", certificate)

    def delete(self, cluster: ClusterKey) -> None: ...

    def set_nodes(self, cluster: ClusterKey, nodes: Sequence[NodeSpec]) -> None: ...

    def install_addon(self, cluster: ClusterKey, addon: AddonSpec) -> None: ...

    def remove_addon(self, cluster: ClusterKey, name: str) -> None: ...

    def set_grants(self, cluster: ClusterKey, grants: Sequence[Grant]) -> None: ...


def _self_signed() -> bytes:
    """A CA certificate as EKS makes one: CN=kubernetes, valid for ten years, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
