# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""From a desired node group to the parameters of EKS."""

from __future__ import annotations

import typing as t

from .spec import FIXED

if t.TYPE_CHECKING:
    from .spec import NodegroupSpec


def render_creation(spec: NodegroupSpec) -> dict[str, t.Any]:
    """The parameters of C(CreateNodegroup) without cluster and name; what the spec leaves open is left to EKS."""
    params = {key: getattr(spec, option) for option, key in FIXED.items() if getattr(spec, option) is not None}
    optional = {
        "scalingConfig": render_scaling(spec),
        "updateConfig": render_update_config(spec),
        "labels": spec.labels,
        "taints": spec.taints,
        "version": spec.version,
        "releaseVersion": spec.release_version,
        "launchTemplate": spec.launch_template,
    }
    return {**params, **{key: value for key, value in optional.items() if value}}


def render_scaling(spec: NodegroupSpec) -> dict[str, int]:
    """The C(scalingConfig) that the options give; empty if none."""
    names = (("min_size", "minSize"), ("max_size", "maxSize"), ("desired_size", "desiredSize"))
    return {key: getattr(spec, option) for option, key in names if getattr(spec, option) is not None}


def render_update_config(spec: NodegroupSpec) -> dict[str, int]:
    """The C(updateConfig) that the options give; empty if none."""
    names = (("max_unavailable", "maxUnavailable"), ("max_unavailable_percentage", "maxUnavailablePercentage"))
    return {key: getattr(spec, option) for option, key in names if getattr(spec, option) is not None}


__all__ = ("render_creation", "render_scaling", "render_update_config")
