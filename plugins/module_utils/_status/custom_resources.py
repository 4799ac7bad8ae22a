# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""Does the API server serve a CustomResourceDefinition? Source: kstatus' CRDConditions and apiextensions' naming controller."""

from __future__ import annotations

from .verdict import Object, Verdict, condition, not_found, terminating


def judge_custom_resource_definition(name: str, definition: Object | None) -> Verdict:
    """Current when it is Established; a name that another definition has taken is final."""
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
    if established and established.get("status") == "True":
        served = [version["name"] for version in definition["spec"].get("versions") or () if version.get("served")]
        return Verdict("Current", message=f"serves {', '.join(served)}")
    return Verdict("InProgress", "NotEstablished", "the API server does not serve it yet", "Wait a moment; if it lasts, look into the API server's log.")


__all__ = ("judge_custom_resource_definition",)
