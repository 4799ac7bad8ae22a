"""What the load balancer controller meets in AWS, where moto lacks it or returns something else.

Each function that changes moto stands for one gap, and its docstring says what AWS does. The real controller, run against
the emulator, is what found them.
"""

from __future__ import annotations

from moto.elbv2.models import ELBv2Backend

from twin.aws.load_balancing import listeners, load_balancers, target_groups, targets


def extend() -> None:
    """Bring moto closer to AWS; a second call changes nothing."""
    if getattr(ELBv2Backend, "extended_by_twin", False):
        return
    ELBv2Backend.extended_by_twin = True
    for each in (load_balancers, listeners, target_groups, targets):
        each.extend()
