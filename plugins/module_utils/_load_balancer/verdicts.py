# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Is a load balancer in its desired state, down to its targets? Pure: a verdict, with the reason and what to do about it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._status.verdict import Verdict, format_change, format_laggard
from .._text import format_clauses, format_names

if t.TYPE_CHECKING:
    from .spec import ListenerSpec, LoadBalancerSpec

LoadBalancer = t.Dict[str, t.Any]

# How many targets a message names.
_NAMED = 3
# Targets that are on their way out do not count (API reference of ELBv2, TargetHealth).
_LEAVING = ("draining", "unhealthy.draining")
_CONTROLLER_LOG = "the events of its Ingress or Service and the log of the load balancer controller"


def verdict_on(spec: LoadBalancerSpec, found: t.Sequence[LoadBalancer]) -> Verdict:
    """The verdict on the load balancer that a spec means.

    Args:
        spec: which one is meant, and its desired state.
        found: the load balancers that it means, each with C(listeners), C(target_groups) and C(attributes) where they were read.
    """
    if spec.state == "absent":
        return _verdict_on_absence(found)
    if not found:
        return Verdict("NotFound", "NotFound", f"there is no {spec.title}", _remedy_for_missing(spec))
    if len(found) > 1:
        arns = ", ".join(one["arn"] for one in found)
        return Verdict("Failed", "Ambiguous", f"{len(found)} load balancers match: {arns}", "Name one of them by its arn.", final=True)
    current = found[0]
    for verdict in (_verdict_on_state(current), _verdict_on_listeners(current, spec.listeners), _verdict_on_targets(current, spec.healthy_targets)):
        if verdict is not None:
            return verdict
    return Verdict("Current", "", _format_ready(current))


@dataclass(frozen=True)
class Row:
    """The verdict on one load balancer, or on its absence.

    Attributes:
        spec: which one is meant.
        verdict: whether it is in its desired state.
        current: the load balancer that it is about; None when it does not exist, or several are meant.
        title: how messages name it.
    """

    spec: LoadBalancerSpec
    verdict: Verdict
    current: LoadBalancer | None
    title: str

    def as_result(self, current: LoadBalancer | None) -> dict[str, t.Any]:
        """The entry of the result, with all that was read of the load balancer."""
        verdict = self.verdict
        entry = {"status": verdict.status, "reason": verdict.reason, "message": verdict.message, "remedy": verdict.remedy, "final": verdict.final}
        return {"title": self.title, **entry, **(current or {})}


def verdicts_on(spec: LoadBalancerSpec, found: t.Sequence[LoadBalancer]) -> list[Row]:
    """One verdict; or one on each load balancer, when all of a cluster are meant and should exist."""
    if spec.is_whole_cluster:
        rows = [Row(spec, verdict_on(spec, [one]), one, f"load balancer {one['name']} of cluster {spec.cluster}") for one in found]
        return rows or ([Row(spec, verdict_on(spec, ()), None, f"any {spec.title}")] if spec.state == "absent" else [])
    return [Row(spec, verdict_on(spec, found), found[0] if len(found) == 1 else None, spec.title)]


def format_progress(rows: t.Sequence[Row]) -> str:
    """How far a wait is, in one line: C(0 of 1 ready: load balancer web is InProgress (Provisioning): AWS is still creating it)."""
    late = [row for row in rows if not row.verdict.current]
    parts = format_clauses((format_change(row.title, row.verdict) for row in late), _NAMED)
    return f"{len(rows) - len(late)} of {len(rows)} ready" + (f": {parts}" if parts else "")


def format_failure(rows: t.Sequence[Row], region: str, elapsed: float) -> str:
    """One line for each load balancer that is not ready: what, why, and what to do."""
    late = [row for row in rows if not row.verdict.current]
    lines = [f"{len(late)} of {len(rows)} load balancers are not ready in {region} after {elapsed:.0f} s."]
    return "\n".join([*lines, *(format_laggard(row.title, row.verdict) for row in late)])


