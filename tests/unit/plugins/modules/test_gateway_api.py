"""Nothing of a bundle is written if the API server would refuse a part of it, the admission policy that comes last included."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules.gateway_api import install
from tests.unit.fake_api import Answer, FakeApi, Request, listed, refusal
from tests.unit.objects import recorded

DEFINITION = recorded("customresourcedefinition/gateways_established")
POLICY = recorded("validatingadmissionpolicy/safe_upgrades")
BINDING = recorded("validatingadmissionpolicybinding/safe_upgrades")
DENIED = 'admission webhook "policies.example" denied the request: no policies but ours'


@pytest.mark.parametrize("refused", [DEFINITION, POLICY, BINDING], ids=lambda item: item["kind"])
@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_a_part_that_would_be_refused_keeps_the_others_from_being_written(refused: dict[str, Any], check: bool, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.yaml"
    bundle.write_text(yaml.safe_dump_all([DEFINITION, POLICY, BINDING]))

    def respond(request: Request) -> Answer:
        if request.method == "PATCH" and request.path.endswith(f"/{refused['metadata']['name']}") and request.body["kind"] == refused["kind"]:
            return refusal(403, "Forbidden", DENIED)
        if request.method == "GET":
            return listed() if request.path.endswith("customresourcedefinitions") else refusal(404, "NotFound", "none", name="x")
        return Answer(200, {"status": {"allowed": True}})

    api = FakeApi(respond=respond)
    params = {"source": str(bundle), "upgrade": False, "force_conflicts": False, "wait_timeout": 1}
    module: Any = SimpleNamespace(params=params, check_mode=check, warn=lambda _warning: None)
    with pytest.raises(MeshError, match="no policies but ours"):
        install(module, api.session)
    written = [str(request) for request in api.requests if request.method == "PATCH" and not request.dry_run]
    assert written == [], "something was written before the refusal was known"
