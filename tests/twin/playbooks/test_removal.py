"""What an inventory no longer says is gone from AWS; what is guarded against deletion stays, until somebody says that it is to go."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.polling import until
from tests.twin.support.edge import Edge
from tests.twin.support.rehearsed import Rehearsed

_LOGS = "shop-example-com-access-logs"


@pytest.fixture(scope="module")
def edge(prod: Rehearsed) -> Iterator[Edge]:
    """A namespace for the gateways of these tests."""
    made = Edge(prod, "removal")
    yield made
    prod.kubectl("delete", "namespace", made.namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture
def web_acl(edge: Edge) -> Iterator[str]:
    with edge.web_acl("removal") as arn:
        try:
            yield arn
        finally:
            edge.remove("removal")


def _play(edge: Edge, gateway: dict[str, Any], alb: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """The role ingress with an inventory of these two."""
    given = {"ingress_gateways": [gateway], "ingress_albs": [alb], "ingress_routes": []}
    return edge.account.play("site.yml", "--tags", "ingress", "-e", json.dumps(given))


def _done(edge: Edge, gateway: dict[str, Any], alb: dict[str, Any]) -> None:
    done = _play(edge, gateway, alb)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def _state(edge: Edge, arn: str) -> tuple[str | None, bool, str]:
    """The web ACL, whether Shield protects it, and whether it writes access logs."""
    return edge.web_acl_of(arn), edge.is_shielded(arn), edge.balancer("removal").attributes["access_logs.s3.enabled"]


@pytest.mark.requirement("E28", "E29", "E30", "E31")
def test_what_is_switched_off_or_taken_out_of_the_inventory_is_off_in_aws(edge: Edge, web_acl: str) -> None:
    gateway, plain = edge.gateway("removal"), edge.alb("removal", scheme="internal")
    logs = {"bucket": _LOGS, "prefix": "removal"}
    on = {**plain, "waf_acl_arn": web_acl, "shield": True, "access_logs": logs}
    edge.declare(gateways=[gateway], albs=[on])
    arn = edge.balancer("removal").arn
    until(lambda: _state(edge, arn) == (web_acl, True, "true"), "web ACL, Shield and access logs to be on", 30)
    off = {**plain, "waf_acl_arn": "", "shield": False, "access_logs": {"enabled": False}}
    _done(edge, gateway, off)
    until(lambda: _state(edge, arn) == (None, False, "false"), "web ACL, Shield and access logs to be off", 30)
    edge.declare(gateways=[gateway], albs=[on])
    until(lambda: _state(edge, arn) == (web_acl, True, "true"), "web ACL, Shield and access logs to be on again", 30)
    _done(edge, gateway, plain)
    until(lambda: _state(edge, arn) == (None, False, "false"), "web ACL, Shield and access logs to be off, because the inventory says nothing of them", 30)
    again = edge.module(gateways=[gateway], albs=[plain])
    assert not again["changed"], again["diff"]


@pytest.mark.requirement("E32")
def test_deletion_protection_blocks_the_teardown_until_it_is_overridden(edge: Edge) -> None:
    gateway, alb = edge.gateway("guarded"), edge.alb("guarded", scheme="internal", deletion_protection=True)
    gone = edge.gone("guarded")
    try:
        edge.declare(gateways=[gateway], albs=[alb])
        before = edge.balancer("guarded").options()
        assert before["attributes"]["deletion_protection.enabled"] == "true"
        with edge.account.unchanged():
            refused = _play(edge, gone, gone)
        assert refused.returncode != 0, "a load balancer that is guarded was torn down"
        expected = " ".join(refused.stdout.split())
        assert "ALB removal/guarded: its load balancer has deletion protection, so it would not be deleted" in expected
        assert "set deletion_protection to false and run, or set override_deletion_protection" in expected
        # And nothing was left to the controller.
        assert edge.balancer("guarded").options() == before
        assert "deletionTimestamp" not in edge.get("ingress", "guarded")["metadata"]
        edge.declare(gateways=[gone], albs=[gone], override_deletion_protection=True)
        assert "guarded" not in edge.names()
        again = edge.module(gateways=[gone], albs=[gone])
        assert not again["changed"], again["diff"]
    finally:
        edge.remove("guarded")


def test_deletion_protection_of_the_cluster_blocks_its_teardown(prod: Rehearsed) -> None:
    eks = prod.client("eks")
    fast = {"Delay": 1, "MaxAttempts": 60}

    def protect(enabled: bool) -> None:
        update = eks.update_cluster_config(name=prod.cluster, deletionProtection=enabled)["update"]
        until(lambda: eks.describe_update(name=prod.cluster, updateId=update["id"])["update"]["status"] == "Successful", "the update of the cluster", 30)
        eks.get_waiter("cluster_active").wait(name=prod.cluster, WaiterConfig=fast)

    protect(True)
    try:
        for check in (True, False):
            with prod.unchanged():
                refused = prod.module("eks_cluster", {"name": prod.cluster, "region": "eu-central-1", "state": "absent"}, check=check)
            assert refused.get("failed"), "a cluster that is protected was deleted"
            assert f"EKS cluster {prod.cluster}" in refused["msg"]
            assert "is protected from deletion: set override_deletion_protection to true to delete it all the same" in refused["msg"]
        assert eks.describe_cluster(name=prod.cluster)["cluster"]["status"] == "ACTIVE"
    finally:
        protect(False)
