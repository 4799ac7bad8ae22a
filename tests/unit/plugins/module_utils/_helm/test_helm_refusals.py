"""What Helm says about objects that exist, as a sentence with the owner and the way. The messages have the form of Helm 3.22 (pkg/action/validate.go)."""

from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.refusals import is_unknown, refuse_conflict
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.spec import Release

BASE = Release("istio-base", "istio-system", None, {})
DEFINITION = (
    'Error: Unable to continue with install: CustomResourceDefinition "sidecars.networking.istio.io" in namespace "" exists and cannot be imported into '
    "the current release: invalid ownership metadata; annotation validation error: "
)
OF_ANOTHER_NAME = f'{DEFINITION}key "meta.helm.sh/release-name" must equal "istio-base": current value is "base"'
OF_ANOTHER_NAMESPACE = f'{DEFINITION}key "meta.helm.sh/release-namespace" must equal "istio-system": current value is "mesh"'
APPLIED = (
    'Error: Unable to continue with install: ServiceAccount "istiod" in namespace "istio-system" exists and cannot be imported into the current release: '
    'invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: '
    'missing key "meta.helm.sh/release-name": must be set to "istio-base"'
)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (OF_ANOTHER_NAME, "CustomResourceDefinition sidecars.networking.istio.io, which belongs to release istio-system/base: give the release that name"),
        (
            OF_ANOTHER_NAMESPACE,
            "CustomResourceDefinition sidecars.networking.istio.io, which belongs to release mesh/istio-base: give the release that namespace, or uninstall",
        ),
        (APPLIED, "ServiceAccount istio-system/istiod, which was not installed by Helm: hand it over with take_ownership"),
    ],
)
def test_the_owner_is_named_with_the_way(message: str, why: str) -> None:
    refusal = refuse_conflict(BASE, "https://mesh.example", message)
    assert refusal.startswith("Release istio-system/istio-base cannot be installed on cluster https://mesh.example, because its chart contains ")
    assert why in refusal
    assert "take_ownership" in refusal


def test_other_messages_are_not_about_owners() -> None:
    assert refuse_conflict(BASE, "https://mesh.example", 'Error: values don\'t meet the specifications of the schema(s): replicaCount: "x"') == ""


@pytest.mark.parametrize(
    ("message", "unknown"),
    [
        ('Error: unable to build kubernetes objects from release manifest: no matches for kind "Telemetry" in version "telemetry.istio.io/v1"', True),
        ('Error: invalid argument "server" for "--dry-run" flag: strconv.ParseBool: parsing "server": invalid syntax', True),
        (OF_ANOTHER_NAME, False),
        ("Error: execution error at (ztunnel/templates/daemonset.yaml:1:4): unsupported value", False),
    ],
)
def test_what_a_dry_run_cannot_know(message: str, unknown: bool) -> None:
    assert is_unknown(message) is unknown