def _verdict_on_absence(found: t.Sequence[LoadBalancer]) -> Verdict:
    if not found:
        return Verdict("Current", "", "it is gone")
    names = ", ".join(one["name"] or one["arn"] for one in found)
    protected = [one["name"] for one in found if (one.get("attributes") or {}).get("deletion_protection.enabled") == "true"]
    if protected:
        message = f"{', '.join(protected)} cannot be deleted, because deletion protection is on"
        remedy = "Set the attribute deletion_protection.enabled to false first, and delete its Ingress or Service after that."
        return Verdict("InProgress", "DeletionProtection", message, remedy)
    return Verdict("InProgress", "StillThere", f"{names} still exists", f"Delete its Ingress or Service, and check {_CONTROLLER_LOG}.")


def _remedy_for_missing(spec: LoadBalancerSpec) -> str:
    if spec.by_tags:
        return f"Check {_CONTROLLER_LOG}, and that the controller knows this cluster's name and works in this region."
    return "Check the name and the region."


def _verdict_on_state(current: LoadBalancer) -> Verdict | None:
    """A verdict unless AWS has created it and it is active; None when it is."""
    state, why = current["state"], current["state_reason"]
    because = f": {why}" if why else ""
    if state == "provisioning":
        return Verdict("InProgress", "Provisioning", f"AWS is still creating it{because}", "Wait: this usually takes a few minutes.")
    if state == "failed":
        remedy = "Fix what AWS names, then delete the load balancer, so that its controller creates it again."
        return Verdict("Failed", "ProvisioningFailed", f"AWS could not create it{because}", remedy, final=True)
    if state == "active_impaired":
        remedy = "Check that each of its subnets has 8 free addresses, and that its security groups still exist."
        return Verdict("InProgress", "Impaired", f"it works, but cannot scale{because}", remedy)
    return None


def _verdict_on_listeners(current: LoadBalancer, desired: t.Sequence[ListenerSpec]) -> Verdict | None:
    """A verdict when a desired listener is missing or different; None when all match."""
    current_ports = {listener["port"]: listener for listener in current.get("listeners") or ()}
    ports = ", ".join(f"{one['protocol']} {port}" for port, one in sorted(current_ports.items())) or "none"
    for one in desired:
        if one.port not in current_ports:
            protocol = f"{one.protocol} " if one.protocol else ""
            message = f"it has no listener {protocol}{one.port} (it has {ports})"
            return Verdict("InProgress", "ListenerMissing", message, f"Check {_CONTROLLER_LOG}: a wrong certificate or TLS policy prevents a listener.")
        difference = _difference(current_ports[one.port], one)
        if difference:
            return Verdict("InProgress", "ListenerDiffers", f"its listener {one.port} {difference}", f"Check {_CONTROLLER_LOG}.")
    return None


def _difference(listener: LoadBalancer, desired: ListenerSpec) -> str:
    if desired.protocol and listener["protocol"] != desired.protocol:
        return f"has the protocol {listener['protocol']}, not {desired.protocol}"
    missing = [arn for arn in desired.certificate_arns if arn not in listener["certificate_arns"]]
    if missing:
        return f"lacks the certificate{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
    if desired.ssl_policy and listener["ssl_policy"] != desired.ssl_policy:
        return f"has the TLS policy {listener['ssl_policy'] or 'of no name'}, not {desired.ssl_policy}"
    return ""


def _verdict_on_targets(current: LoadBalancer, desired: str) -> Verdict | None:
    """A verdict when too few targets are healthy; None when enough are, or they do not matter."""
    if desired == "none":
        return None
    groups = current.get("target_groups") or ()
    if not groups:
        remedy = f"Check {_CONTROLLER_LOG}: the Service behind it may be missing, or have another port."
        return Verdict("InProgress", "NoTargetGroups", "it has no target group", remedy)
    for group in groups:
        verdict = _verdict_on_group(group, desired)
        if verdict is not None:
            return verdict
    return None


def _verdict_on_group(group: LoadBalancer, desired: str) -> Verdict | None:
    staying = [target for target in group["targets"] if target["state"] not in _LEAVING]
    healthy = [target for target in staying if target["state"] == "healthy"]
    title = f"target group {group['name']} ({group['protocol']} {group['port']}, {group['target_type']} targets)"
    if not staying:
        leaving = f"; {len(group['targets'])} are draining" if group["targets"] else ""
        return Verdict("InProgress", "NoTargets", f"{title} has no targets{leaving}", _no_targets(group))
    if len(healthy) == len(staying) or (desired == "any" and healthy):
        return None
    sick = [target for target in staying if target["state"] != "healthy"]
    # The most frequent reason comes first; among equals, one whose remedy is not to wait.
    reasons = sorted({_reason(target) for target in sick}, key=lambda reason: (reason in _PATIENCE, -sum(_reason(one) == reason for one in sick), reason))
    parts = []
    for reason in reasons:
        same = [target for target in sick if _reason(target) == reason]
        names = format_names((f"{target['id']}:{target['port']}" for target in same), _NAMED)
        description = f" ({same[0]['description']})" if same[0]["description"] else ""
        parts.append(f"{names} {'are' if len(same) > 1 else 'is'} {same[0]['state']}, {reason}{description}")
    message = f"{len(healthy)} of {len(staying)} targets of {title} are healthy: {'; '.join(parts)}"
    return Verdict("InProgress", reasons[0], message, remedy_for(reasons[0], group))


