"""What roles wait for and verify, and in which order they do it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._kinds import DEPLOYMENT, ENDPOINT_SLICE, MUTATING_WEBHOOK, SERVICE, VALIDATING_WEBHOOK
from ansible_collections.meshwright.ambient.plugins.module_utils._status.rules import needs_of
from ansible_collections.meshwright.ambient.plugins.module_utils._status.target import Target
from twin.paths import REPOSITORY


def targets_of(described: list[dict[str, Any]]) -> list[Target]:
    """Targets as the module ready reads them."""
    return [Target(item["kind"], item.get("name", ""), item.get("namespace", "")) for item in described]


def tasks_of(path: str) -> list[dict[str, Any]]:
    """The tasks of a file in their order, with those of blocks."""

    def flat(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for task in tasks:
            yield task
            yield from flat(task.get("block") or [])

    return list(flat(yaml.safe_load((REPOSITORY / path).read_text())))


def roles_of(playbook: str) -> list[str]:
    """The roles of a playbook in their order."""
    plays = yaml.safe_load((REPOSITORY / "playbooks" / playbook).read_text())
    found = [task for play in plays for entry in play["tasks"] for task in (entry, *(entry.get("block") or ()))]
    included = [task.get("ansible.builtin.include_role") or task.get("ansible.builtin.import_role") for task in found]
    return [role["name"].rpartition(".")[2] for role in included if role]


@pytest.mark.requirement("B1", "B7")
def test_the_controller_and_its_webhooks_serve_before_any_chart_of_istio(evaluate: Any) -> None:
    described = evaluate("alb_controller", "__alb_controller_targets", alb_controller_identity="none")
    assert [(target.kind, target.name, target.namespace) for target in targets_of(described)] == [
        ("Deployment", "aws-load-balancer-controller", "kube-system"),
        ("MutatingWebhookConfiguration", "aws-load-balancer-webhook", "kube-system"),
        ("ValidatingWebhookConfiguration", "aws-load-balancer-webhook", "kube-system"),
    ]
    needed = {kind for target in targets_of(described) for kind, _namespace in needs_of(target)}
    assert {DEPLOYMENT, MUTATING_WEBHOOK, VALIDATING_WEBHOOK, SERVICE, ENDPOINT_SLICE} <= needed, "endpoints are not looked at"
    *_before, last = tasks_of("roles/alb_controller/tasks/chart.yml")
    assert last["meshwright.ambient.ready"]["targets"] == "{{ __alb_controller_targets }}"
    assert last["when"] == "not ansible_check_mode", "the wait is left out in some runs"
    order = roles_of("site.yml")
    assert order.index("alb_controller") < order.index("istio") < order.index("ingress")


@pytest.mark.requirement("L11")
def test_the_health_check_covers_every_part_of_istio(evaluate: Any) -> None:
    gateways = [{"name": "edge", "namespace": "edge"}, {"name": "hosts", "namespace": "edge", "values": {"kind": "DaemonSet"}}]
    described = evaluate("istio", "__istio_targets", istio_gateways=gateways)
    targets = targets_of(described)
    assert [(target.kind, target.namespace, target.name) for target in targets if target.kind != "CustomResourceDefinition"] == [
        ("control_plane", "istio-system", "default"),
        ("DaemonSet", "istio-system", "istio-cni-node"),
        ("DaemonSet", "istio-system", "ztunnel"),
        ("Deployment", "edge", "edge"),
        ("DaemonSet", "edge", "hosts"),
    ]
    needed = {target.title: {kind for kind, _namespace in needs_of(target)} for target in targets}
    control_plane = next(kinds for title, kinds in needed.items() if "control" in title.lower() or "istiod" in title.lower())
    assert {DEPLOYMENT, ENDPOINT_SLICE} <= control_plane, "istiod and what its Service leads to"
    assert SERVICE in needed[next(target.title for target in targets if target.name == "ztunnel")], "the Service from which ztunnel is configured"
    for file in ("main", "verify"):
        asked = [task["meshwright.ambient.ready"]["targets"] for task in tasks_of(f"roles/istio/tasks/{file}.yml") if "meshwright.ambient.ready" in task]
        assert asked == ["{{ __istio_targets }}"], file
    # Services and all else of the releases are looked for by what the releases have installed.
    (compared,) = [task for task in tasks_of("roles/istio/tasks/verify.yml") if "meshwright.ambient.helm_release_info" in task]
    assert compared["meshwright.ambient.helm_release_info"]["releases"] == "{{ __istio_releases.desired }}"
