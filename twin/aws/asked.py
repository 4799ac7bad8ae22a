"""What was asked of AWS: the service and operation of one request, and who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.model import OperationModel


@dataclass(frozen=True)
class Asked:
    """One request."""

    service: str
    """As botocore names it: eks, elbv2, ec2. Empty if that is unknown."""
    operation: str
    """As botocore names it: DescribeCluster."""
    access_key: str
    user_agent: str
    content_type: str = ""
    model: OperationModel | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """The names and identifiers among the parameters of a write, by parameter."""
