"""Annotations and labels that a controller ignores because they are misspelled are a warning; the user's own are none, however close they look."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.known_keys import FAMILIES, KNOWN_KEYS
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.misspelled_keys import misspelled_key_warnings
from ansible_collections.meshwright.ambient.plugins.module_utils._inventory.warnings import find_warnings
from tests.unit.inventories import WHOLE
from tests.unit.inventory_values import converted

ALB = "alb.ingress.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"


def warnings_of(**variables: Any) -> list[str]:
    return misspelled_key_warnings(converted(variables).values)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        (f"{ALB}succes-codes", f"{ALB}success-codes"),
        (f"{ALB}load-balancer-attribute", f"{ALB}load-balancer-attributes"),
        (f"{ALB}loadbalancer-attributes", f"{ALB}load-balancer-attributes"),
        (f"{ALB}health-check-path", f"{ALB}healthcheck-path"),
        (f"{ALB}Scheme", f"{ALB}scheme"),
        (f"{ALB}action.maintenance", f"{ALB}actions.maintenance"),
        ("alb.ingres.kubernetes.io/scheme", f"{ALB}scheme"),
        (f"{NLB}nlb-target-typ", f"{NLB}nlb-target-type"),
        (f"{NLB}listener-attribute.TCP-80", f"{NLB}listener-attributes.TCP-80"),
        ("service.beta.kubernetes.io/aws-load-balancer-target-group-attribtues", f"{NLB}target-group-attributes"),
        ("istio.io/dataplane_mode", "istio.io/dataplane-mode"),
        ("istio.io/use-waypiont", "istio.io/use-waypoint"),
        ("ambient.istio.io/redirecton", "ambient.istio.io/redirection"),
        ("sidecar.istio.io/injcet", "sidecar.istio.io/inject"),
    ],
)
def test_a_key_that_is_nearly_that_of_a_controller_is_a_warning(key: str, meant: str) -> None:
    (warning,) = warnings_of(mesh_waypoints=[{"namespace": "shop", "annotations": {key: "a"}}])
    assert warning == f"mesh_waypoints[0].annotations has {key!r}, which no controller reads: did you mean {meant}?"


@pytest.mark.parametrize(
    "key",
    [
        *("team", "cost-center", "app.kubernetes.io/name", "external-dns.alpha.kubernetes.io/hostname", "cert-manager.io/cluster-issuer"),
        *(f"{ALB}something-of-tomorrow", f"{NLB}something-of-tomorrow", "istio.io/something-of-tomorrow", "shop.example.com/use-waypoint"),
        *(f"{ALB}actions.shop", f"{ALB}conditions.shop-istio", f"{ALB}listener-attributes.HTTPS-443", f"{NLB}listener-attributes.TCP-80"),
        *("sidecar.opentelemetry.io/inject", "prometheus.io/scrape", "topology.kubernetes.io/zone", "karpenter.sh/do-not-disrupt"),
    ],
)
def test_another_key_is_none(key: str) -> None:
    assert warnings_of(mesh_waypoints=[{"namespace": "shop", "annotations": {key: "a"}, "labels": {key: "a"}, "service_annotations": {key: "a"}}]) == []


@pytest.mark.parametrize("key", [*sorted(KNOWN_KEYS), *(f"{family}.shop" for family in FAMILIES)])
def test_a_key_of_a_controller_is_none(key: str) -> None:
    assert warnings_of(mesh_waypoints=[{"namespace": "shop", "annotations": {key: "a"}}]) == []


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"ingress_albs": [{"name": "a", "namespace": "a", "annotations": {f"{ALB}shceme": "a"}}]}, "ingress_albs[0].annotations"),
        ({"ingress_gateways": [{"name": "a", "namespace": "a", "nlb": {"annotations": {f"{NLB}shceme": "a"}}}]}, "ingress_gateways[0].nlb.annotations"),
        (
            {"mesh_waypoints": [{"namespace": "a", "overlays": {"service": {"metadata": {"annotations": {f"{NLB}shceme": "a"}}}}}]},
            "mesh_waypoints[0].overlays.service.metadata.annotations",
        ),
        ({"istio_gateways": [{"name": "a", "namespace": "a", "service": {"annotations": {f"{NLB}shceme": "a"}}}]}, "istio_gateways[0].service.annotations"),
        ({"istio_ztunnel_values": {"annotations": {"sidecar.istio.io/injct": "a"}}}, "istio_ztunnel_values.annotations"),
        ({"mesh_waypoints": [{"namespace": "a", "labels": {"istio.io/rve": "a"}}]}, "mesh_waypoints[0].labels"),
    ],
)
def test_it_is_found_wherever_annotations_and_labels_are_written(variables: dict[str, Any], place: str) -> None:
    (warning,) = warnings_of(**variables)
    assert warning.startswith(f"{place} has ")


def test_the_playbooks_show_it() -> None:
    given = {**WHOLE, "mesh_waypoints": [{"namespace": "shop", "annotations": {"istio.io/use_waypoint": "a"}}]}
    assert [warning for warning in find_warnings(converted(given).values) if "use_waypoint" in warning]
    assert find_warnings(converted(WHOLE).values) == []
