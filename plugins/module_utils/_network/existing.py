# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Whether existing subnets are what an EKS cluster and its load balancers need."""

from __future__ import annotations

import typing as t

Subnet = t.Mapping[str, t.Any]

_ROLE_TAGS = {"private": "kubernetes.io/role/internal-elb", "public": "kubernetes.io/role/elb"}


def find_subnet_errors(
    subnets: t.Sequence[Subnet], *, region: str, vpc_id: str, private_ids: t.Sequence[str], public_ids: t.Sequence[str], allow_untagged: bool
) -> list[str]:
    """What is wrong, one sentence each.

    Args:
        subnets: those that exist, as C(amazon.aws.ec2_vpc_subnet_info) returns them.
        region: the region of the cluster.
        vpc_id: the VPC in which they have to be.
        private_ids: the ids of the private subnets.
        public_ids: the ids of the public subnets.
        allow_untagged: whether the tags by which load balancers find subnets may be missing.
    """
    found = {str(subnet["subnet_id"]): subnet for subnet in subnets}
    missing = [subnet for subnet in (*private_ids, *public_ids) if subnet not in found]
    elsewhere = [subnet for subnet, description in found.items() if description["vpc_id"] != vpc_id]
    zones = sorted({found[subnet]["availability_zone"] for subnet in private_ids if subnet in found})
    ids = {"private": private_ids, "public": public_ids}
    untagged = [subnet for kind, tag in _ROLE_TAGS.items() for subnet in ids[kind] if subnet in found and tag not in found[subnet]["tags"]]
    errors = []
    if missing:
        errors.append(f"Not found in {region}: {', '.join(missing)}. Correct eks_region or the IDs.")
    if elsewhere:
        errors.append(f"Not in {vpc_id}: {', '.join(elsewhere)}. Correct eks_private_subnet_ids and eks_public_subnet_ids.")
    if len(zones) == 1:
        errors.append(f"All private subnets are in {zones[0]}. Add one in a second zone.")
    if untagged and not allow_untagged:
        errors.append(
            "Without the tag kubernetes.io/role/internal-elb (private) or kubernetes.io/role/elb (public), by which load balancers find subnets: "
            f"{', '.join(untagged)}. Add it with the value 1, or set eks_allow_untagged_subnets if only another account can do so."
        )
    return errors


__all__ = ("find_subnet_errors",)
