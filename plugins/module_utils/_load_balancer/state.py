# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads load balancers with few requests: many at once, and what cannot change only once."""

from __future__ import annotations

import typing as t

from .._aws.errors import AwsError
from .._aws.tags import tags_of
from .normalize import all_certificates, normalize_listener, normalize_load_balancer, normalize_rules, normalize_target_group
from .owners import Tags, owner_by_tags
from .spec import LoadBalancerSpec, matches

if t.TYPE_CHECKING:
    from .._aws.session import AwsSession

Answer = t.Mapping[str, t.Any]
LoadBalancer = t.Dict[str, t.Any]

# DescribeTags and DescribeLoadBalancers take no more at once (API reference of ELBv2).
_AT_ONCE = 20
_TLS_PROTOCOLS = ("HTTPS", "TLS")


class LoadBalancers:
    """The load balancers of a region, for one task; tags are read once, because controllers set them when they create a load balancer."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._tags: dict[str, Tags] = {}
        self._known: dict[LoadBalancerSpec, list[str]] = {}

    # which

    def list_matching(self, specs: t.Sequence[LoadBalancerSpec]) -> list[tuple[LoadBalancerSpec, list[Answer]]]:
        """Each spec with the load balancers that it means, as DescribeLoadBalancers lists them, by name."""
        listed = self._by_arn_or_name(specs)
        if listed is None:
            listed = self._session.pages("elbv2", "describe_load_balancers", "LoadBalancers")
            self.read_tags(one["LoadBalancerArn"] for one in listed if any(_may_match(spec, one) for spec in specs if spec.by_tags))
        listed = sorted(listed, key=lambda one: (one.get("LoadBalancerName") or "", one["LoadBalancerArn"]))
        pairs = [(spec, [one for one in listed if matches(spec, one, self._tags.get(one["LoadBalancerArn"], {}))]) for spec in specs]
        # What a controller has created for an object stays the same one, so it need not be searched again.
        self._known = {spec: [one["LoadBalancerArn"] for one in those] for spec, those in pairs if not spec.is_whole_cluster}
        return pairs

    def tags(self, arn: str) -> Tags:
        """The tags of one load balancer."""
        self.read_tags([arn])
        return self._tags.get(arn, {})

    def read_tags(self, arns: t.Iterable[str]) -> None:
        """Read the tags of several load balancers at once, so that tags() need not ask for each."""
        unread = [arn for arn in dict.fromkeys(arns) if arn not in self._tags]
        for start in range(0, len(unread), _AT_ONCE):
            self._read_tags_of(unread[start : start + _AT_ONCE])

    def _by_arn_or_name(self, specs: t.Sequence[LoadBalancerSpec]) -> list[Answer] | None:
        """The entries of those that are called by ARN or name, or known from the last poll; None when all must be listed."""
        arns: dict[str, None] = {}
        names: dict[str, None] = {}
        for spec in specs:
            known = self._known.get(spec, [])
            if spec.arn and not spec.by_tags:
                arns[spec.arn] = None
            elif spec.name and not (spec.by_tags or spec.dns_name):
                names[spec.name] = None
            elif known:
                arns.update(dict.fromkeys(known))
            else:
                return None
        entries: dict[str, Answer] = {}
        for option, values in (("LoadBalancerArns", list(arns)), ("Names", list(names))):
            for start in range(0, len(values), _AT_ONCE):
                some = values[start : start + _AT_ONCE]
                try:
                    answer = self._session.call("elbv2", "describe_load_balancers", **{option: some})
                except AwsError as error:
                    if not error.absent:
                        raise
                    if len(some) == 1:
                        continue
                    # One of them does not exist, and the answer does not say which.
                    return None
                entries.update((one["LoadBalancerArn"], one) for one in answer.get("LoadBalancers") or ())
        return list(entries.values())

    def _read_tags_of(self, arns: list[str]) -> None:
        try:
            answer = self._session.call("elbv2", "describe_tags", ResourceArns=arns)
        except AwsError as error:
            if not error.absent:
                raise
            # One was deleted since it was listed, and the answer does not say which: the others are asked for by halves.
            middle = len(arns) // 2
            for half in (arns[:middle], arns[middle:]) if middle else ():
                self._read_tags_of(half)
            return
        for one in answer.get("TagDescriptions") or ():
            self._tags[one["ResourceArn"]] = tags_of(one.get("Tags"))

    # its current state

    def read_all(self, answers: t.Iterable[Answer], spec: LoadBalancerSpec) -> list[LoadBalancer]:
        """What a verdict needs of several; those that have been deleted meanwhile are left out."""
        return [one for one in (self.read(answer, spec) for answer in answers) if one is not None]

    def read(self, answer: Answer, spec: LoadBalancerSpec) -> LoadBalancer | None:
        """What a verdict needs: state, and where they matter listeners and targets. None when it has been deleted meanwhile."""
        current = normalize_load_balancer(answer)
        arn = current["arn"]
        try:
            if spec.state == "absent":
                current["attributes"] = self._attributes(arn)
            elif current["state"] not in ("provisioning", "failed"):
                current["listeners"] = self._listeners(arn)
                if _asks_for_certificates(spec):
                    self._add_certificates(current["listeners"])
                if spec.healthy_targets != "none":
                    current["target_groups"] = self._target_groups(arn)
        except AwsError as error:
            if error.absent:
                return None
            raise
        return current

    def read_rest(self, current: LoadBalancer, spec: LoadBalancerSpec, *, details: bool, waf: bool, shield: bool) -> LoadBalancer:
        """What read() has returned, with all else that a module returns; what has been deleted meanwhile stays as it was read.

        Args:
            current: what read() has returned for this spec.
            spec: which one is meant.
            details: whether to read attributes, tags, rules, further certificates and target groups' attributes as well.
            waf: whether to read the web ACL, of which only an ALB can have one.
            shield: whether to read the protection by Shield Advanced; an NLB is protected by its addresses, not by itself.
        """
        whole = {"listeners": [], "target_groups": [], **current}
        try:
            self._read_rest(whole, current, spec, details, waf, shield)
        except AwsError as error:
            if not error.absent:
                raise
        return whole

    def _read_rest(self, whole: LoadBalancer, current: LoadBalancer, spec: LoadBalancerSpec, details: bool, waf: bool, shield: bool) -> None:
        arn, application = whole["arn"], whole["type"] == "application"
        if "listeners" not in current:
            whole["listeners"] = self._listeners(arn)
        if "target_groups" not in current:
            whole["target_groups"] = self._target_groups(arn)
        if details:
            tags = self.tags(arn)
            whole.update(attributes=current.get("attributes") or self._attributes(arn), tags=dict(tags), owner=owner_by_tags(tags))
            if "listeners" not in current or not _asks_for_certificates(spec):
                self._add_certificates(whole["listeners"])
            for listener in whole["listeners"] if application else ():
                listener["rules"] = normalize_rules(self._session.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener["arn"]))
            for group in whole["target_groups"]:
                answer = self._session.call("elbv2", "describe_target_group_attributes", TargetGroupArn=group["arn"])
                group["attributes"] = _attributes_of(answer)
        if waf:
            whole["web_acl_arn"] = self._web_acl(arn) if application else ""
        if shield:
            whole["shield_protected"] = self._shield(arn) if application else False

    def _add_certificates(self, listeners: t.Iterable[LoadBalancer]) -> None:
        """A listener comes with its default certificate only; the others cost a call, so this is done once."""
        for listener in listeners:
            if listener["protocol"] in _TLS_PROTOCOLS:
                listed = self._session.pages("elbv2", "describe_listener_certificates", "Certificates", ListenerArn=listener["arn"])
                listener["certificate_arns"] = all_certificates(listener["certificate_arns"], listed)

    def _listeners(self, arn: str) -> list[LoadBalancer]:
        listed = self._session.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn)
        return sorted((normalize_listener(one) for one in listed), key=lambda one: (one["port"], one["protocol"]))

    def _attributes(self, arn: str) -> dict[str, str]:
        return _attributes_of(self._session.call("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn))

    def _target_groups(self, arn: str) -> list[LoadBalancer]:
        try:
            listed = self._session.pages("elbv2", "describe_target_groups", "TargetGroups", LoadBalancerArn=arn)
        except AwsError as error:
            # A load balancer without any may be answered like this (API reference of ELBv2, DescribeTargetGroups, Errors).
            if error.code not in ("TargetGroupNotFound", "TargetGroupNotFoundException"):
                raise
            return []
        groups = []
        for one in listed:
            health = self._session.call("elbv2", "describe_target_health", TargetGroupArn=one["TargetGroupArn"])
            groups.append(normalize_target_group(one, health.get("TargetHealthDescriptions") or ()))
        return sorted(groups, key=lambda group: (group["port"], group["name"]))

    def _web_acl(self, arn: str) -> str:
        answer = self._session.find("wafv2", "get_web_acl_for_resource", ResourceArn=arn) or {}
        return str((answer.get("WebACL") or {}).get("ARN") or "")

    def _shield(self, arn: str) -> bool:
        return bool((self._session.find("shield", "describe_protection", ResourceArn=arn) or {}).get("Protection"))


def _attributes_of(answer: Answer) -> dict[str, str]:
    return dict(sorted((one["Key"], one.get("Value") or "") for one in answer.get("Attributes") or ()))


def _asks_for_certificates(spec: LoadBalancerSpec) -> bool:
    return any(one.certificate_arns for one in spec.listeners)


def _may_match(spec: LoadBalancerSpec, answer: Answer) -> bool:
    """Whether a load balancer could be the one, as far as is known without tags."""
    return matches(LoadBalancerSpec(arn=spec.arn, name=spec.name, dns_name=spec.dns_name), answer, {})


__all__ = ("LoadBalancers",)
