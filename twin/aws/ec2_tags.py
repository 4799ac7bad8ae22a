"""The names that EC2 has for the kinds of what is tagged, where moto's are others."""

from __future__ import annotations

from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

# ResourceType of botocore's service model of EC2, by the beginning of an id. amazon.aws asks DescribeTags for C(natgateway).
_NAMES = {
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "h": "dedicated-host",
    "nat": "natgateway",
    "pl": "prefix-list",
    "sir": "spot-instances-request",
}


def extend() -> None:
    """Let DescribeTags find and report kinds by EC2's names; a second call changes nothing."""
    EC2_PREFIX_TO_RESOURCE.update(_NAMES)
