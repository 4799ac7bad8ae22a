"""An inventory for AWS is rehearsed as it is: from nothing to healthy targets, again, and in check mode."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.job_policy import action_of, is_allowed
from tests.twin.conftest import fresh_account
from tests.twin.support.rehearsed import Rehearsed
from twin.aws.requests import is_read
from twin.paths import REPOSITORY, TwinPaths

# One line of each kind that the prod inventory makes, as it stands in the tree.
TREE = {
    "VPC": r"VPC prod-frankfurt \(vpc-\w+\), 10\.20\.0\.0/16",
    "private subnet": r"Subnet prod-frankfurt-private-eu-central-1a .* for internal load balancers",
    "public subnet": r"Subnet prod-frankfurt-public-eu-central-1b .* for public load balancers",
    "cluster": r"EKS cluster prod-frankfurt, 1\.35, https://\S+, ACTIVE",
    "node group": r"Node group general, .* taint cni\.istio\.io/not-ready, ACTIVE",
    "add-on": r"Add-on vpc-cni, v\S+, ACTIVE",
    "pod identity": r"Pod identity kube-system/aws-load-balancer-controller, role prod-frankfurt-eu-central-1-alb-controller",
    "ALB with a web ACL": r"ALB shop, internet-facing, WAF shop, \S+, active",
    "redirecting listener": r"default -> redirect to HTTPS 443 \(HTTP_301\)",
    "ALB's HTTPS listener": r"Listener 443 HTTPS, ELBSecurityPolicy-TLS13-1-2-2021-06, certificate shop\.example\.com",
    "ALB's target group": r"rule 1: host-header shop\.example\.com .* target group \S+, ip, HTTP 80, health check HTTP 15021/healthz/ready, 1 of 1 healthy",
    "NLB": r"NLB shop-partners, internet-facing, \S+, active",
    "NLB's TLS listener": r"Listener 443 TLS, \S+, certificate shop\.example\.com",
    "NLB's target group": r"default -> target group \S+, ip, TCP 443, health check HTTP 15021/healthz/ready, 1 of 1 healthy",
    "certificate": r"shop\.example\.com, \*\.shop\.example\.com, [0-9a-f-]{36}, ISSUED",
    "web ACL": r"Web ACLs\n└?[│├└─ ]*shop",
    "hosted zone": r"Hosted zones\n[│├└─ ]*example\.com",
    "bucket": r"S3 buckets\n[│├└─ ]*shop-example-com-access-logs",
    "IAM role": r"prod-frankfurt-eu-central-1-nodes",
}


def test_the_documented_policy_allows_all_that_a_rehearsal_asks_for(prod: Rehearsed) -> None:
    lines = map(json.loads, (prod.first_requests if prod.first_requests.exists() else prod.paths.request_log).read_text().splitlines())
    # The load balancer controller asks too, with a role and a policy of its own.
    asked = {action_of(line["service"], line["operation"]) for line in lines if "Ansible/" in line["user_agent"]}
    assert {"ec2:CreateVpc", "eks:CreateCluster", "iam:CreateRole", "s3:PutBucketPolicy"} <= asked, sorted(asked)
    lacking = sorted(action for action in asked if not is_allowed(action))
    assert not lacking, f"docs/platforms/eks-job-policy.json does not allow {', '.join(lacking)}"


@pytest.mark.requirement("A13")
def test_a_second_rehearsal_changes_nothing_and_shows_what_exists(prod: Rehearsed) -> None:
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    with nothing_written(prod, "a second rehearsal"):
        done = prod.rehearse()
    asked = [line for line in prod.control("requests") if "Ansible/" in line["user_agent"] and line["time"] >= began]
    assert done.returncode == 0, done.stdout[-4000:]
    assert changes(done) == ["0", "0"], [line for line in done.stdout.splitlines() if line.startswith(("TASK", "changed:"))]
    lacking = [kind for kind, line in TREE.items() if not re.search(line, done.stdout)]
    assert not lacking, f"the tree does not show: {', '.join(lacking)}\n{done.stdout[-6000:]}"
    page = (REPOSITORY / "docs" / "aws-modules.md").read_text()
    reported = [re.search(pattern, page) for pattern in (r"\*\*Together\*\* \| \| \*\*(\d+)\*\*", r"`verify.yml` sends (\d+)")]
    assert len(asked) == sum(int(found[1]) for found in reported if found), "docs/aws-modules.md tells another number of requests of an unchanged run"


def test_everything_that_is_missing_is_named_in_one_run(prod: Rehearsed) -> None:
    desired = {
        "eks_node_groups": [{"name": "missing"}],
        "eks_addons": [{"name": "amazon-cloudwatch-observability"}, {"name": "eks-pod-identity-agent"}],
        "aws_edge_log_buckets": ["missing-bucket"],
        "aws_edge_hosted_zones": ["missing.example"],
        "alb_controller_replicas": 7,
        "mesh_namespaces": [{"name": "bookinfo", "dataplane_mode": "none"}],
    }
    with prod.unchanged():
        done = prod.play("verify.yml", "-e", json.dumps(desired))
    report = done.stdout[done.stdout.index("TASK [Report everything that differs from the inventory]") :]
    assert done.returncode != 0, done.stdout[-4000:]
    named = (
        "node group missing",
        "Add-on amazon-cloudwatch-observability",
        "bucket missing-bucket",
        "hosted zone missing.example",
        "release kube-system/aws-load-balancer-controller (values)",
        "Namespace bookinfo",
    )
    lacking = [part for part in named if part not in report]
    assert not lacking, f"the report does not name {', '.join(lacking)}: {report[-4000:]}"


def test_a_check_from_nothing_only_reads() -> None:
    with fresh_account("test-check") as empty:
        done = empty.rehearse("--check", "--diff")
        written = empty.control("requests?writes")
        assert not written, f"a check wrote into the account: {written}"
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        assert "nothing" in done.stdout[done.stdout.index("AWS account test-check") :], done.stdout[-1000:]
        assert changes(done) != ["0"], "a check from nothing tells no change"
        asked = {f"{line['service']}:{line['operation']}" for line in empty.control("requests")}
        # Else an empty log would prove nothing.
        assert {"eks:DescribeCluster", "ec2:DescribeVpcs", "iam:GetRole", "acm:ListCertificates"} <= asked, sorted(asked)
    # The emulator's own judgement is no proof if it takes a write for a read.
    assert not [name for name in ("CreateVpc", "PutBucketPolicy", "TagResource", "DeleteRole", "UpdateAddon", "AttachRolePolicy") if is_read(name)]


@pytest.mark.parametrize(
    ("tag", "done_by", "left_out"),
    [
        ("istio", "istio : Install the chart istiod", ("eks : Plan the network", "ingress : Create or update", "mesh : Enroll")),
        ("ingress", "ingress : Create or update the gateways", ("eks : Plan the network", "istio : Install the chart", "mesh : Enroll")),
    ],
)
def test_one_role_of_an_eks_inventory_runs_alone(prod: Rehearsed, tag: str, done_by: str, left_out: tuple[str, ...]) -> None:
    with nothing_written(prod, f"--tags {tag}"):
        done = prod.play("site.yml", "--tags", tag)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert done_by in done.stdout, f"--tags {tag} did not run the task {done_by}"
    assert not [task for task in left_out if task in done.stdout], f"--tags {tag} ran tasks of other roles"
    # With --tags ingress this also says that the web ACL was found, which is a fact of a role that did not run.
    assert changes(done) == ["0"], done.stdout[-4000:]


@pytest.mark.requirement("A8")
def test_the_log_bucket_takes_logs_of_load_balancers_of_this_account_alone(prod: Rehearsed) -> None:
    bucket, account_id = "shop-example-com-access-logs", prod.client("sts").get_caller_identity()["Account"]
    statements = json.loads(prod.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    open_to_all = [each for each in statements if account_id not in json.dumps(each)]
    assert not open_to_all, f"load balancers of other accounts may use it, too: {open_to_all}"
    desired = [
        {"title": f"{kind} {prefix}", "type": kind, "access_logs": {"bucket": bucket, "prefix": prefix}} for kind in ("alb", "nlb") for prefix in ("", "a/b")
    ]
    reported = prod.module("load_balancer_check", {"load_balancers": desired, "region": "eu-central-1"})
    assert reported["findings"] == [], reported["findings"]


def test_the_shell_is_pointed_at_account_and_cluster(prod: Rehearsed) -> None:
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KUBECONFIG", "TWIN"))}
    asked = 'eval "$(make -s twin-env)" && kubectl get nodes -o name && env | grep ^AWS_ | cut -d= -f1'
    done = subprocess.run(["bash", "-c", asked], cwd=REPOSITORY, env={**foreign, "TWIN": prod.name}, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = done.stdout.split()
    assert len([line for line in expected if line.startswith("node/")]) >= 2, f"kubectl saw {expected}"
    desired = {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert desired <= set(expected), f"not exported: {sorted(desired - set(expected))}"


@pytest.mark.requirement("K14")
def test_nodes_begin_with_the_taint_and_lose_it(prod: Rehearsed) -> None:
    group = prod.client("eks").describe_nodegroup(clusterName=prod.cluster, nodegroupName="general")["nodegroup"]
    assert {"key": "cni.istio.io/not-ready", "value": "true", "effect": "NO_EXECUTE"} in group["taints"]
    istiod = prod.get("deployment", "istiod", "-n", "istio-system")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS", "value": "true"} in istiod, "istiod takes no taints away"
    nodes = prod.get("nodes")["items"]
    held = [node["metadata"]["name"] for node in nodes if any(taint["key"] == "cni.istio.io/not-ready" for taint in node["spec"].get("taints", []))]
    assert len(nodes) >= 2 and not held, f"of {len(nodes)} nodes, these still have the taint: {held}"
    assert "startupTaints" in (REPOSITORY / "docs" / "platforms" / "eks.md").read_text(), "the docs have no example for Karpenter"


@pytest.mark.requirement("K1")
def test_the_charts_of_istio_get_no_platform_on_eks(prod: Rehearsed) -> None:
    releases = {"istio-base", "istiod", "istio-cni", "ztunnel"}
    values = {name: json.loads(prod.run(["helm", "get", "values", name, "-n", "istio-system", "-o", "json"])) or {} for name in releases}
    assert values["istio-cni"]["profile"] == "ambient"
    assert not [name for name, given in values.items() if "platform" in given or "platform" in (given.get("global") or {})], values
    described = prod.run(["helm", "list", "-n", "istio-system", "-o", "json"])
    assert {(each["name"], each["status"]) for each in json.loads(described)} == {(name, "deployed") for name in releases}


@pytest.mark.requirement("I10")
def test_routes_of_the_application_are_accepted_by_shared_gateways_with_their_references(prod: Rehearsed) -> None:
    routes = {item["metadata"]["name"]: item for item in prod.get("httproutes.gateway.networking.k8s.io", "-n", "bookinfo")["items"]}
    gateways = {item["metadata"]["name"]: item for item in prod.get("gateways.gateway.networking.k8s.io", "-n", "istio-ingress")["items"]}
    assert {"bookinfo", "bookinfo-partners"} <= set(routes)
    for name, gateway in (("bookinfo", "shop"), ("bookinfo-partners", "partners")):
        for parent in routes[name]["status"]["parents"]:
            assert (parent["parentRef"]["namespace"], parent["parentRef"]["name"]) == ("istio-ingress", gateway)
            conditions = {condition["type"]: condition["status"] for condition in parent["conditions"]}
            assert (conditions["Accepted"], conditions["ResolvedRefs"]) == ("True", "True"), name
    hosts = {listener.get("hostname") for listener in gateways["partners"]["spec"]["listeners"]}
    assert hosts == {"*.shop.example.com"} and routes["bookinfo-partners"]["spec"]["hostnames"] == ["api.shop.example.com"]
    target = {"kind": "HTTPRoute", "name": "bookinfo-partners", "namespace": "bookinfo"}
    reported = prod.module("ready", {"targets": [target], "timeout": 0, "kubeconfig": str(TwinPaths(f"{prod.name}-{prod.cluster}").kubeconfig)})
    assert [each["status"] for each in reported["targets"]] == ["Current"], reported


@contextmanager
def nothing_written(account: Rehearsed, what: str) -> Iterator[None]:
    """A block in which nobody writes in AWS, and the load balancer controller is given nothing to write; it may still be busy with what was before."""
    written, watched = set(account.writes()), _watched(account)
    yield
    made = [write for write in account.writes() if write not in written]
    assert not made, f"{what} wrote into the account: {made}"
    assert _watched(account) == watched, f"{what} gave the load balancer controller something to do"


def _watched(account: Rehearsed) -> dict[str, tuple[int | None, dict[str, str]]]:
    """Generation and annotations of all in the inventory that the controller makes load balancers of."""
    found = account.get("ingresses,services,gateways.gateway.networking.k8s.io", "-n", "istio-ingress")["items"]
    meta = {f"{each['kind']} {each['metadata']['name']} {each['metadata']['uid']}": each["metadata"] for each in found}
    return {called: (each.get("generation"), each.get("annotations", {})) for called, each in meta.items()}


def changes(done: subprocess.CompletedProcess[str]) -> list[str]:
    """How much each playbook says it has changed."""
    return re.findall(r"changed=(\d+)", done.stdout)
