"""Webhooks that another installation has left behind, and those that concern nobody here."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._status.foreign_webhooks import foreign_probes
from tests.unit.objects import Object, recorded

OWN = recorded("validatingwebhookconfiguration/istiod_serving")
INJECTOR = recorded("mutatingwebhookconfiguration/injector_serving")
GUARD = {"apiGroups": ["security.istio.io", "networking.istio.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}


def _configuration(rule: Object, path: str = "/validate", kind: str = "ValidatingWebhookConfiguration", **changes: Any) -> Object:
    service = {"name": "istiod", "namespace": "mesh-old", "path": path}
    hook = {"name": "rev.validation.istio.io", "failurePolicy": "Fail", "clientConfig": {"service": service}, "rules": [rule], **changes}
    return {"kind": kind, "metadata": {"name": "left-behind"}, "webhooks": [hook]}


@pytest.mark.parametrize(
    ("configuration", "blocked"),
    [
        pytest.param(_configuration(GUARD), "Istio's objects", id="validator"),
        pytest.param(_configuration({**GUARD, "apiGroups": ["*"]}), "Istio's objects", id="of-all-groups"),
        pytest.param(_configuration({**GUARD, "apiGroups": ["*"], "resources": ["*/*"]}), "Istio's objects", id="of-all-groups-and-subresources"),
        pytest.param(_configuration({**GUARD, "apiGroups": ["*"], "resources": ["virtualservices"]}), "Istio's objects", id="of-a-resource-of-all-groups"),
        pytest.param(_configuration({**GUARD, "operations": ["*"]}), "Istio's objects", id="of-all-operations"),
        pytest.param(
            _configuration({**GUARD, "apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways", "httproutes"]}),
            "objects of the Gateway API",
            id="of-the-gateway-api",
        ),
        pytest.param(_configuration(GUARD, kind="MutatingWebhookConfiguration"), "Istio's objects", id="mutating"),
        pytest.param(_configuration(PODS, "/inject/cluster/old", "MutatingWebhookConfiguration"), "pods", id="injector"),
    ],
)
def test_what_would_block_the_mesh_is_probed(configuration: Object, blocked: str) -> None:
    (probe,) = foreign_probes([OWN], [OWN, configuration])
    assert probe.title.startswith(
        f"{configuration['kind']} left-behind of another installation intercepts {blocked}, and its Service mesh-old/istiod, port 443"
    )
    assert probe.path.startswith("/api/v1/namespaces/mesh-old/services/https:istiod:443/proxy/")
    assert f"{blocked} cannot be written" in probe.remedy


def test_a_webhook_without_a_policy_fails_closed() -> None:
    configuration = _configuration(GUARD)
    del configuration["webhooks"][0]["failurePolicy"]
    assert len(foreign_probes([], [configuration])) == 1


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(_configuration(GUARD, failurePolicy="Ignore"), id="fails-open"),
        pytest.param(_configuration({**GUARD, "apiGroups": ["apps"]}), id="other-groups"),
        pytest.param(_configuration({**GUARD, "apiGroups": ["*"], "resources": ["pods", "deployments"]}), id="other-resources-of-all-groups"),
        pytest.param(_configuration({**GUARD, "operations": ["DELETE"]}), id="what-is-deleted"),
        pytest.param(_configuration(PODS, "/mutate", "MutatingWebhookConfiguration"), id="pods-of-others"),
        pytest.param(_configuration(GUARD, clientConfig={"url": "https://policies.example/validate"}), id="outside-the-cluster"),
        pytest.param({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "empty"}}, id="without-webhooks"),
    ],
)
def test_what_blocks_nothing_is_left_alone(configuration: Object) -> None:
    assert foreign_probes([], [configuration]) == []


def test_the_own_webhooks_are_no_foreign_ones() -> None:
    assert foreign_probes([OWN, INJECTOR], [copy.deepcopy(OWN), copy.deepcopy(INJECTOR)]) == []
