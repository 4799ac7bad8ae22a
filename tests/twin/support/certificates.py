"""Certificates that a test makes."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificate:
    """A certificate of one's own making and its key, both in PEM."""

    public: bytes
    private: bytes


def make_certificate(*hosts: str, address: str = "") -> Certificate:
    """A certificate for hosts, or for an address, that a new elliptic key has signed itself: valid since yesterday and for 30 days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0] if hosts else address)])
    names = [*map(x509.DNSName, hosts), *([x509.IPAddress(ipaddress.ip_address(address))] if address else [])]
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certificate(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), private)


def self_signed(path: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key into one file."""
    made = make_certificate("another-cluster", address="127.0.0.1")
    path.write_bytes(made.private + made.public)
    return path
