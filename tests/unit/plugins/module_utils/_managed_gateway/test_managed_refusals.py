"""Which refusals of a dry run istiod will meet as well: a false refusal is as bad as a missing one."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._errors import ApiError
from ansible_collections.meshwright.ambient.plugins.module_utils._k8s.denials import find_denial
from ansible_collections.meshwright.ambient.plugins.module_utils._managed_gateway.refusals import describe, is_certain, is_no_answer
from ansible_collections.meshwright.ambient.plugins.module_utils._managed_gateway.spec import Created
from tests.unit.objects import Object

POLICY = "ValidatingAdmissionPolicy 'need-team' with binding 'need-team' denied request: label team is missing"
DENIED_POLICY = f'deployments.apps "waypoint" is forbidden: {POLICY}'
QUOTA = 'deployments.apps "waypoint" is forbidden: exceeded quota: few, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: 1'
WEBHOOK = 'admission webhook "kyverno.example.com" denied the request: no'
UNCOUNTED = 'services "waypoint" is forbidden: status unknown for quota: few, resources: count/services'
PORT = 'Service "waypoint" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated'


def error(status: int, message: str) -> ApiError:
    denial = find_denial(message)
    return ApiError(message, status=status, reason="", server_message=message, cause=denial.cause if denial else "", refused_by=denial.name if denial else "")


def policy(expression: str) -> Object:
    rules = {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]}
    return {"metadata": {"name": "need-team"}, "spec": {"matchConstraints": rules, "validations": [{"expression": expression}]}}


WITH_PARAMETERS: Object = {"spec": {"paramKind": {"kind": "ConfigMap"}, "validations": [{"expression": "params.a"}]}}


@pytest.mark.parametrize(
    ("refused", "by", "certain"),
    [
        pytest.param(error(422, DENIED_POLICY), policy("has(object.metadata.labels.team)"), True, id="policy-on-labels"),
        pytest.param(error(422, DENIED_POLICY), policy("request.userInfo.username == 'system:serviceaccount:istio-system:istiod'"), False, id="policy-on-who"),
        pytest.param(
            error(422, DENIED_POLICY), policy("object.spec.template.spec.containers.all(c, c.image.startsWith('example.com/'))"), False, id="policy-on-images"
        ),
        pytest.param(error(422, DENIED_POLICY), None, False, id="policy-that-may-not-be-read"),
        pytest.param(
            error(422, DENIED_POLICY),
            WITH_PARAMETERS,
            False,
            id="policy-with-parameters",
        ),
        pytest.param(
            error(422, DENIED_POLICY),
            {"spec": {"matchConditions": [{"expression": "request.userInfo.username != 'a'"}], "validations": [{"expression": "false"}]}},
            False,
            id="policy-for-some-users",
        ),
        pytest.param(error(403, QUOTA), None, True, id="quota"),
        pytest.param(error(403, UNCOUNTED), None, False, id="quota-that-is-not-counted-yet"),
        pytest.param(error(403, WEBHOOK), None, False, id="webhook"),
        pytest.param(error(400, WEBHOOK), None, False, id="webhook-that-answers-400"),
        pytest.param(error(422, PORT), None, True, id="invalid"),
        pytest.param(error(500, 'failed calling webhook "a.example.com": no endpoints available for service "a"'), None, False, id="webhook-that-is-gone"),
    ],
)
def test_what_is_certain(refused: ApiError, by: Object | None, certain: bool) -> None:
    assert is_certain(refused, by) is certain


@pytest.mark.parametrize(
    ("refused", "only_overlays", "no_answer"),
    [
        pytest.param(error(403, 'deployments.apps is forbidden: User "eve" cannot create resource "deployments"'), False, True, id="not-allowed"),
        pytest.param(error(409, 'serviceaccounts "waypoint" already exists'), False, True, id="exists"),
        pytest.param(error(404, 'namespaces "shop" not found'), False, True, id="no-namespace"),
        pytest.param(error(400, 'admission webhook "a.example.com" does not support dry run'), False, True, id="no-dry-run"),
        pytest.param(error(422, DENIED_POLICY), False, False, id="policy"),
        pytest.param(error(422, DENIED_POLICY), True, True, id="policy-on-another-name"),
        pytest.param(error(403, QUOTA), True, True, id="counted-already"),
        pytest.param(error(422, PORT), True, True, id="has-the-port-already"),
        pytest.param(error(422, PORT), False, False, id="port-of-another"),
        pytest.param(error(422, 'Service "x" is invalid: spec.type: Unsupported value: "Wrong"'), True, False, id="invalid-whatever-its-name"),
    ],
)
def test_what_is_no_answer(refused: ApiError, only_overlays: bool, no_answer: bool) -> None:
    assert is_no_answer(refused, only_overlays=only_overlays) is no_answer


def created(name: str = "waypoint", **spec: Any) -> Created:
    return Created(f"Waypoint shop/{name}", {"metadata": {"name": name, "namespace": "shop"}, "spec": {"gatewayClassName": "istio-waypoint", **spec}}, {})


ITEM: Object = {"kind": "Deployment", "metadata": {"name": "waypoint", "namespace": "shop"}}


def test_the_sentence_names_object_cause_and_remedy() -> None:
    assert describe(created(), "deployment", ITEM, error(422, DENIED_POLICY), certain=True) == (
        f"Waypoint shop/waypoint: the API server would not let istiod create Deployment shop/waypoint (deployments.apps is forbidden: {POLICY}), so it would "
        "never be ready: satisfy admission policy need-team, or ask its owner to change it; a permission would not help."
    )
    doubtful = describe(created(), "deployment", ITEM, error(403, WEBHOOK), certain=False)
    assert "does not let this user create Deployment shop/waypoint, and may refuse it to istiod as well" in doubtful
    assert "webhook kyverno.example.com" in doubtful
    assert describe(created(), "service", ITEM, error(422, PORT), certain=True).endswith("correct the options, or overlays.service.")


def test_gateways_that_differ_in_their_name_alone_are_one() -> None:
    named = {"infrastructure": {"parametersRef": {"name": "a-parameters"}}}
    assert created("a", **named).identity == created("b", infrastructure={"parametersRef": {"name": "b-parameters"}}).identity
    assert created("a").identity != created("a", infrastructure={"labels": {"team": "shop"}}).identity
