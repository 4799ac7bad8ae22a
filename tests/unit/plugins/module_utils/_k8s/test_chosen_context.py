"""A user who acts as somebody else would be two users in one run: kubectl and Helm act so, the modules do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.chosen_context import refuse_impersonation
from ansible_collections.meshwright.ambient.plugins.plugin_utils._kubeconfigs import find_kubeconfig_errors


def kubeconfig(user: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "shop", "cluster": {"server": "https://192.0.2.1"}}],
        "users": [{"name": "ci", "user": {"token": "s3cret", **user}}, {"name": "other", "user": {"token": "t", "as": "admin"}}],
        "contexts": [{"name": name, "context": {"cluster": "shop", "user": name}} for name in ("ci", "other")],
        "current-context": "ci",
    }


@pytest.mark.parametrize("user", [{"as": "deployer"}, {"as": "deployer", "as-groups": ["mesh"], "as-uid": "1"}, {"as-user-extra": {"a": ["b"]}}])
@pytest.mark.parametrize("as_file", [True, False])
def test_it_is_refused_by_each_way_to_give_a_kubeconfig(user: dict[str, Any], as_file: bool, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(kubeconfig(user)))
    given = str(file) if as_file else kubeconfig(user)
    with pytest.raises(MeshError, match=r"User ci of the kubeconfig acts as somebody else \(as"):
        refuse_impersonation(given)
    (error,) = find_kubeconfig_errors({"cluster_kubeconfig": given}, {})
    assert error.startswith("cluster_kubeconfig has a user who acts as somebody else")
    assert "s3cret" not in error


@pytest.mark.parametrize("user", [{}, {"as": ""}, {"as-groups": []}])
def test_another_users_keys_and_empty_ones_do_not_count(user: dict[str, Any]) -> None:
    refuse_impersonation(kubeconfig(user))
    assert find_kubeconfig_errors({"cluster_kubeconfig": kubeconfig(user)}, {}) == []
    with pytest.raises(MeshError, match="User other"):
        refuse_impersonation(kubeconfig(user), "other")
