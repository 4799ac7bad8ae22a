from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import DEPLOYMENT, Kind
from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.waypoints import WaypointRef
from ansible_collections.meshwright.ambient.plugins.module_utils._status.addresses import ServiceExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.any_objects import ConditionExpectation, ValueExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.bindings import BindingExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.custom_resources import DefinitionExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.enrollments import EnrollmentExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.gateways import GatewayExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.policies import PolicyExpectation
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import RULES, verdict_on
from ansible_collections.meshwright.ambient.plugins.module_utils._status.spec import parse_targets, validate_times
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from ansible_collections.meshwright.ambient.plugins.module_utils._status.webhooks import CertificateExpectation
from ansible_collections.meshwright.ambient.plugins.modules.ready import OPTIONS

CERTIFICATE = Kind("cert-manager.io/v1", "Certificate", "certificates")
ISSUER = Kind("cert-manager.io/v1", "ClusterIssuer", "clusterissuers", namespaced=False)
NOTHING = {name: option.get("default") for name, option in OPTIONS["targets"]["options"].items()}  # type: ignore[index]


class Nothing:
    """A cluster without objects."""

    def get(self, *_place: Any) -> None:
        return None

    def all(self, *_place: Any) -> list[Any]:
        return []


def _find(api_version: str, name: str) -> Kind:
    return next(kind for kind in (CERTIFICATE, ISSUER) if (kind.api_version, kind.name) == (api_version, name))


def _parse(**options: Any) -> Target:
    (target,) = parse_targets([{**NOTHING, **options}], _find, 1.0)
    return target


@pytest.mark.parametrize("kind", sorted(RULES))
def test_every_kind_can_be_asked_for(kind: str) -> None:
    target = _parse(kind=kind, name="it", namespace="shop")
    assert (target.kind, target.name, target.namespace, target.api_kind) == (kind, "it", "shop", None)
    assert verdict_on(target, Nothing()).status == "NotFound", "its expectation is the one that its judge takes"


@pytest.mark.parametrize(
    ("options", "expectation"),
    [
        ({"kind": "control_plane"}, CertificateExpectation(1.0)),
        ({"kind": "MutatingWebhookConfiguration"}, CertificateExpectation(1.0)),
        ({"kind": "Deployment"}, None),
        ({"kind": "binding"}, BindingExpectation()),
        ({"kind": "binding", "waypoint": "w"}, BindingExpectation(WaypointRef("shop", "w"))),
        (
            {"kind": "binding", "waypoint": "w", "waypoint_namespace": "infra", "bound_kind": "ServiceEntry"},
            BindingExpectation(WaypointRef("infra", "w"), "ServiceEntry"),
        ),
        ({"kind": "enrollment"}, EnrollmentExpectation()),
        ({"kind": "enrollment", "excluded_namespaces": []}, EnrollmentExpectation(())),
        ({"kind": "CustomResourceDefinition", "served_versions": ["v1"]}, DefinitionExpectation(("v1",))),
        ({"kind": "CustomResourceDefinition", "bundle_version": ">=v1.4.0"}, DefinitionExpectation(bundle_version=">=v1.4.0")),
        ({"kind": "Gateway", "load_balancer": True}, GatewayExpectation(load_balancer=True)),
        ({"kind": "Service", "load_balancer": True}, ServiceExpectation(load_balancer=True)),
        ({"kind": "PeerAuthentication", "root_namespace": "mesh-root"}, PolicyExpectation("mesh-root")),
        ({"kind": "RequestAuthentication"}, PolicyExpectation("istio-system")),
    ],
)
def test_options_become_the_expectation_of_their_kind(options: dict[str, Any], expectation: object) -> None:
    assert _parse(**{"name": "it", "namespace": "shop", **options}).expectation == expectation


def test_any_object_is_found_by_asking_the_cluster() -> None:
    target = _parse(kind="Certificate", api_version="cert-manager.io/v1", name="web", namespace="shop", condition={"type": "Ready", "status": "True"})
    assert target == Target("Certificate", "web", "shop", ConditionExpectation("Ready"), CERTIFICATE)
    assert _parse(kind="ClusterIssuer", api_version="cert-manager.io/v1", name="ca", namespace="shop").namespace == ""