def _reason(target: LoadBalancer) -> str:
    return str(target["reason"] or target["state"] or "Unknown")


_PATIENCE = ("Elb.RegistrationInProgress", "Elb.InitialHealthChecking")


def remedy_for(reason: str, group: LoadBalancer) -> str:
    """What to do about a target that is not healthy for this reason (reasons: API reference of ELBv2, TargetHealth)."""
    check = group["health_check"]
    port = check["port"] if check["port"] not in ("", "traffic-port") else f"{group['port']} (the port of the traffic)"
    asked = f"{check['protocol']} port {port}{' path ' + check['path'] if check['path'] else ''}"
    node = " on the node; a number in an annotation is then a NodePort, so name the port status-port" if group["target_type"] == "instance" else ""
    remedies = {
        "Elb.RegistrationInProgress": "Wait: the targets are being registered.",
        "Elb.InitialHealthChecking": f"Wait: the first health checks ({asked}) are under way.",
        "Elb.InternalError": "Wait: AWS has an internal problem. If it lasts, check the AWS Health Dashboard.",
        "Target.ResponseCodeMismatch": (
            f"The health check uses {asked} and expects {check['success_codes'] or '200'}: for a gateway of Istio, let it use HTTP on the status port "
            "(15021, by name status-port) and the path /healthz/ready; with proxy protocol, which that port does not support, use a TCP check."
        ),
        "Target.Timeout": (
            f"Nothing answers at {asked}{node}: allow the load balancer's security group to reach that port of nodes and pods, and check that the gateway's "
            "pods listen there (the status port is 15021)."
        ),
        "Target.FailedHealthChecks": (
            f"The connection to {asked} is refused or broken{node}: check that the gateway's pods are ready and listen there with that protocol, and that "
            "the Service has that port; with externalTrafficPolicy Local only nodes with a gateway pod can be healthy."
        ),
        "Target.NotRegistered": f"Check the TargetGroupBinding of this target group, and {_CONTROLLER_LOG}.",
        "Target.NotInUse": (
            "No listener forwards to this target group, or the load balancer has no subnet in the target's zone: check its listeners, and add a subnet there."
        ),
        "Target.DeregistrationInProgress": "Wait: the target is being deregistered.",
        "Target.InvalidState": "The instance is stopped or terminated: check the node group.",
        "Target.IpUnusable": "The address belongs to a load balancer: check the endpoints of the Service.",
        "Target.HealthCheckDisabled": "Enable the health check of the target group.",
    }
    return remedies.get(reason, f"Check the target group in AWS; its health check uses {asked}.")


def _no_targets(group: LoadBalancer) -> str:
    who = "nodes are ready and carry no label that excludes them" if group["target_type"] == "instance" else "gateway's pods are ready"
    return f"Check that the {who}, that the Service selects the gateway, and the TargetGroupBinding of this target group."


def _format_ready(current: LoadBalancer) -> str:
    """A load balancer that is ready, in words."""
    ports = (
        ", ".join(f"{listener['protocol']} {listener['port']}" for listener in sorted(current.get("listeners") or (), key=lambda one: one["port"]))
        or "no listeners"
    )
    targets = [target for group in current.get("target_groups") or () for target in group["targets"] if target["state"] not in _LEAVING]
    healthy = sum(target["state"] == "healthy" for target in targets)
    health = f", {healthy} of {len(targets)} targets are healthy" if "target_groups" in current else ""
    return f"active at {current['dns_name']}, {ports}{health}"


__all__ = ("Row", "format_failure", "format_progress", "remedy_for", "verdict_on", "verdicts_on")
