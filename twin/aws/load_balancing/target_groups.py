"""Target groups: their health checks, and the load balancers that they belong to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeTargetGroup, elbv2_backends

from twin.aws.load_balancing.moto_changes import wrap


def extend() -> None:
    _keep_health_check_codes()
    _count_users_of_target_groups()
    _list_no_target_groups()


def _keep_health_check_codes() -> None:
    """The codes of an HTTP health check can be changed whatever the target group's own protocol is."""

    def make(modify: Callable[..., FakeTargetGroup]) -> Callable[..., FakeTargetGroup]:
        signature = inspect.signature(modify)

        def modify_target_group(self: ELBv2Backend, *arguments: Any, **named: Any) -> FakeTargetGroup:
            group = modify(self, *arguments, **named)
            codes = signature.bind(self, *arguments, **named).arguments.get("http_codes")
            if codes is not None:
                group.matcher = {"HttpCode": codes}
            return group

        return modify_target_group

    wrap(ELBv2Backend, "modify_target_group", make)


def _count_users_of_target_groups() -> None:
    """A target group belongs to the load balancers whose listeners or rules forward to it now; moto never forgets one."""

    def load_balancer_arns(self: FakeTargetGroup) -> list[str]:
        balancers = elbv2_backends[self.account_id][self.region_name].load_balancers.values()
        return [balancer.arn for balancer in balancers if any(self.arn in _forwards_to(listener) for listener in balancer.listeners.values())]

    # moto also writes the attribute; what it writes is not needed.
    FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, lambda _self, _value: None)


def _list_no_target_groups() -> None:
    """A load balancer that forwards nowhere has no target groups, which is no error; moto says TargetGroupNotFound."""

    def make(describe: Callable[..., Any]) -> Callable[..., Any]:
        def describe_target_groups(self: ELBv2Backend, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None) -> Any:
            try:
                return describe(self, load_balancer_arn, target_group_arns, names)
            except TargetGroupNotFoundError:
                if load_balancer_arn and not target_group_arns and not names:
                    return []
                raise

        return describe_target_groups

    wrap(ELBv2Backend, "describe_target_groups", make)


def _forwards_to(listener: FakeListener) -> set[str]:
    actions = [*listener.default_actions, *(action for rule in listener.rules.values() for action in rule.actions)]
    found = set()
    for action in actions:
        data = action.data
        found.add(data.get("TargetGroupArn"))
        found.update(group.get("TargetGroupArn") for group in (data.get("ForwardConfig") or {}).get("TargetGroups") or ())
    return found