def test_a_kind_that_is_known_is_not_asked_for() -> None:
    target = _parse(kind="Deployment", api_version="apps/v1", name="web", namespace="shop", json_path="{.status.replicas}", value="3")
    assert target == Target("Deployment", "web", "shop", ValueExpectation("{.status.replicas}", "3"), DEPLOYMENT)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"kind": "Certificate", "name": "web"},
            f"targets[0] has the kind Certificate, which this module does not know (it knows {', '.join(RULES)}): correct it, or set its api_version.",
            id="unknown-kind",
        ),
        pytest.param({"kind": "waypoint"}, "targets[0] has the kind waypoint, which requires name and namespace: set them.", id="too-little"),
        pytest.param(
            {"kind": "Certificate", "api_version": "cert-manager.io/v1"}, "targets[0] has the kind Certificate, which requires name: set it.", id="no-name"
        ),
        pytest.param(
            {"kind": "Certificate", "api_version": "cert-manager.io/v1", "name": "web"},
            "targets[0] has the kind Certificate, which is namespaced: set namespace.",
            id="no-namespace",
        ),
        pytest.param(
            {"kind": "Deployment", "name": "web", "namespace": "shop", "served_versions": ["v1"]},
            "targets[0] has the kind Deployment, which does not take served_versions: served_versions is for CustomResourceDefinition.",
            id="option-of-another-kind",
        ),
        pytest.param(
            {"kind": "waypoint", "name": "w", "namespace": "shop", "waypoint": "w"},
            "targets[0] has the kind waypoint, which does not take waypoint: waypoint is for binding.",
            id="useless-waypoint",
        ),
        pytest.param(
            {"kind": "Deployment", "name": "web", "namespace": "shop", "json_path": "{.a}"},
            "targets[0] has the kind Deployment, which does not take json_path: json_path requires api_version.",
            id="useless-path",
        ),
        pytest.param(
            {"kind": "Deployment", "api_version": "apps/v1", "name": "a", "namespace": "b", "json_path": "{.a}", "condition": {"type": "Available"}},
            "targets[0] has the kind Deployment, and sets both condition and json_path: set one of them, or split it into two targets.",
            id="condition-and-path",
        ),
        pytest.param(
            {"kind": "Deployment", "api_version": "apps/v1", "name": "a", "namespace": "b", "value": "3"},
            "targets[0] has the kind Deployment, and sets value without json_path: set json_path.",
            id="value-alone",
        ),
        pytest.param(
            {"kind": "CustomResourceDefinition", "name": "a.b", "bundle_version": "newest"},
            "targets[0] has the kind CustomResourceDefinition, and its bundle_version 'newest' is not a version: write it as v1.6.1 or >=v1.4.0.",
            id="no-version",
        ),
        pytest.param(
            {"kind": "Deployment", "api_version": "apps/v1", "name": "a", "namespace": "b", "json_path": "{.a[}"},
            "json_path '{.a[}' cannot be parsed (Parse error near the end of string!): write it as for kubectl, such as {.status.phase}.",
            id="no-path",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MeshError) as refused:
        _parse(**options)
    assert refused.value.message == message


def test_without_targets_there_is_nothing_to_wait_for() -> None:
    with pytest.raises(MeshError, match="The list targets is empty"):
        parse_targets([], _find, 1.0)


@pytest.mark.parametrize(("timeout", "stable_for"), [(60, -1), (60, 60), (60, 61), (0, 1)])
def test_targets_cannot_be_stable_for_longer_than_the_wait(timeout: float, stable_for: float) -> None:
    with pytest.raises(MeshError, match=f"stable_for is {stable_for} s, and timeout is {timeout} s: "):
        validate_times(timeout, stable_for)


@pytest.mark.parametrize(("timeout", "stable_for"), [(60, 0), (60, 59.5), (0, 0)])
def test_times_that_leave_room_are_accepted(timeout: float, stable_for: float) -> None:
    validate_times(timeout, stable_for)
