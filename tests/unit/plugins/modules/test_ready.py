from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import DEPLOYMENT, Kind
from ansible_collections.meshwright.ambient.plugins.module_utils._status.targets import RULES, Target
from ansible_collections.meshwright.ambient.plugins.module_utils._waypoint.gateway import WaypointRef
from ansible_collections.meshwright.ambient.plugins.modules.ready import OPTIONS, parse_target

CERTIFICATE = Kind("cert-manager.io/v1", "Certificate", "certificates")
ISSUER = Kind("cert-manager.io/v1", "ClusterIssuer", "clusterissuers", namespaced=False)
NOTHING = {name: option.get("default") for name, option in OPTIONS["targets"]["options"].items()}  # type: ignore[index]


def _find(api_version: str, name: str) -> Kind:
    return next(kind for kind in (CERTIFICATE, ISSUER) if (kind.api_version, kind.name) == (api_version, name))


def _parse(**options: Any) -> Target:
    return parse_target(0, {**NOTHING, **options}, _find, 1.0)


@pytest.mark.parametrize("kind", sorted(RULES))
def test_every_kind_can_be_asked_for(kind: str) -> None:
    target = _parse(kind=kind, name="it", namespace="shop")
    assert target == Target(kind, "it", "shop", None, {"now": 1.0})


def test_wishes_are_taken_over() -> None:
    assert _parse(kind="binding", namespace="shop", waypoint="w").waypoint == WaypointRef("shop", "w")
    assert _parse(kind="binding", namespace="shop", waypoint="w", waypoint_namespace="infra", bound_kind="ServiceEntry") == Target(
        "binding", "", "shop", WaypointRef("infra", "w"), {"bound_kind": "ServiceEntry", "now": 1.0}
    )
    assert _parse(kind="Gateway", name="front", namespace="shop", load_balancer=True).wish["load_balancer"] is True


def test_any_object_is_found_by_asking_the_cluster() -> None:
    target = _parse(kind="Certificate", api_version="cert-manager.io/v1", name="web", namespace="shop", condition={"type": "Ready", "status": "True"})
    assert target == Target("Certificate", "web", "shop", None, {"condition": {"type": "Ready", "status": "True"}}, CERTIFICATE)
    assert _parse(kind="ClusterIssuer", api_version="cert-manager.io/v1", name="ca", namespace="shop").namespace == ""


def test_a_kind_that_is_known_is_not_asked_for() -> None:
    target = _parse(kind="Deployment", api_version="apps/v1", name="web", namespace="shop", json_path="{.status.replicas}", value="3")
    assert target.api_kind == DEPLOYMENT


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"kind": "Certificate", "name": "web"},
            f"targets[0] is of kind Certificate, which this module does not know by itself (it knows {', '.join(RULES)}): correct it, or add its api_version.",
            id="unknown-kind",
        ),
        pytest.param({"kind": "waypoint"}, "targets[0] is of kind waypoint, which needs name and namespace: add it.", id="too-little"),
        pytest.param(
            {"kind": "Certificate", "api_version": "cert-manager.io/v1"}, "targets[0] is of kind Certificate, which needs name: add it.", id="no-name"
        ),
        pytest.param(
            {"kind": "Certificate", "api_version": "cert-manager.io/v1", "name": "web"},
            "targets[0] is of kind Certificate, which lives in a namespace: add namespace.",
            id="no-namespace",
        ),
        pytest.param(
            {"kind": "Deployment", "name": "web", "namespace": "shop", "served_versions": ["v1"]},
            "targets[0] is of kind Deployment, which has no use for served_versions: served_versions is for CustomResourceDefinition.",
            id="useless-wish",
        ),
        pytest.param(
            {"kind": "waypoint", "name": "w", "namespace": "shop", "waypoint": "w"},
            "targets[0] is of kind waypoint, which has no use for waypoint: waypoint is for binding.",
            id="useless-waypoint",
        ),
        pytest.param(
            {"kind": "Deployment", "name": "web", "namespace": "shop", "json_path": "{.a}"},
            "targets[0] is of kind Deployment, which has no use for json_path: json_path needs api_version beside it.",
            id="useless-path",
        ),
        pytest.param(
            {"kind": "Deployment", "api_version": "apps/v1", "name": "a", "namespace": "b", "json_path": "{.a}", "condition": {"type": "Available"}},
            "targets[0] is of kind Deployment, and has both condition and json_path: give one of them, or make two targets of it.",
            id="condition-and-path",
        ),
        pytest.param(
            {"kind": "Deployment", "api_version": "apps/v1", "name": "a", "namespace": "b", "value": "3"},
            "targets[0] is of kind Deployment, and has a value, but no json_path that finds it: add json_path.",
            id="value-alone",
        ),
        pytest.param(
            {"kind": "CustomResourceDefinition", "name": "a.b", "bundle_version": "newest"},
            "targets[0] is of kind CustomResourceDefinition, and its bundle_version 'newest' is no version: write it as v1.6.1 or >=v1.4.0.",
            id="no-version",
        ),
        pytest.param(
            {"kind": "Deployment", "api_version": "apps/v1", "name": "a", "namespace": "b", "json_path": "{.a[}"},
            "json_path '{.a[}' cannot be understood (Parse error near the end of string!): write it as for kubectl, such as {.status.phase}.",
            id="no-path",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MeshError) as refused:
        _parse(**options)
    assert refused.value.message == message
