# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Is a load balancer what it should be, up to its targets? Pure: a verdict, with the reason and what to do about it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._status.verdict import Verdict
from .._text import format_clauses, format_names
from .load_balancers import WantedListener, Wish

Described = t.Dict[str, t.Any]

# How many targets a message names.
_NAMED = 3
# Targets that are on their way out do not count (API reference of ELBv2, TargetHealth).
_LEAVING = ("draining", "unhealthy.draining")
_CONTROLLER_LOG = "the events of its Ingress or Service and the log of the load balancer controller"


def judge(wish: Wish, found: t.Sequence[Described]) -> Verdict:
    """The verdict on what a wish means.

    Args:
        wish: what is meant, and what it should be like.
        found: the load balancers that it means, each with C(listeners), C(target_groups) and C(attributes) where they were read.
    """
    if wish.state == "absent":
        return _judge_absent(found)
    if not found:
        return Verdict("NotFound", "NotFound", f"there is no {wish.title}", _why_not_there(wish))
    if len(found) > 1:
        arns = ", ".join(one["arn"] for one in found)
        return Verdict("Failed", "Ambiguous", f"{len(found)} load balancers are meant: {arns}", "Name one of them by its arn.", final=True)
    said = found[0]
    for verdict in (_judge_state(said), _judge_listeners(said, wish.listeners), _judge_targets(said, wish.healthy_targets)):
        if verdict is not None:
            return verdict
    return Verdict("Current", "", _seen(said))


@dataclass(frozen=True)
class Row:
    """The verdict on one load balancer, or on the want of one.

    Attributes:
        wish: which one is meant.
        verdict: whether it is as it should be.
        described: the load balancer that it is about; None when it does not exist, or several are meant.
        title: how messages name it.
    """

    wish: Wish
    verdict: Verdict
    described: Described | None
    title: str

    def told(self, described: Described | None) -> dict[str, t.Any]:
        """The entry of the result, with all that was read of the load balancer."""
        verdict = self.verdict
        said = {"status": verdict.status, "reason": verdict.reason, "message": verdict.message, "remedy": verdict.remedy, "final": verdict.final}
        return {"title": self.title, **said, **(described or {})}


def judge_each(wish: Wish, found: t.Sequence[Described]) -> list[Row]:
    """The verdicts on what a wish means: one; or one on each load balancer, when all of a cluster are meant and should be there."""
    if wish.every_one:
        judged = [Row(wish, judge(wish, [one]), one, f"load balancer {one['name']} of cluster {wish.cluster}") for one in found]
        return judged or ([Row(wish, judge(wish, ()), None, f"any {wish.title}")] if wish.state == "absent" else [])
    return [Row(wish, judge(wish, found), found[0] if len(found) == 1 else None, wish.title)]


def progress_line(rows: t.Sequence[Row]) -> str:
    """How far a wait is, in one line: C(0 of 1 ready: load balancer web is InProgress (Provisioning): AWS is still making it)."""
    late = [row for row in rows if not row.verdict.current]
    words = format_clauses((f"{row.title} is {row.verdict.status} ({row.verdict.reason}): {row.verdict.message}" for row in late), _NAMED)
    return f"{len(rows) - len(late)} of {len(rows)} ready" + (f": {words}" if words else "")


def failure_message(rows: t.Sequence[Row], region: str, elapsed: float) -> str:
    """One line for each load balancer that is not ready: what, why, and what to do."""
    late = [row for row in rows if not row.verdict.current]
    lines = [f"{len(late)} of {len(rows)} load balancers are not ready in {region} after {elapsed:.0f} s."]
    for row in late:
        ended = " It will not become ready by waiting." if row.verdict.final else ""
        lines.append(f"- {row.title}: {row.verdict.status} ({row.verdict.reason}): {row.verdict.message.rstrip('. ')}. {row.verdict.remedy}{ended}")
    return "\n".join(lines)


def _judge_absent(found: t.Sequence[Described]) -> Verdict:
    if not found:
        return Verdict("Current", "", "it is gone")
    names = ", ".join(one["name"] or one["arn"] for one in found)
    protected = [one["name"] for one in found if (one.get("attributes") or {}).get("deletion_protection.enabled") == "true"]
    if protected:
        message = f"{', '.join(protected)} cannot be deleted, because deletion protection is on"
        remedy = "Set the attribute deletion_protection.enabled to false first, and delete its Ingress or Service after that."
        return Verdict("InProgress", "DeletionProtection", message, remedy)
    return Verdict("InProgress", "StillThere", f"{names} is still there", f"Delete its Ingress or Service, and look at {_CONTROLLER_LOG}.")


