"""Filters of the role eks."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.meshwright.ambient.plugins.filter.eks import eks_addons_without_role, eks_nodegroups, tag_values


def test_roles_are_made_for_add_ons_that_need_one_and_name_none() -> None:
    driver = {"name": "aws-ebs-csi-driver", "state": "present", "role_arn": ""}
    assert eks_addons_without_role([{"name": "coredns"}, driver]) == [driver]
    assert eks_addons_without_role([{**driver, "state": "absent"}]) == []


def test_tags_are_text() -> None:
    assert tag_values({"Cost": "0815", "Build": "1e3", "Spot": True, "Tier": 1, "Empty": None}) == {
        "Build": "1e3",
        "Cost": "0815",
        "Empty": "",
        "Spot": "true",
        "Tier": "1",
    }


def test_what_is_no_text_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match=r"the value of Cost is \['a'\], and has to be a text"):
        tag_values({"Cost": ["a"]})
    with pytest.raises(AnsibleFilterError, match="eks_node_groups or eks_tags: the value of team"):
        eks_nodegroups([{"name": "general", "labels": {"team": {}}}], "role", [], "1.35")
