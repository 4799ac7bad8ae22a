"""For which Gateways istiod creates objects."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.gateways import is_managed


@pytest.mark.parametrize(
    ("addresses", "managed"),
    [
        (None, True),
        ([], True),
        ([{"value": "10.0.0.1"}], True),
        ([{"type": "IPAddress", "value": "10.0.0.1"}], True),
        ([{"type": "Hostname", "value": "a.example.com"}], False),
        ([{"type": "NamedAddress", "value": "a"}], False),
        ([{"value": "10.0.0.1"}, {"value": "10.0.0.2"}], False),
        ([{"value": "10.0.0.1"}, {"type": "Hostname", "value": "a.example.com"}], False),
    ],
)
def test_istiod_creates_objects_unless_the_addresses_name_something_else(addresses: list[dict[str, str]] | None, managed: bool) -> None:
    assert is_managed({"metadata": {}, "spec": {"addresses": addresses}}) is managed