def _why_not_there(wish: Wish) -> str:
    if wish.by_tags:
        return f"Look at {_CONTROLLER_LOG}, and see that the controller was given this cluster's name and works in this region."
    return "See that the name and the region are right."


def _judge_state(said: Described) -> Verdict | None:
    """A verdict when AWS has not made it, or not well; None when it is active."""
    state, why = said["state"], said["state_reason"]
    because = f": {why}" if why else ""
    if state == "provisioning":
        return Verdict("InProgress", "Provisioning", f"AWS is still making it{because}", "Wait: a few minutes are usual.")
    if state == "failed":
        remedy = "Mend what AWS names, then delete the load balancer, so that its controller makes it again."
        return Verdict("Failed", "ProvisioningFailed", f"AWS could not make it{because}", remedy, final=True)
    if state == "active_impaired":
        remedy = "See that each of its subnets has 8 free addresses, and that its security groups are still there."
        return Verdict("InProgress", "Impaired", f"it works, but lacks what it needs to grow{because}", remedy)
    return None


def _judge_listeners(said: Described, wanted: t.Sequence[WantedListener]) -> Verdict | None:
    """A verdict when a wanted listener is missing or another; None when all are as wanted."""
    have = {listener["port"]: listener for listener in said.get("listeners") or ()}
    ports = ", ".join(f"{one['protocol']} {port}" for port, one in sorted(have.items())) or "none"
    for one in wanted:
        if one.port not in have:
            protocol = f"{one.protocol} " if one.protocol else ""
            message = f"it has no listener {protocol}{one.port} (it has {ports})"
            return Verdict("InProgress", "ListenerMissing", message, f"Look at {_CONTROLLER_LOG}: a wrong certificate or TLS policy keeps a listener away.")
        difference = _difference(have[one.port], one)
        if difference:
            return Verdict("InProgress", "ListenerDiffers", f"its listener {one.port} {difference}", f"Look at {_CONTROLLER_LOG}.")
    return None


def _difference(listener: Described, wanted: WantedListener) -> str:
    if wanted.protocol and listener["protocol"] != wanted.protocol:
        return f"speaks {listener['protocol']}, not {wanted.protocol}"
    missing = [arn for arn in wanted.certificate_arns if arn not in listener["certificate_arns"]]
    if missing:
        return f"lacks the certificate{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
    if wanted.ssl_policy and listener["ssl_policy"] != wanted.ssl_policy:
        return f"has the TLS policy {listener['ssl_policy'] or 'of no name'}, not {wanted.ssl_policy}"
    return ""


def _judge_targets(said: Described, wanted: str) -> Verdict | None:
    """A verdict when too few targets are healthy; None when enough are, or they are not asked for."""
    if wanted == "none":
        return None
    groups = said.get("target_groups") or ()
    if not groups:
        remedy = f"Look at {_CONTROLLER_LOG}: the Service that it should lead to may be missing, or have another port."
        return Verdict("InProgress", "NoTargetGroups", "it leads to no target group", remedy)
    for group in groups:
        verdict = _judge_group(group, wanted)
        if verdict is not None:
            return verdict
    return None


def _judge_group(group: Described, wanted: str) -> Verdict | None:
    staying = [target for target in group["targets"] if target["state"] not in _LEAVING]
    healthy = [target for target in staying if target["state"] == "healthy"]
    title = f"target group {group['name']} ({group['protocol']} {group['port']}, {group['target_type']} targets)"
    if not staying:
        leaving = f"; {len(group['targets'])} are draining" if group["targets"] else ""
        return Verdict("InProgress", "NoTargets", f"{title} has no targets{leaving}", _no_targets(group))
    if len(healthy) == len(staying) or (wanted == "any" and healthy):
        return None
    sick = [target for target in staying if target["state"] != "healthy"]
    # The reason that most have is told first; among equals, the one whose remedy is not to wait.
    reasons = sorted({_reason(target) for target in sick}, key=lambda reason: (reason in _PATIENCE, -sum(_reason(one) == reason for one in sick), reason))
    parts = []
    for reason in reasons:
        same = [target for target in sick if _reason(target) == reason]
        names = format_names((f"{target['id']}:{target['port']}" for target in same), _NAMED)
        says = f" ({same[0]['description']})" if same[0]["description"] else ""
        parts.append(f"{names} {'are' if len(same) > 1 else 'is'} {same[0]['state']}, {reason}{says}")
    message = f"{len(healthy)} of {len(staying)} targets of {title} are healthy: {'; '.join(parts)}"
    return Verdict("InProgress", reasons[0], message, remedy_for(reasons[0], group))


