"""Which differences server-side apply would make, and what diffs show of them."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import ALB as ALB_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._alb.spec import parse_alb
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import GATEWAY as GATEWAY_OPTIONS
from ansible_collections.meshwright.ambient.plugins.module_utils._gateway.spec import parse_gateway
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.compare import flatten_current, flatten_manifest, is_as_desired, is_ours
from ansible_collections.meshwright.ambient.plugins.module_utils._ingress.spec import complete
from tests.unit.ingress_objects import applied, by_hand

GATEWAY: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "load_balancer": "alb"}
ALB: dict[str, Any] = {"name": "public", "namespace": "istio-ingress", "gateway": "public"}
NLB: dict[str, Any] = {"name": "edge", "namespace": "istio-ingress", "load_balancer": "nlb"}


def ingress(**options: Any) -> dict[str, Any]:
    return parse_alb(complete([{**ALB, **options}], ALB_OPTIONS)[0]).main.manifest


def gateway(**options: Any) -> dict[str, Any]:
    return parse_gateway(complete([{**GATEWAY, **options}], GATEWAY_OPTIONS)[0]).main.manifest


def test_what_was_applied_is_as_desired() -> None:
    items = [*map(parse_gateway, complete([GATEWAY, NLB], GATEWAY_OPTIONS)), *map(parse_alb, complete([ALB], ALB_OPTIONS))]
    for desired in [desired for item in items for desired in item.objects if desired.manifest]:
        assert is_as_desired(applied(desired.manifest), desired.manifest), desired.key


def test_what_the_api_or_others_add_is_no_difference() -> None:
    manifest = ingress()
    current = applied(manifest)
    current["metadata"]["annotations"]["somebody/else"] = "x"
    current["metadata"]["finalizers"] = ["ingress.k8s.aws/resources"]
    current["status"] = {"loadBalancer": {}}
    assert is_as_desired(current, manifest)


def test_a_value_that_differs_is_a_difference_and_is_shown() -> None:
    current, desired = (ingress(idle_timeout=seconds) for seconds in (60, 90))
    assert not is_as_desired(applied(current), desired)
    before, after = flatten_current(applied(current), desired), flatten_manifest(desired)
    changed = {line for line in {*before, *after} if before.get(line) != after.get(line)}
    assert changed == {"metadata.annotations.alb.ingress.kubernetes.io/load-balancer-attributes"}


def test_an_annotation_that_is_no_longer_desired_goes() -> None:
    current, desired = ingress(shield=True), ingress()
    assert not is_as_desired(applied(current), desired)
    gone = "metadata.annotations.alb.ingress.kubernetes.io/shield-advanced-protection"
    assert flatten_current(applied(current), desired)[gone] == "true"
    assert gone not in flatten_manifest(desired)


def test_a_listener_more_is_a_difference() -> None:
    current = applied(gateway(hosts=["a.com", "b.com"]))
    assert not is_as_desired(current, gateway(hosts=["a.com"]))


def test_whose_an_object_is() -> None:
    manifest = ingress()
    assert is_ours(applied(manifest))
    assert not is_ours(by_hand(manifest))
