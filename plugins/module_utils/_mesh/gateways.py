# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""How istiod interprets the fields of a Gateway of one of its classes."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .labels import Object


def is_managed(gateway: Object) -> bool:
    """Whether istiod creates the objects of a Gateway, rather than to expect a Service that somebody else has created.

    It does unless spec.addresses has an address that is not an IP address, such as the host name of that Service, or several.

    Source: istio pilot/pkg/config/kube/gatewaycommon/gateway_utils.go (IsManaged).
    """
    addresses = gateway["spec"].get("addresses") or ()
    return len(addresses) < 2 and all(address.get("type") in (None, "IPAddress") for address in addresses)


__all__ = ("is_managed",)
