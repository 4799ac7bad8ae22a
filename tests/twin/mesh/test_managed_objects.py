"""What a real istiod creates for a waypoint, and a real API server refuses: istiod only logs it, the collection names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._managed_gateway.render import render_managed
from ansible_collections.meshwright.ambient.plugins.module_utils._managed_gateway.spec import parse_injector
from tests.polling import until
from tests.twin.conftest import Twin
from twin.collection import CONFIG_MAP, NAMESPACE, Kind, Object, Write

SPACE, NAME = "governed", "deployments-need-a-team"
INJECTOR = "istio-sidecar-injector"
GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
SERVICE = Kind("v1", "Service", "services")
POLICY = Kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False)
BINDING = Kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", namespaced=False)
_POLICY: Object = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": NAME},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]
        },
        "validations": [{"expression": "'team' in object.metadata.labels", "message": "every Deployment needs the label team"}],
    },
}
_BINDING: Object = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": NAME},
    "spec": {
        "policyName": NAME,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": SPACE}}},
    },
}


@pytest.fixture(scope="module")
def governed(mesh: Twin) -> Iterator[Twin]:
    """A namespace in which no Deployment may be without a label."""
    session = mesh.session
    session.write(Write("create", NAMESPACE, SPACE, body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}))
    session.write(Write("create", POLICY, NAME, body=_POLICY))
    session.write(Write("create", BINDING, NAME, body=_BINDING))
    # A policy counts once the API server has noticed it.
    until(lambda: "label team" in str(_check(mesh, {}).get("msg")), "the policy to be in effect")
    yield mesh
    session.write(Write("delete", BINDING, NAME))
    session.write(Write("delete", POLICY, NAME))
    session.write(Write("delete", NAMESPACE, SPACE))


def _check(mesh: Twin, options: dict[str, Any]) -> dict[str, Any]:
    return mesh.module("waypoint", {"waypoints": [{"namespace": SPACE, **options}]}, check=True)


def test_a_policy_that_refuses_what_istiod_creates_is_named_before_the_first_write(governed: Twin) -> None:
    for result in (_check(governed, {}), governed.module("waypoint", {"waypoints": [{"namespace": SPACE}]})):
        assert result["failed"]
        assert f"Waypoint {SPACE}/waypoint: the API server would not let istiod create Deployment {SPACE}/waypoint" in result["msg"]
        assert f"satisfy admission policy {NAME}" in result["msg"]
    assert governed.session.get(GATEWAY, "waypoint", SPACE) is None
    assert _check(governed, {"labels": {"team": "shop"}})["changed"], "with the label, nothing is refused"


def test_a_policy_that_has_refused_it_is_the_cause_of_a_late_waypoint(governed: Twin) -> None:
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "late", "namespace": SPACE}}
    governed.session.write(Write("create", GATEWAY, "late", SPACE, {**body, "spec": {"gatewayClassName": "istio-waypoint", "listeners": [listener]}}))
    target = {"kind": "waypoint", "name": "late", "namespace": SPACE}

    def judged() -> dict[str, Any] | None:
        result = governed.module("ready", {"targets": [target], "timeout": 0})
        return result if result["targets"][0]["reason"] not in ("Pending", "GenerationNotObserved") else None

    try:
        result = until(judged, "istiod to look at the Gateway")
        assert f"the API server refuses Deployment {SPACE}/late, as istiod would create it" in result["msg"], result["msg"]
        assert f"Satisfy admission policy {NAME}" in result["msg"]
        assert result["targets"][0]["status"] == "InProgress"
    finally:
        governed.session.write(Write("delete", GATEWAY, "late", SPACE))


def test_the_objects_that_are_tried_are_those_that_istiod_creates(mesh: Twin) -> None:
    """The rendering follows istiod's templates; a field that they no longer have, or have otherwise, is found here."""
    session = mesh.session
    gateway, injector = session.get(GATEWAY, "waypoint", "bookinfo"), session.get(CONFIG_MAP, INJECTOR, "istio-system")
    assert gateway is not None
    assert injector is not None
    made = render_managed(gateway, values=parse_injector(injector).values)
    for key, kind in (("deployment", DEPLOYMENT), ("service", SERVICE)):
        real = session.get(kind, "waypoint", "bookinfo")
        assert real is not None
        differing = list(_differences(made[key], real))
        assert differing == [], json.dumps(differing, indent=2)


def _differences(made: Any, real: Any, path: str = "") -> Iterator[str]:
    """What the real object lacks, or has otherwise; the API server and istiod add to it."""
    if isinstance(made, dict):
        for name, value in made.items():
            if name != "args":
                yield from _differences(value, real.get(name) if isinstance(real, dict) else None, f"{path}.{name}")
    elif isinstance(made, list) and made and all(isinstance(item, dict) and ("name" in item or "mountPath" in item) for item in made):
        for item in made:
            found = [other for other in real or () if other.get("name") == item.get("name") and other.get("mountPath") == item.get("mountPath")]
            yield from _differences(item, found[0] if found else None, f"{path}[{item.get('mountPath') or item.get('name')}]")
    elif isinstance(made, list) and isinstance(real, list) and len(made) == len(real):
        for index, (item, found) in enumerate(zip(made, real, strict=True)):
            yield from _differences(item, found, f"{path}[{index}]")
    elif made != real and not (made in ({}, [], 0) and real is None):
        yield f"{path} is {real!r}, not {made!r}"


@pytest.mark.parametrize("lacking", ["everything", "waypoint"])
def test_an_istiod_without_its_templates_is_not_ready(mesh: Twin, lacking: str) -> None:
    session, target = mesh.session, {"kind": "control_plane", "namespace": "istio-system"}
    before = session.get(CONFIG_MAP, INJECTOR, "istio-system")
    assert before is not None
    whole = {**before, "metadata": {key: before["metadata"][key] for key in ("name", "namespace", "labels", "annotations") if key in before["metadata"]}}
    session.write(Write("delete", CONFIG_MAP, INJECTOR, "istio-system"))
    try:
        if lacking != "everything":
            config = whole["data"]["config"].replace("  waypoint: |", "  waypoint-of-old: |")
            session.write(Write("create", CONFIG_MAP, INJECTOR, "istio-system", {**whole, "data": {**whole["data"], "config": config}}))
        result = mesh.module("ready", {"targets": [target], "timeout": 0})
        assert result["failed"]
        assert result["targets"][0]["reason"] == "NotConfigured"
        expected = "does not exist" if lacking == "everything" else "has no template waypoint"
        assert f"ConfigMap istio-system/{INJECTOR} {expected}" in result["msg"]
    finally:
        session.write(Write("delete", CONFIG_MAP, INJECTOR, "istio-system"))
        session.write(Write("create", CONFIG_MAP, INJECTOR, "istio-system", whole))
    assert not mesh.module("ready", {"targets": [target], "timeout": 30}).get("failed")
