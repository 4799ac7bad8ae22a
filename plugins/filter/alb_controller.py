# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

_ANNOTATIONS = ("gateway.networking.k8s.io/bundle-version", "gateway.networking.k8s.io/channel")


class FilterModule:
    """Filters of the role alb_controller."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gateway_api_bundle": gateway_api_bundle}


def gateway_api_bundle(definitions: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Release and channel of the Gateway API; see gateway_api_bundle.yml."""
    annotations = (definitions[0]["metadata"].get("annotations") or {}) if definitions else {}
    text = " ".join(str(annotations[name]) for name in _ANNOTATIONS if name in annotations)
    return re.sub(r"^[^.]*[.]", "", text) or "none"
