"""The values that roles give their charts, when the command line gives all variables as text."""

from __future__ import annotations

from typing import Any


def test_the_load_balancer_controller(evaluate: Any) -> None:
    release = evaluate(
        "alb_controller",
        "__alb_controller_release",
        alb_controller_identity="none",
        alb_controller_cluster_name="012345",
        alb_controller_replicas="1",
        alb_controller_gateway_api="false",
        alb_controller_service_webhook="no",
        alb_controller_tags='\'{"cost-center": "0815", "shared": true}\'',
        alb_controller_values='\'{"podLabels": {"team": "1e3"}}\'',
    )
    values = release["values"]
    assert (values["clusterName"], values["replicaCount"], values["enableServiceMutatorWebhook"]) == ("012345", 1, False)
    assert values["defaultTags"] == {"cost-center": "0815", "shared": "true"}
    assert values["podLabels"] == {"team": "1e3"} and values["podAnnotations"] == {}
    assert values["controllerConfig"]["featureGates"]["NLBGatewayAPI"] is False
    assert "region" not in values and "vpcId" not in values


def test_karpenter(evaluate: Any) -> None:
    release = evaluate(
        "karpenter",
        "__karpenter_release",
        karpenter_cluster_name="012345",
        karpenter_region="eu-central-1",
        karpenter_identity="none",
        karpenter_replicas="1",
        karpenter_service_account_create="no",
        karpenter_interruptions="false",
        karpenter_resources='\'{"requests": {"cpu": "0.50"}}\'',
        karpenter_values='\'{"podLabels": {"team": "1e3"}}\'',
    )
    values = release["values"]
    assert (values["replicas"], values["serviceAccount"]["create"]) == (1, False)
    assert values["settings"] == {"clusterName": "012345", "interruptionQueue": ""}
    assert values["controller"]["resources"] == {"requests": {"cpu": "0.50"}}
    assert values["podLabels"] == {"team": "1e3"} and values["podAnnotations"] == {}


def test_istio(evaluate: Any) -> None:
    releases = evaluate(
        "istio",
        "__istio_releases.desired",
        istio_startup_taint="false",
        istio_istiod_replicas="2",
        istio_istiod_values='\'{"env": {"ACCOUNT": "012345678901"}}\'',
        istio_gateways=[{"name": "door", "namespace": "doors", "replicas": "0", "service": {"health_check_node_port": "30000"}}],
    )
    assert [release["name"] for release in releases] == ["istio-base", "istiod", "istio-cni", "ztunnel", "door"]
    assert releases[1]["values"]["pilot"] == {"autoscaleEnabled": False, "replicaCount": 2, "env": {"ACCOUNT": "012345678901"}}
    assert releases[4]["values"] == {"service": {"healthCheckNodePort": 30000}, "autoscaling": {"enabled": False}, "replicaCount": 0}
