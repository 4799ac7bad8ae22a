"""What the role istio installs: sidecar mode, gateways from the chart, a startup taint, and delivery by Argo CD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.istio import istio_releases
from tests.polling import until
from tests.twin.conftest import Twin
from tests.unit.inventory_values import values_of
from twin.tools.build import ensure_tools

GATEWAYS = [
    {"name": "istio-ingress", "namespace": "istio-ingress", "replicas": 2, "service": {"type": "NodePort", "external_traffic_policy": "Local"}},
    {
        "name": "edge",
        "namespace": "edge",
        "service": {
            "type": "LoadBalancer",
            "annotations": {"example.com/owner": "edge"},
            "ports": [{"name": "status-port", "port": 15021, "protocol": "TCP"}, {"name": "http2", "port": 80, "protocol": "TCP", "targetPort": 8080}],
            "load_balancer_source_ranges": ["192.0.2.0/24"],
            "load_balancer_class": "example.com/class",
            "allocate_load_balancer_node_ports": False,
            "ip_family_policy": "SingleStack",
            "ip_families": ["IPv4"],
            "external_ips": ["192.0.2.7"],
        },
    },
]


def _play(twin: Twin, directory: Path, variables: dict[str, Any], *arguments: str) -> str:
    file = directory / "variables.yml"
    file.write_text(yaml.safe_dump({"bookinfo_enabled": False, "mesh_waypoints": [], "mesh_namespaces": [], **variables}))
    done = twin.play("site.yml", "-e", f"@{file}", *arguments)
    return done.stdout + done.stderr


def _json(twin: Twin, *arguments: str) -> Any:
    done = twin.run(["kubectl", *arguments, "-o", "json"])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sidecar(empty_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    variables = {"istio_mode": "sidecar", "istio_istiod_replicas": 2, "istio_gateways": GATEWAYS}
    output = _play(empty_twin, tmp_path_factory.mktemp("sidecar"), variables)
    assert "failed=0" in output, output[-4000:]
    return empty_twin


@pytest.mark.requirement("C10", "C6")
@pytest.mark.variable("istio_mode")
def test_sidecar_mode_installs_base_istiod_and_the_gateways(sidecar: Twin) -> None:
    releases = json.loads(sidecar.run(["helm", "list", "-A", "-o", "json"]).stdout)
    assert sorted((release["namespace"], release["name"]) for release in releases) == [
        ("edge", "edge"),
        ("istio-ingress", "istio-ingress"),
        ("istio-system", "istio-base"),
        ("istio-system", "istiod"),
    ]
    environment = _json(sidecar, "-n", "istio-system", "get", "deployment", "istiod")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert not [variable for variable in environment if variable["name"] == "PILOT_ENABLE_AMBIENT" and variable.get("value") == "true"]


@pytest.mark.requirement("C12")
@pytest.mark.variable("istio_istiod_replicas")
def test_two_istiods_and_two_gateway_pods(sidecar: Twin) -> None:
    for namespace, name in (("istio-system", "istiod"), ("istio-ingress", "istio-ingress")):
        assert _json(sidecar, "-n", namespace, "get", "deployment", name)["status"]["readyReplicas"] == 2, name


@pytest.mark.requirement("C14")
def test_service_and_pods_of_a_gateway_are_known_by_the_name_of_its_release(sidecar: Twin) -> None:
    for gateway, label in (("istio-ingress", "ingress"), ("edge", "edge")):
        service = _json(sidecar, "-n", gateway, "get", "service", gateway)
        assert service["spec"]["selector"] == {"app": gateway, "istio": label}
        assert _json(sidecar, "-n", gateway, "get", "pods", "-l", f"app={gateway}")["items"], f"no pod has the label app={gateway}"


@pytest.mark.requirement("C13")
def test_each_field_of_a_gateways_service_is_on_the_service(sidecar: Twin) -> None:
    spec = _json(sidecar, "-n", "istio-ingress", "get", "service", "istio-ingress")["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("NodePort", "Local")
    assert [(port["name"], port["port"]) for port in spec["ports"]] == [("status-port", 15021), ("http2", 80), ("https", 443)]
    service = _json(sidecar, "-n", "edge", "get", "service", "edge")
    assert service["metadata"]["annotations"]["example.com/owner"] == "edge"
    spec = service["spec"]
    assert spec["type"] == "LoadBalancer"
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [(15021, 15021), (80, 8080)]
    assert spec["loadBalancerSourceRanges"] == ["192.0.2.0/24"]
    assert spec["loadBalancerClass"] == "example.com/class"
    assert spec["allocateLoadBalancerNodePorts"] is False
    assert (spec["ipFamilyPolicy"], spec["ipFamilies"], spec["externalIPs"]) == ("SingleStack", ["IPv4"], ["192.0.2.7"])


@pytest.mark.requirement("C13")
@pytest.mark.parametrize(
    ("service", "field", "value"),
    [
        ({}, "type", "LoadBalancer"),
        ({"type": "ClusterIP"}, "type", "ClusterIP"),
        ({"load_balancer_ip": "192.0.2.8"}, "loadBalancerIP", "192.0.2.8"),
        ({"health_check_node_port": 30021, "external_traffic_policy": "Local"}, "healthCheckNodePort", 30021),
        ({"cluster_ip": "10.64.0.99"}, "clusterIP", "10.64.0.99"),
        ({"type": "None"}, "", None),
    ],
    ids=str,
)
def test_the_chart_renders_what_no_service_here_can_show(empty_twin: Twin, tmp_path: Path, service: dict[str, Any], field: str, value: Any) -> None:
    release = istio_releases(values_of({"istio_gateways": [{"service": service}]}))["gateways"][0]
    (chart,) = Path(empty_twin.environment["TWIN_CHARTS"]).glob("gateway-*.tgz")
    (tmp_path / "values.yml").write_text(yaml.safe_dump(release["values"]))
    rendered = empty_twin.run(["helm", "template", release["name"], str(chart), "-n", release["namespace"], "-f", str(tmp_path / "values.yml")])
    assert rendered.returncode == 0, rendered.stderr
    services = [item for item in yaml.safe_load_all(rendered.stdout) if item and item["kind"] == "Service"]
    assert [item["spec"][field] for item in services] == ([value] if field else [])


@pytest.mark.requirement("C10")
def test_again_nothing_changes_and_ambient_mode_is_added_and_never_taken_away(sidecar: Twin, tmp_path: Path) -> None:
    variables = {"istio_mode": "sidecar", "istio_istiod_replicas": 2, "istio_gateways": GATEWAYS}
    assert "changed=0" in _play(sidecar, tmp_path, variables)
    taint = "cni.istio.io/not-ready=true:NoExecute"
    assert sidecar.run(["kubectl", "taint", "node", "node-1", taint]).returncode == 0
    output = _play(sidecar, tmp_path, {**variables, "istio_mode": "ambient", "istio_startup_taint": True})
    assert "failed=0" in output, output[-4000:]
    names = {release["name"] for release in json.loads(sidecar.run(["helm", "list", "-A", "-o", "json"]).stdout)}
    assert {"istio-cni", "ztunnel"} <= names
    # istiod's own controller takes it away once istio-cni is ready on the node.
    until(lambda: _json(sidecar, "get", "node", "node-1")["spec"].get("taints", []), "the node to lose its taint", 60, so=lambda taints: not taints)
    refused = _play(sidecar, tmp_path, variables)
    assert "Cluster sandbox runs Istio in ambient mode (release istio-system/ztunnel), but istio_mode is sidecar" in " ".join(refused.split())


@pytest.mark.variable("istio_delivery", "istio_argocd", "istio_argocd.namespace", "istio_argocd.project", "istio_argocd.destination")
def test_applications_of_argocd_carry_charts_and_values(mesh: Twin, tmp_path: Path) -> None:
    """Argo CD itself is not on the twin: its own definition of an Application is, and what it would install is there already."""
    definition = ensure_tools(["argo-cd"], "A test with Argo CD").files["argo-cd"] / "application-crd.yaml"
    namespace = tmp_path / "namespace.yml"
    namespace.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "delivery"}}))
    # It is too large for the annotation in which kubectl would keep it.
    applied = mesh.run(["kubectl", "apply", "--server-side", "-f", str(definition), "-f", str(namespace)])
    assert applied.returncode == 0, applied.stderr
    # kubectl wait would fail as long as a new definition has no conditions at all.
    served = mesh.module("ready", {"targets": [{"kind": "CustomResourceDefinition", "name": "applications.argoproj.io"}], "timeout": 20})
    assert not served.get("failed"), served["msg"]
    try:
        place = {"namespace": "delivery", "project": "meshes", "destination": "https://cluster.example.com"}
        variables = {"istio_delivery": "argocd", "istio_chart_source": "https://charts.example.com", "istio_argocd": place}
        output = _play(mesh, tmp_path, variables, "--tags", "istio")
        assert "changed=4" in output, output[-4000:]
        assert "changed=0" in _play(mesh, tmp_path, variables, "--tags", "istio"), "a field of ours is none of an Application, or is kept in another form"
        found = {item["metadata"]["name"]: item["spec"] for item in _json(mesh, "-n", "delivery", "get", "applications.argoproj.io")["items"]}
        assert set(found) == {"istio-base", "istiod", "istio-cni", "ztunnel"}
        assert {(spec["project"], spec["destination"]["server"]) for spec in found.values()} == {("meshes", "https://cluster.example.com")}
        assert found["istiod"]["source"]["helm"]["valuesObject"]["profile"] == "ambient"
    finally:
        mesh.run(["kubectl", "delete", "-f", str(definition), "-f", str(namespace), "--wait=false"])
