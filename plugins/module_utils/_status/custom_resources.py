# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Does the API server serve a CustomResourceDefinition, in the expected versions, and from the expected bundle?

Source: kstatus' CRDConditions, apiextensions' naming controller, and the Gateway API's annotation on its definitions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._kinds import CUSTOM_RESOURCE_DEFINITION
from .._mesh.labels import annotations_of
from .target import Expectation, Rule, Snapshot, Target, needs_in_namespace
from .verdict import Object, Verdict, absent, condition, terminating

BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version"

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-.+)?")


@dataclass(frozen=True)
class DefinitionExpectation(Expectation):
    """What else must be true of a CustomResourceDefinition.

    Attributes:
        served_versions: versions that it must serve.
        bundle_version: the version of the Gateway API's bundle that it must come from, such as C(v1.6.1), or at least, such as C(>=v1.4.0); empty for any.
    """

    served_versions: tuple[str, ...] = ()
    bundle_version: str = ""


def judge_custom_resource_definition(name: str, definition: Object | None, expected: DefinitionExpectation = DefinitionExpectation()) -> Verdict:
    """Current when it is Established and as expected; a name that another definition has already taken is final.

    Args:
        name: the definition's name.
        definition: the definition, or None.
        expected: what else must be true of it.
    """
    if definition is None or terminating(definition):
        return absent(f"CustomResourceDefinition {name}", definition, "Install the CRDs: role gateway_api for the Gateway API, role istio for Istio's own.")
    names = condition(definition, "NamesAccepted")
    if names and names.get("status") == "False":
        remedy = "Delete the definition that already has this name."
        return Verdict("Failed", str(names.get("reason")), str(names.get("message")), remedy, names.get("lastTransitionTime", ""), final=True)
    established = condition(definition, "Established")
    if not established or established.get("status") != "True":
        return Verdict("InProgress", "NotEstablished", "the API server does not serve it yet", "Wait a moment; if this persists, check the API server's log.")
    served = [version["name"] for version in definition["spec"].get("versions") or () if version.get("served")]
    missing = [version for version in expected.served_versions if version not in served]
    if missing:
        message = f"it does not serve {', '.join(missing)}, only {', '.join(served) or 'nothing'}"
        return Verdict("InProgress", "VersionNotServed", message, "Install the definitions of a bundle that serves this version (role gateway_api).")
    bundle, bundle_version = annotations_of(definition).get(BUNDLE_VERSION, ""), expected.bundle_version
    if bundle_version and not _is_of(bundle, bundle_version):
        message = f"it comes from bundle {bundle}, not {bundle_version}" if bundle else f"it has no annotation {BUNDLE_VERSION}, expected {bundle_version}"
        return Verdict("InProgress", "OtherBundle", message, "Install that bundle (role gateway_api), or correct bundle_version.")
    return Verdict("Current", message=f"serves {', '.join(served)}{f' of bundle {bundle}' if bundle_version else ''}", details={"served_versions": served})


def is_bundle_version(text: str) -> bool:
    """Whether a text is a bundle version, or a lower bound of one."""
    return _VERSION.fullmatch(text[2:].strip() if text.startswith(">=") else text) is not None


def _is_of(bundle: str, expected: str) -> bool:
    if not expected.startswith(">="):
        return bundle.lstrip("v") == expected.lstrip("v")
    has, least = _order(bundle), _order(expected[2:].strip())
    return has is not None and least is not None and has >= least


def _order(version: str) -> tuple[int, int, int, bool, str] | None:
    """A version as what orders it; one that is not final comes before the final one."""
    found = _VERSION.fullmatch(version)
    if not found:
        return None
    major, minor, patch, unfinished = found.groups()
    return int(major), int(minor), int(patch), unfinished is None, unfinished or ""


def _judge(target: Target, snapshot: Snapshot) -> Verdict:
    return judge_custom_resource_definition(target.name, snapshot.get(CUSTOM_RESOURCE_DEFINITION, target.name), target.expected(DefinitionExpectation))


DEFINITION_RULE = Rule(needs_in_namespace(CUSTOM_RESOURCE_DEFINITION), ("name",), _judge)

__all__ = ("DEFINITION_RULE", "DefinitionExpectation", "is_bundle_version", "judge_custom_resource_definition")
