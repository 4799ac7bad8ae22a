# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Does the API server serve a CustomResourceDefinition, in the versions and of the bundle that are wanted?

Source: kstatus' CRDConditions, apiextensions' naming controller, and the Gateway API's annotation on its definitions.
"""

from __future__ import annotations

import re
import typing as t

from .._mesh.labels import annotations_of
from .verdict import Object, Verdict, condition, not_found, terminating

BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version"

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-.+)?")


def judge_custom_resource_definition(name: str, definition: Object | None, *, served_versions: t.Sequence[str] = (), bundle_version: str = "") -> Verdict:
    """Current when it is Established and serves what is wanted; a name that another definition has taken is final.

    Args:
        name: the definition's name.
        definition: the definition, or None.
        served_versions: versions that it must serve.
        bundle_version: the version of the Gateway API's bundle that it must come from, such as C(v1.6.1), or at least, such as C(>=v1.4.0).
    """
    if definition is None:
        return not_found(f"CustomResourceDefinition {name}", "Install the CRDs: role gateway_api for the Gateway API, role istio for Istio's own.")
    deleted = terminating(definition)
    if deleted:
        return deleted
    names = condition(definition, "NamesAccepted")
    if names and names.get("status") == "False":
        remedy = "Remove the definition that has the name."
        return Verdict("Failed", str(names.get("reason")), str(names.get("message")), remedy, names.get("lastTransitionTime", ""), final=True)
    established = condition(definition, "Established")
    if not established or established.get("status") != "True":
        return Verdict("InProgress", "NotEstablished", "the API server does not serve it yet", "Wait a moment; if it lasts, look into the API server's log.")
    served = [version["name"] for version in definition["spec"].get("versions") or () if version.get("served")]
    missing = [version for version in served_versions if version not in served]
    if missing:
        message = f"it does not serve {', '.join(missing)}, only {', '.join(served) or 'nothing'}"
        return Verdict("InProgress", "VersionNotServed", message, "Install the definitions of a bundle that has this version (role gateway_api).")
    bundle = annotations_of(definition).get(BUNDLE_VERSION, "")
    if bundle_version and not _is_of(bundle, bundle_version):
        message = f"it is of bundle {bundle}, not {bundle_version}" if bundle else f"it has no annotation {BUNDLE_VERSION}, and {bundle_version} is wanted"
        return Verdict("InProgress", "OtherBundle", message, "Install the bundle that is wanted (role gateway_api), or correct the wish.")
    return Verdict("Current", message=f"serves {', '.join(served)}{f' of bundle {bundle}' if bundle_version else ''}", details={"served_versions": served})


def is_bundle_wish(text: str) -> bool:
    """Whether a text says which bundle is wanted, in a form that can be judged."""
    return _VERSION.fullmatch(text[2:].strip() if text.startswith(">=") else text) is not None


def _is_of(bundle: str, wanted: str) -> bool:
    if not wanted.startswith(">="):
        return bundle.lstrip("v") == wanted.lstrip("v")
    has, least = _order(bundle), _order(wanted[2:].strip())
    return has is not None and least is not None and has >= least


def _order(version: str) -> tuple[int, int, int, bool, str] | None:
    """A version as what orders it; one that is not final comes before the final one."""
    found = _VERSION.fullmatch(version)
    if not found:
        return None
    major, minor, patch, unfinished = found.groups()
    return int(major), int(minor), int(patch), unfinished is None, unfinished or ""


__all__ = ("is_bundle_wish", "judge_custom_resource_definition")
