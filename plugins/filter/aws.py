# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._iam.trust import partition_of, trust_service_account


class FilterModule:
    """Filters that the roles for AWS share."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"aws_partition": aws_partition, "aws_trust_policy": aws_trust_policy}


def aws_partition(region: str) -> str:
    """The partition of a region; see aws_partition.yml."""
    return partition_of(str(region))


def aws_trust_policy(identity: str, account: str, issuer: str, namespace: str, service_account: str) -> dict[str, t.Any]:
    """The trust policy for a service account; see aws_trust_policy.yml."""
    return trust_service_account(str(identity), account=str(account), issuer=str(issuer), namespace=str(namespace), name=str(service_account))
