from __future__ import annotations

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._mesh.revisions import Revisions, find_revisions
from tests.unit.objects import Object


def _item(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": {key.replace("_", "/"): value for key, value in labels.items()}}}


def _istiod(revision: str) -> Object:
    return _item("istiod", **{"istio.io_rev": revision})


def _tag(tag: str, revision: str, name: str = "") -> Object:
    return _item(name or f"istio-revision-tag-{tag}", **{"istio.io_rev": revision, "istio.io_tag": tag})


VALIDATOR = _item("istiod-default-validator", **{"istio.io_rev": "1-31"})
OTHER_VALIDATOR = _item("istio-validator-1-32", **{"istio.io_rev": "1-32"})


@pytest.mark.parametrize(
    ("istiods", "mutating", "validating", "services", "owners"),
    [
        pytest.param([_istiod("default")], [], [], [], {"": "default", "default": "default", "1-31": None}, id="one-without-a-revision"),
        pytest.param([_item("istiod")], [], [], [], {"": "default"}, id="one-without-a-label"),
        pytest.param([], [], [VALIDATOR], [], {"": None, "1-31": None}, id="none"),
        pytest.param([_istiod("1-31")], [], [], [], {"": None, "1-31": "1-31"}, id="a-revision-and-no-default"),
        pytest.param([_istiod("1-31")], [], [OTHER_VALIDATOR, VALIDATOR], [], {"": "1-31"}, id="the-validator-names-the-default"),
        pytest.param([_istiod("1-32")], [], [VALIDATOR], [], {"": None}, id="the-default-is-gone"),
        pytest.param(
            [_istiod("1-31"), _istiod("1-32")],
            [_tag("prod", "1-31"), _tag("canary", "1-32")],
            [],
            [],
            {"prod": "1-31", "canary": "1-32", "1-32": "1-32", "test": None},
            id="tags",
        ),
        pytest.param([_istiod("1-31"), _istiod("1-32")], [_tag("default", "1-32")], [VALIDATOR], [], {"": "1-32", "default": "1-32"}, id="the-tag-goes-first"),
        pytest.param([_istiod("1-31")], [_tag("default", "1-30")], [VALIDATOR], [], {"": None, "default": None}, id="a-default-tag-of-one-that-is-gone"),
        pytest.param([_istiod("1-31")], [], [], [_tag("prod", "1-31")], {"prod": "1-31"}, id="a-tag-of-a-service"),
        pytest.param([_istiod("1-31")], [_tag("prod", "1-30")], [], [], {"prod": None}, id="a-tag-of-one-that-is-gone"),
    ],
)
def test_who_owns(istiods: list[Object], mutating: list[Object], validating: list[Object], services: list[Object], owners: dict[str, str | None]) -> None:
    revisions = find_revisions(istiods, mutating, validating, services)
    assert {named: revisions.owner(named) for named in owners} == owners


def test_no_istiod_owns_nothing() -> None:
    assert Revisions().owner("") is None
