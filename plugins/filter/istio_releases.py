# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._helm.gateway_releases import gateway_releases
from ..module_utils._helm.spec import desired_releases

Release = t.Dict[str, t.Any]


class FilterModule:
    """Filters of the role istio: its releases."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gateway_releases": gateway_releases_of, "desired_releases": desired_releases_of}


def gateway_releases_of(gateways: t.Iterable[t.Mapping[str, t.Any]], source: str, version: str, platform: str = "") -> list[Release]:
    """The releases of gateways; see gateway_releases.yml."""
    return gateway_releases(gateways, source=str(source), version=str(version), platform=str(platform))


def desired_releases_of(releases: t.Iterable[t.Mapping[str, t.Any]], namespace: str) -> list[Release]:
    """Releases as helm_release_info takes them; see desired_releases.yml."""
    return desired_releases(releases, str(namespace))
