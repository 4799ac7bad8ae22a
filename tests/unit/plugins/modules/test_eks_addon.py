"""What the module asks of EKS, and in which order; what is decided is tested with the plan."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._aws.poll import wait_until
from ansible_collections.meshwright.ambient.plugins.module_utils._eks_addon.apply import AddonWait
from ansible_collections.meshwright.ambient.plugins.module_utils._errors import MeshError
from ansible_collections.meshwright.ambient.plugins.modules import eks_addon
from tests.unit.aws_stub import AwsStub, stub_module

ROLE = "arn:aws:iam::123456789012:role/ebs"
DEFAULT, LATEST = "v1.20.0-eksbuild.1", "v1.21.0-eksbuild.2"
NO_NODES = {"code": "InsufficientNumberOfReplicas", "message": "no replicas", "resourceIds": []}
CONFLICT = {"code": "ConfigurationConflict", "message": "DaemonSet aws-node", "resourceIds": ["aws-node"]}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """No test waits: the pauses move a clock of its own."""
    clock = Clock()
    monkeypatch.setattr(eks_addon, "AddonWait", partial(AddonWait, waiting=partial(wait_until, clock=clock.read, pause=clock.pause), clock=clock.read))
    return clock


def _item(name: str, **fields: Any) -> dict[str, Any]:
    return {option: rule.get("default") for option, rule in eks_addon.OPTIONS["addons"]["options"].items()} | {"name": name, **fields}


def _run(aws: AwsStub, *items: dict[str, Any], check_mode: bool = False, warnings: list[str] | None = None, **params: Any) -> dict[str, Any]:
    module = stub_module(eks_addon.OPTIONS, check_mode=check_mode, cluster="prod", addons=list(items), **params)
    try:
        result: dict[str, Any] = eks_addon.ensure_addons(module, aws.session)
        return result
    finally:
        if warnings is not None:
            warnings += module.warnings


def _lists(aws: AwsStub, *names: str) -> None:
    aws.answer("eks", "list_addons", {"addons": list(names)}, clusterName="prod")


def _describes(aws: AwsStub, name: str, status: str = "ACTIVE", version: str = DEFAULT, **fields: Any) -> None:
    addon = {"addonName": name, "status": status, "addonVersion": version, "addonArn": f"arn:aws:eks:::addon/prod/{name}", **fields}
    aws.answer("eks", "describe_addon", {"addon": addon}, clusterName="prod", addonName=name)


def _gone(aws: AwsStub, name: str) -> None:
    aws.refuse("eks", "describe_addon", "ResourceNotFoundException", status=404, clusterName="prod", addonName=name)


def _offers(aws: AwsStub, name: str, *, first: bool = True) -> None:
    if first:
        aws.answer("eks", "describe_cluster", {"cluster": {"name": "prod", "version": "1.33"}}, name="prod")
    versions = [
        {"addonVersion": version, "compatibilities": [{"clusterVersion": "1.33", "defaultVersion": version == DEFAULT}]} for version in (LATEST, DEFAULT)
    ]
    aws.answer("eks", "describe_addon_versions", {"addons": [{"addonName": name, "addonVersions": versions}]}, addonName=name, kubernetesVersion="1.33")


def _creates(aws: AwsStub, name: str, version: str = DEFAULT, **params: Any) -> None:
    asked = {"clusterName": "prod", "addonName": name, "addonVersion": version, "resolveConflicts": "NONE", **params}
    aws.answer("eks", "create_addon", {"addon": {"addonName": name, "status": "CREATING"}}, **asked)


def _updates(aws: AwsStub, name: str, version: str = DEFAULT, **params: Any) -> None:
    asked = {"clusterName": "prod", "addonName": name, "addonVersion": version, "resolveConflicts": "NONE", **params}
    aws.answer("eks", "update_addon", {"update": {"id": "u-1"}}, **asked)


def test_an_unchanged_run_lists_once_and_describes_each_once() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns", "vpc-cni", "others")
        _describes(aws, "vpc-cni", configurationValues='{"env": {"A": "true"}}')
        _describes(aws, "coredns")
        result = _run(aws, _item("vpc-cni", version=DEFAULT, configuration_values={"env": {"A": "true"}}), _item("coredns"))
        assert aws.session.api_calls == {"eks:DescribeAddon": 2, "eks:ListAddons": 1}
    assert (result["changed"], result["diff"]) == (False, [])
    assert [(addon["name"], addon["action"], addon["status"]) for addon in result["addons"]] == [
        ("vpc-cni", "unchanged", "ACTIVE"),
        ("coredns", "unchanged", "ACTIVE"),
    ]


def test_versions_are_asked_for_once_for_each_addon_and_the_cluster_once() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns", "vpc-cni")
        _describes(aws, "vpc-cni")
        _describes(aws, "coredns", version=LATEST)
        _offers(aws, "vpc-cni")
        _offers(aws, "coredns", first=False)
        result = _run(aws, _item("vpc-cni", version="default"), _item("coredns", version="v1.21"))
    assert not result["changed"]


def test_all_are_sent_before_any_is_waited_for() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns")
        _describes(aws, "coredns")
        _offers(aws, "vpc-cni")
        _offers(aws, "coredns", first=False)
        _creates(aws, "vpc-cni", LATEST, configurationValues='{"a":1}', tags={"n": "1"})
        _updates(aws, "coredns", LATEST)
        _describes(aws, "vpc-cni", "CREATING", LATEST)
        _describes(aws, "coredns", "UPDATING")
        _describes(aws, "vpc-cni", "ACTIVE", LATEST)
        _describes(aws, "coredns", "UPDATING")
        _describes(aws, "coredns", "ACTIVE", LATEST)
        result = _run(aws, _item("vpc-cni", version="latest", configuration_values={"a": 1}, tags={"n": 1}), _item("coredns", version="latest"))
    assert [(addon["action"], addon["version"], addon["status"]) for addon in result["addons"]] == [
        ("created", LATEST, "ACTIVE"),
        ("updated", LATEST, "ACTIVE"),
    ]
    assert result["diff"][1]["before"] == f"version: {DEFAULT}\n"
    assert result["diff"][1]["after"] == f"version: {LATEST}\n"


def test_check_mode_reads_only() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns", "old")
        _describes(aws, "coredns", "DEGRADED", health={"issues": [CONFLICT]})
        _describes(aws, "old")
        _offers(aws, "vpc-cni")
        warnings: list[str] = []
        result = _run(aws, _item("vpc-cni"), _item("coredns", tags={"a": "b"}), check_mode=True, purge=True, warnings=warnings)
    assert [(addon["name"], addon["action"]) for addon in result["addons"]] == [("vpc-cni", "created"), ("coredns", "updated"), ("old", "deleted")]
    assert "is DEGRADED (ConfigurationConflict: DaemonSet aws-node)" in warnings[0]


def test_check_mode_knows_that_the_cluster_comes_with_an_earlier_task() -> None:
    with AwsStub() as aws:
        aws.refuse("eks", "list_addons", "ResourceNotFoundException", status=404, clusterName="prod")
        warnings: list[str] = []
        result = _run(aws, _item("vpc-cni"), _item("coredns", version="v1.12"), _item("old", state="absent"), check_mode=True, warnings=warnings)
    assert [(addon["action"], addon["version"]) for addon in result["addons"]] == [("created", "default"), ("created", "v1.12"), ("unchanged", "")]
    assert warnings == ["There is no EKS cluster prod in eu-west-1 yet: all its add-ons are reported as new."]


@pytest.mark.parametrize(
    ("items", "reported"),
    [
        pytest.param(
            [_item("vpc-cni", version="v9"), _item("coredns", version="v8")], ["vpc-cni has no version v9", "coredns has no version v8"], id="versions"
        ),
    ],
)
def test_all_versions_that_are_not_there_are_reported_before_the_first_write(items: list[dict[str, Any]], reported: list[str]) -> None:
    with AwsStub() as aws:
        _lists(aws)
        _offers(aws, "vpc-cni")
        _offers(aws, "coredns", first=False)
        with pytest.raises(MeshError) as caught:
            _run(aws, *items)
    for expected in [*reported, "Nothing was changed on cluster prod."]:
        assert expected in caught.value.message


@pytest.mark.parametrize("code", ["InvalidParameterException", "ResourceNotFoundException"])
def test_an_addon_that_eks_does_not_know_is_reported_by_name(code: str) -> None:
    with AwsStub() as aws:
        _lists(aws)
        aws.answer("eks", "describe_cluster", {"cluster": {"name": "prod", "version": "1.33"}}, name="prod")
        aws.refuse("eks", "describe_addon_versions", code, "Addon vpc-cny specified is not supported", addonName="vpc-cny", kubernetesVersion="1.33")
        with pytest.raises(MeshError, match=r"Add-on vpc-cny: EKS offers no version of it for Kubernetes 1\.33"):
            _run(aws, _item("vpc-cny"))


def test_validation_errors_are_refused_before_anything_is_asked() -> None:
    with AwsStub() as aws, pytest.raises(MeshError, match="listed more than once"):
        _run(aws, _item("vpc-cni"), _item("vpc-cni"))
    assert aws.session.api_calls == {}


def test_a_failed_creation_is_taken_away_with_its_software_left_and_made_again() -> None:
    with AwsStub() as aws:
        _lists(aws, "vpc-cni")
        _describes(aws, "vpc-cni", "CREATE_FAILED", health={"issues": [CONFLICT]})
        aws.answer("eks", "delete_addon", {"addon": {"addonName": "vpc-cni"}}, clusterName="prod", addonName="vpc-cni", preserve=True)
        _describes(aws, "vpc-cni", "DELETING")
        _gone(aws, "vpc-cni")
        _creates(aws, "vpc-cni", resolveConflicts="OVERWRITE")
        _describes(aws, "vpc-cni")
        result = _run(aws, _item("vpc-cni", version=DEFAULT, resolve_conflicts="overwrite"))
    assert result["addons"][0]["action"] == "recreated"


def test_an_interrupted_run_is_taken_up() -> None:
    """What was being created is waited for: if it matches, nothing more is sent; otherwise it is changed when EKS lets it."""
    with AwsStub() as aws:
        _lists(aws, "coredns", "vpc-cni")
        _describes(aws, "vpc-cni", "CREATING")
        _describes(aws, "coredns", "CREATING")
        _offers(aws, "coredns")
        # Until coredns is idle, because it needs a change.
        _describes(aws, "coredns", "CREATING")
        _describes(aws, "coredns")
        _describes(aws, "coredns")
        _updates(aws, "coredns", LATEST)
        _describes(aws, "vpc-cni")
        _describes(aws, "coredns", "ACTIVE", LATEST)
        result = _run(aws, _item("vpc-cni", version=DEFAULT), _item("coredns", version=LATEST))
    assert [(addon["action"], addon["status"]) for addon in result["addons"]] == [("unchanged", "ACTIVE"), ("updated", "ACTIVE")]


def test_an_addon_that_is_being_deleted_is_made_when_it_has_gone() -> None:
    with AwsStub() as aws:
        _lists(aws, "vpc-cni")
        _describes(aws, "vpc-cni", "DELETING")
        _gone(aws, "vpc-cni")
        _gone(aws, "vpc-cni")
        _creates(aws, "vpc-cni")
        _describes(aws, "vpc-cni")
        result = _run(aws, _item("vpc-cni", version=DEFAULT))
    assert result["addons"][0]["action"] == "created"


def test_deletion_and_purge_keep_the_software_on_request_and_wait() -> None:
    with AwsStub() as aws:
        _lists(aws, "a", "b", "vpc-cni")
        for name in ("vpc-cni", "a", "b"):
            _describes(aws, name)
        for name in ("a", "b"):
            aws.answer("eks", "delete_addon", {"addon": {"addonName": name}}, clusterName="prod", addonName=name, preserve=True)
        _gone(aws, "a")
        _describes(aws, "b", "DELETING")
        _gone(aws, "b")
        result = _run(aws, _item("vpc-cni"), _item("a", state="absent"), purge=True, preserve=True)
    assert [(addon["name"], addon["action"], addon["status"]) for addon in result["addons"]] == [
        ("vpc-cni", "unchanged", "ACTIVE"),
        ("a", "deleted", ""),
        ("b", "deleted", ""),
    ]


def test_a_deletion_that_fails_is_reported() -> None:
    with AwsStub() as aws:
        _lists(aws, "a")
        _describes(aws, "a")
        aws.answer("eks", "delete_addon", {"addon": {"addonName": "a"}}, clusterName="prod", addonName="a")
        _describes(aws, "a", "DELETE_FAILED", health={"issues": [{"code": "AccessDenied", "message": "no"}]})
        with pytest.raises(MeshError, match=r"Add-on a of cluster prod is DELETE_FAILED \(AccessDenied: no\)"):
            _run(aws, _item("a", state="absent"))


def test_a_degraded_addon_fails_at_once_and_reports_all_results() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns", "vpc-cni")
        _describes(aws, "vpc-cni", "DEGRADED", health={"issues": [CONFLICT]})
        _describes(aws, "coredns")
        with pytest.raises(MeshError) as caught:
            _run(aws, _item("vpc-cni"), _item("coredns"))
    assert caught.value.message == (
        "Add-on vpc-cni of cluster prod is DEGRADED (ConfigurationConflict: DaemonSet aws-node): set resolve_conflicts to overwrite or preserve, or leave "
        "out the fields that others own."
    )
    assert [(addon["name"], addon["status"], addon["issues"]) for addon in caught.value.details["addons"]] == [
        ("vpc-cni", "DEGRADED", [{"code": "ConfigurationConflict", "message": "DaemonSet aws-node", "resources": ["aws-node"]}]),
        ("coredns", "ACTIVE", []),
    ]


def test_an_addon_without_nodes_is_waited_for_until_the_time_is_up() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns")
        # What the module finds, and what it sees at the beginning of its patience, which is also the end.
        for _poll in range(2):
            _describes(aws, "coredns", "DEGRADED", health={"issues": [NO_NODES]})
        with pytest.raises(MeshError) as caught:
            _run(aws, _item("coredns"), wait_timeout=0)
    assert caught.value.message.endswith("or set allow_degraded where nodes come later. It has been so for the whole wait of 0 s.")


def test_an_addon_without_nodes_is_tolerated_on_request() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns")
        _describes(aws, "coredns", "DEGRADED", health={"issues": [NO_NODES]})
        warnings: list[str] = []
        result = _run(aws, _item("coredns"), allow_degraded=True, warnings=warnings)
    assert result["addons"][0]["status"] == "DEGRADED"
    assert warnings == ["Add-on coredns of cluster prod is DEGRADED (InsufficientNumberOfReplicas: no replicas), which allow_degraded tolerates."]


def test_what_takes_too_long_is_reported() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _offers(aws, "coredns")
        _creates(aws, "coredns")
        _describes(aws, "coredns", "CREATING")
        with pytest.raises(MeshError) as caught:
            _run(aws, _item("coredns"), wait_timeout=0)
    assert caught.value.message == (
        "Add-on coredns of cluster prod is still CREATING after 0 s: raise wait_timeout, or check its health issues in the EKS console."
    )
    assert caught.value.details["changed"] is True


def test_without_waiting_nothing_is_asked_after_the_writes() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _offers(aws, "coredns")
        _creates(aws, "coredns")
        assert _run(aws, _item("coredns"), wait=False)["changed"]


def test_an_update_that_eks_drops_silently_is_reported() -> None:
    with AwsStub() as aws:
        _lists(aws, "coredns")
        _describes(aws, "coredns")
        _offers(aws, "coredns")
        _updates(aws, "coredns", LATEST)
        _describes(aws, "coredns")
        with pytest.raises(MeshError, match=f"still has version {DEFAULT}, although EKS has accepted the update to {LATEST}"):
            _run(aws, _item("coredns", version="latest"))


def test_pod_identities_are_read_where_they_are_wished_and_tags_are_changed_apart() -> None:
    arn = "arn:aws:eks:eu-west-1:123456789012:podidentityassociation/prod/a-1"
    with AwsStub() as aws:
        _lists(aws, "ebs")
        _describes(aws, "ebs", podIdentityAssociations=[arn], tags={"old": "1"})
        association = {"serviceAccount": "ebs", "roleArn": "arn:aws:iam::123456789012:role/old"}
        aws.answer("eks", "describe_pod_identity_association", {"association": association}, clusterName="prod", associationId="a-1")
        _updates(aws, "ebs", podIdentityAssociations=[{"serviceAccount": "ebs", "roleArn": ROLE}])
        aws.answer("eks", "tag_resource", {}, resourceArn="arn:aws:eks:::addon/prod/ebs", tags={"new": "2"})
        aws.answer("eks", "untag_resource", {}, resourceArn="arn:aws:eks:::addon/prod/ebs", tagKeys=["old"])
        _describes(aws, "ebs")
        result = _run(aws, _item("ebs", pod_identity_associations=[{"service_account": "ebs", "role_arn": ROLE}], tags={"new": 2}))
    assert result["addons"][0]["after"]["pod_identity_associations.ebs"] == ROLE


def test_a_refused_addon_is_reported_with_what_was_written() -> None:
    with AwsStub() as aws:
        _lists(aws)
        _offers(aws, "a")
        _offers(aws, "b", first=False)
        asked = {"clusterName": "prod", "addonName": "a", "addonVersion": DEFAULT, "resolveConflicts": "NONE"}
        aws.refuse("eks", "create_addon", "InvalidParameterException", "ConfigurationValue is not valid", **asked)
        _creates(aws, "b")
        with pytest.raises(MeshError) as caught:
            _run(aws, _item("a"), _item("b"))
    assert (
        "Add-on a of cluster prod: AWS refused eks:CreateAddon in eu-west-1 (InvalidParameterException): ConfigurationValue is not valid"
        in caught.value.message
    )
    assert caught.value.message.endswith("Written: Add-on b of cluster prod.")