def _reason(target: Described) -> str:
    return str(target["reason"] or target["state"] or "Unknown")


_PATIENCE = ("Elb.RegistrationInProgress", "Elb.InitialHealthChecking")


def remedy_for(reason: str, group: Described) -> str:
    """What to do about a target that is not healthy for this reason (reasons: API reference of ELBv2, TargetHealth)."""
    check = group["health_check"]
    port = check["port"] if check["port"] not in ("", "traffic-port") else f"{group['port']} (the port of the traffic)"
    asked = f"{check['protocol']} port {port}{' path ' + check['path'] if check['path'] else ''}"
    node = " on the node; a number in an annotation is then a NodePort, so name the port status-port" if group["target_type"] == "instance" else ""
    remedies = {
        "Elb.RegistrationInProgress": "Wait: the targets are being registered.",
        "Elb.InitialHealthChecking": f"Wait: the first health checks ({asked}) are under way.",
        "Elb.InternalError": "Wait; AWS has a problem of its own. If it stays, look at the AWS Health Dashboard.",
        "Target.ResponseCodeMismatch": (
            f"The health check asks {asked} and wants {check['success_codes'] or '200'}: for a gateway of Istio let it ask HTTP on the status port "
            "(15021, by name status-port) for /healthz/ready; with proxy protocol on, which that port does not speak, use a TCP check."
        ),
        "Target.Timeout": (
            f"Nothing answers at {asked}{node}: let the load balancer's security group reach that port of nodes and pods, and see that the gateway's pods "
            "listen there (the status port is 15021)."
        ),
        "Target.FailedHealthChecks": (
            f"The connection to {asked} is refused or broken{node}: see that the gateway's pods are ready, that they listen there in that protocol, and that "
            "the Service has that port; with externalTrafficPolicy Local only nodes with a gateway pod can be healthy."
        ),
        "Target.NotRegistered": f"Look at the TargetGroupBinding of this target group and at {_CONTROLLER_LOG}.",
        "Target.NotInUse": (
            "No listener leads to this target group, or the load balancer has no subnet in the target's zone: look at its listeners, and add a subnet there."
        ),
        "Target.DeregistrationInProgress": "Wait: the target is leaving.",
        "Target.InvalidState": "The instance is stopped or terminated: look at the node group.",
        "Target.IpUnusable": "The address belongs to a load balancer: see what the Service's endpoints point to.",
        "Target.HealthCheckDisabled": "Switch the target group's health check on.",
    }
    return remedies.get(reason, f"Look at the target group in AWS; its health check asks {asked}.")


def _no_targets(group: Described) -> str:
    who = "nodes are ready and carry no label that excludes them" if group["target_type"] == "instance" else "gateway's pods are ready"
    return f"See that the {who}, that the Service selects the gateway, and look at the TargetGroupBinding of this target group."


def _seen(said: Described) -> str:
    """What a load balancer that is ready looks like, in words."""
    ports = (
        ", ".join(f"{listener['protocol']} {listener['port']}" for listener in sorted(said.get("listeners") or (), key=lambda one: one["port"]))
        or "no listeners"
    )
    targets = [target for group in said.get("target_groups") or () for target in group["targets"] if target["state"] not in _LEAVING]
    healthy = sum(target["state"] == "healthy" for target in targets)
    told = f", {healthy} of {len(targets)} targets are healthy" if "target_groups" in said else ""
    return f"active at {said['dns_name']}, {ports}{told}"


__all__ = ("Row", "failure_message", "judge", "judge_each", "progress_line", "remedy_for")
