# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the names, namespaces, service accounts and versions of all charts."""

from __future__ import annotations

import re
import typing as t

from .._limits.kubernetes import find_label_name_errors, find_name_errors, is_subdomain
from .._text import repeated

if t.TYPE_CHECKING:
    from .variables import Variables


# Source: Helm's pkg/chart/common/util (ValidateReleaseName).
LONGEST_RELEASE = 53


def validate_releases(variables: Variables) -> t.Iterator[str]:
    """One sentence for each validation error; each begins with the variable's name.

    Args:
        variables: the values of the roles' variables, as values.convert() returns them.
    """
    values: t.Mapping[str, t.Any] = variables
    enabled = {role: bool(values.get(f"{role}_enabled")) for role in ("alb_controller", "karpenter", "bookinfo")}
    namespaces = {"istio_namespace": variables.get("istio_namespace"), "istio_argocd.namespace": (variables.get("istio_argocd") or {}).get("namespace")}
    namespaces.update({f"{role}_namespace": values.get(f"{role}_namespace") for role, is_enabled in enabled.items() if is_enabled})
    for name, namespace in namespaces.items():
        if namespace is not None:
            yield from find_label_name_errors(name, namespace)
    releases = {f"istio_release_names.{chart}": release for chart, release in (values.get("istio_release_names") or {}).items() if release}
    for role in ("alb_controller", "karpenter"):
        if enabled[role]:
            yield from find_name_errors(f"{role}_service_account", values.get(f"{role}_service_account"))
            releases[f"{role}_release_name"] = values.get(f"{role}_release_name")
            yield from _find_version_errors(f"{role}_version", values.get(f"{role}_version"), "3.5.0" if role == "alb_controller" else "1.14.1")
    for name, release in releases.items():
        if not is_subdomain(release) or len(release) > LONGEST_RELEASE:
            yield f"{name} is {release!r}: use at most {LONGEST_RELEASE} lower-case letters, digits, dashes and dots."
    named = [release for name, release in releases.items() if name.startswith("istio_")]
    for release in repeated(named):
        yield f"istio_release_names has {release} more than once: each chart needs a release of its own."
    gateway_api = variables.get("gateway_api_version")
    if gateway_api and not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", str(gateway_api)):
        yield f"gateway_api_version is {gateway_api!r}: use a full version with v, such as v1.6.1."


def _find_version_errors(name: str, version: t.Any, example: str) -> t.Iterator[str]:
    if version is not None and not re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?", str(version)):
        yield f"{name} is {version!r}: use a full version without v, such as {example}."


__all__ = ("LONGEST_RELEASE", "validate_releases")
