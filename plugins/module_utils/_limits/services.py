# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Addresses and ranges of Services: what the API server refuses of them, which a chart or istiod would meet when it writes the Service.

Source: Kubernetes' pkg/apis/core/validation (validateService). An address within a range stands for the range there (IsValidCIDRForLegacyField).
"""

from __future__ import annotations

import typing as t

from .hosts import is_address
from .ranges import find_range_errors

# Its value counts if the Service has no ranges in its spec.
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_LOAD_BALANCER, _HEADLESS = "LoadBalancer", "None"


def find_service_errors(place: str, service: t.Any, names: t.Mapping[str, str] | None = None) -> t.Iterator[str]:
    """What is wrong with the addresses and ranges of a Service's spec; what is of another structure is another error.

    Args:
        place: how messages name it.
        service: its fields.
        names: what messages call fields that have another name there.
    """
    if not isinstance(service, dict):
        return

    def name_of(field: str) -> str:
        return f"{place}.{(names or {}).get(field, field)}"

    # In the spec they may have blanks around them.
    ranges = [text.strip() if isinstance(text, str) else text for text in _list(service.get("loadBalancerSourceRanges"))]
    yield from find_range_errors(name_of("loadBalancerSourceRanges"), ranges, host_bits=True)
    for address in _list(service.get("externalIPs")):
        if not _is_bare_address(address):
            yield f"{name_of('externalIPs')} has {str(address)!r}, which is not an IP address: use an address such as 203.0.113.7."
    cluster_ip, kind = str(service.get("clusterIP") or ""), service.get("type")
    if cluster_ip == _HEADLESS and kind in (_LOAD_BALANCER, "NodePort"):
        yield f"{name_of('clusterIP')} is None, but type is {kind}, which needs an address in the cluster: omit {name_of('clusterIP')}, or use type ClusterIP."
    elif cluster_ip not in ("", _HEADLESS) and not _is_bare_address(cluster_ip):
        yield f"{name_of('clusterIP')} is {cluster_ip!r}, which is not an IP address: omit it, or use an address of the cluster's range for Services."


def find_annotated_range_errors(place: str, annotations: t.Any) -> t.Iterator[str]:
    """What is wrong with the ranges that the annotation of a Service lists.

    Args:
        place: how messages name the annotations.
        annotations: the annotations.
    """
    written = annotations.get(_SOURCE_RANGES) if isinstance(annotations, dict) else None
    if isinstance(written, str) and written.strip():
        yield from find_range_errors(f"{place}.{_SOURCE_RANGES}", [text.strip() for text in written.split(",")], host_bits=True)


def find_type_errors(place: str, kind: str, service: t.Any, annotations: t.Any) -> t.Iterator[str]:
    """Ranges of sources of a Service that gets no load balancer.

    Args:
        place: how messages name the Service.
        kind: its type.
        service: its fields.
        annotations: its annotations.
    """
    by_field = isinstance(service, dict) and bool(_list(service.get("loadBalancerSourceRanges")))
    if kind != _LOAD_BALANCER and (by_field or (isinstance(annotations, dict) and _SOURCE_RANGES in annotations)):
        yield f"{place} is of type {kind}, but has ranges of sources, which the API server takes only for type LoadBalancer: omit them, or use that type."


def _is_bare_address(value: t.Any) -> bool:
    return isinstance(value, str) and is_address(value) and not value.startswith("[")


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


__all__ = ("find_annotated_range_errors", "find_service_errors", "find_type_errors")
