"""The versions in which objects are written, and those of charts and definitions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils import _kinds
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.istio import istio_releases
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.ingress_lists import parse_ingress_lists
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.render import render_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.spec import Waypoint
from generate.declarations import role_variables
from tests.unit.inventory_values import values_of
from twin.paths import REPOSITORY

_GROUPS = ("gateway.networking.k8s.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io")
# Kinds of these groups of which Istio has no v1 (manifests/charts/base/files/crd-all.gen.yaml).
_WITHOUT_V1 = ("EnvoyFilter",)
_PLACE = {"name": "public", "namespace": "istio-ingress"}
_RULES = {"hosts": ["a.com"], "rules": [{"backends": [{"service": "a", "port": 80}]}]}


@pytest.mark.requirement("M17", "N5")
def test_every_object_is_written_in_v1() -> None:
    lists: dict[str, Any] = {
        "gateways": [
            {**_PLACE, "load_balancer": "alb"},
            {**_PLACE, "name": "edge", "tls": "gateway", "certificate_refs": [{"name": "x"}], "redirect_http": True},
        ],
        "albs": [{**_PLACE, "gateway": "public"}],
        "routes": [{**_PLACE, **_RULES, "gateway": "public"}, {**_PLACE, **_RULES, "name": "classic", "gateway": "classic", "kind": "VirtualService"}],
        "classic_gateways": [{**_PLACE, "name": "classic", "release": "istio-ingress"}],
    }
    written = [desired.manifest for item in parse_ingress_lists(lists).all for desired in item.objects if desired.manifest]
    written.append(render_gateway(Waypoint(WaypointRef("shop", "waypoint"))))
    versions = {(manifest["apiVersion"].partition("/")[0], manifest["kind"]): manifest["apiVersion"].rpartition("/")[2] for manifest in written}
    kinds = {kind for group, kind in versions if group in _GROUPS}
    assert kinds == {"Gateway", "HTTPRoute", "VirtualService"}
    assert set(versions.values()) == {"v1"}, versions
    # Whatever else is read or written of these groups goes by the table of kinds, or by a role.
    table = [kind for kind in vars(_kinds).values() if isinstance(kind, _kinds.Kind) and kind.group in _GROUPS]
    assert len(table) >= 5 and {kind.api_version.rpartition("/")[2] for kind in table if kind.name not in _WITHOUT_V1} == {"v1"}
    former = re.compile(rf"({'|'.join(map(re.escape, _GROUPS))})/v1(alpha|beta)\d(?!\", \"({'|'.join(_WITHOUT_V1)})\")")
    found = [
        str(path)
        for place in ("plugins", "roles", "playbooks")
        for path in (REPOSITORY / place).rglob("*.*")
        if path.suffix in (".py", ".yml", ".j2") and former.search(path.read_text())
    ]
    assert not found, f"an older version is named in {found}"


@pytest.mark.requirement("N5", "C7")
def test_one_variable_pins_each_version() -> None:
    values = values_of({"istio_version": "1.30.3", "istio_gateways": [_PLACE], "istio_chart_source": "https://charts.example.com"})
    releases = istio_releases(values)["desired"]
    assert len(releases) == 5
    assert {release["chart_version"] for release in releases} == {"1.30.3"}
    assert "{{ gateway_api_version }}" in role_variables()["gateway_api"]["gateway_api_source"]["default"]
    assert "istio_version" in role_variables()["bookinfo"]["bookinfo_source"]["default"]
