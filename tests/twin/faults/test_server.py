"""An API server that restarts, forgets, is busy or answers with errors, while modules wait, read and write."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.polling import until
from tests.twin.conftest import Twin
from tests.twin.faults.scene import (
    DEPLOYMENT,
    GATEWAY,
    GRACE,
    NOBODY,
    PATIENCE,
    VALIDATING_WEBHOOK,
    Answer,
    Scene,
    apply_gateway_definition,
    ask,
    create_service_account,
    restart_api_server,
    sentence,
    streams,
    token_of,
    webhook_for,
)
from twin.collection import CONFIG_MAP, NAMESPACE, Kind, Object, Write

# The deadline of waits that must time out.
_SHORT = 3

_FLOW_CONTROL = "flowcontrol.apiserver.k8s.io/v1"
_PRIORITY_LEVEL = Kind(_FLOW_CONTROL, "PriorityLevelConfiguration", "prioritylevelconfigurations", namespaced=False)
_FLOW_SCHEMA = Kind(_FLOW_CONTROL, "FlowSchema", "flowschemas", namespaced=False)


def test_the_server_restarts_while_a_module_waits(scene: Scene) -> None:
    scene.deploy("app", ready=False)
    waiting = scene.wait_ready("app")
    restart_api_server(scene.twin)
    assert not waiting.ended, waiting.finish()
    scene.set_ready("app", True)
    result = waiting.finish()
    assert not result.get("failed"), result["msg"]


def test_the_server_no_longer_has_the_version_that_the_wait_goes_on_from(scene: Scene) -> None:
    scene.deploy("first", ready=True)
    scene.deploy("second", ready=False)
    waiting = scene.wait_ready("first", "second")
    scene.proxy.cut()
    path = DEPLOYMENT.path(scene.namespace)
    known = json.loads(ask(scene.twin, path).text)["metadata"]["resourceVersion"]
    scene.set_ready("first", False)
    scene.set_ready("second", True)
    _compact(scene.twin)
    restart_api_server(scene.twin)
    answer = ask(scene.twin, f"{path}?watch=1&timeoutSeconds=1&resourceVersion={known}").text
    assert '"code":410' in answer, f"the server still has version {known}, so this test shows nothing: {answer}"
    lists = len(scene.requests("list", part=path))
    scene.proxy.restore()
    until(lambda: waiting.ended or (streams(scene.twin) > 0 and len(scene.requests("list", part=path)) > lists), "the module to list and watch again")
    assert not waiting.ended, f"it has not noticed that the first is not ready any more: {waiting.finish()}"
    scene.set_ready("first", True)
    result = waiting.finish()
    assert not result.get("failed"), result["msg"]


def test_a_busy_server_is_waited_for(scene: Scene) -> None:
    kubeconfig = _limited_user(scene)
    scene.deploy("app", ready=False)
    waiting = scene.wait_ready("app", kubeconfig=kubeconfig)
    with _busy_for(scene):
        enrolling = scene.start("enrollment", {"namespaces": [{"name": scene.namespace, "dataplane_mode": "ambient"}]}, kubeconfig=kubeconfig)
        scene.proxy.close_connections()
        until(lambda: bool(scene.requests("list", part="/namespaces?", code=429)), "a list of namespaces to be refused")
        until(lambda: bool(scene.requests("watch", code=429) + scene.requests("list", code=429)), "the watch of Deployments to be refused")
        scene.set_ready("app", True)
        assert not waiting.ended, waiting.finish()
        assert not enrolling.ended, enrolling.finish()
    result = waiting.finish()
    assert not result.get("failed"), result["msg"]
    enrolled = enrolling.finish()
    assert enrolled.get("changed"), enrolled
    assert _labels(scene.twin, scene.namespace)["istio.io/dataplane-mode"] == "ambient"


def test_a_server_that_stays_busy_is_reported(scene: Scene) -> None:
    kubeconfig = _limited_user(scene)
    scene.deploy("app", ready=True)
    with _busy_for(scene):
        target = {"kind": "Deployment", "name": "app", "namespace": scene.namespace}
        result = scene.start("ready", {"targets": [target], "timeout": _SHORT}, kubeconfig=kubeconfig).finish()
    message = sentence(result)
    assert result.get("elapsed", _SHORT) < _SHORT + GRACE / 2, f"it waited beyond its deadline: {message}"
    assert "429" in message or "too many requests" in message.lower(), message


def test_reads_that_fail_with_a_server_error(scene: Scene) -> None:
    with _broken_conversion(scene):
        namespace = {"name": scene.namespace, "dataplane_mode": "ambient", "use_waypoint": "waypoint"}
        enroll = {"namespaces": [namespace], "allow_unsafe_binding": True}
        declare = {"waypoints": [{"namespace": scene.namespace, "name": "another"}], "allow_unowned_revision": True}
        target = {"kind": "Gateway", "name": "waypoint", "namespace": scene.namespace}
        enrolling, declaring = scene.start("enrollment", enroll), scene.start("waypoint", declare)
        judging = scene.start("ready", {"targets": [target], "timeout": _SHORT})
        for running in (enrolling, declaring):
            message = sentence(running.finish())
            assert "\n" not in message, f"this is no sentence:\n{message}"
            assert "Gateway" in message or "gateways" in message, message
            assert "500" in message, message
            assert "conversion webhook" in message, message
        result = judging.finish()
        message = sentence(result)
        assert result["elapsed"] < _SHORT + GRACE / 2, f"it waited beyond its deadline: {message}"
        assert "500" in message, message
        assert [verdict["status"] for verdict in result["targets"]] == ["Unknown"], message
        assert "istio.io/dataplane-mode" not in _labels(scene.twin, scene.namespace)
        waiting = scene.start("ready", {"targets": [target], "timeout": 6})
        until(lambda: waiting.ended or bool(scene.requests("list", part=GATEWAY.path(scene.namespace), code=500)), "the wait to meet the error")
    # Nobody makes the Gateway ready here; that its own state is reported now shows that the wait has gone on.
    result = waiting.finish()
    assert [verdict["status"] for verdict in result["targets"]] == ["InProgress"], result["msg"]
    for name, arguments in (("enrollment", enroll), ("waypoint", declare)):
        again = scene.start(name, arguments).finish()
        assert again.get("changed"), again
    assert _labels(scene.twin, scene.namespace)["istio.io/use-waypoint"] == "waypoint"
    assert scene.twin.session.get(GATEWAY, "another", scene.namespace) is not None


def _labels(twin: Twin, namespace: str) -> dict[str, str]:
    found = twin.session.get(NAMESPACE, namespace)
    assert found is not None
    labels: dict[str, str] = found["metadata"]["labels"]
    return labels


def _compact(twin: Twin) -> None:
    """Let etcd forget all versions but the newest."""
    newest = _etcd(twin, "range", {"key": base64.b64encode(b"\0").decode()})["header"]["revision"]
    _etcd(twin, "compaction", {"revision": newest, "physical": True})


def _etcd(twin: Twin, action: str, body: dict[str, Any]) -> Any:
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    with contextlib.closing(connection):
        connection.sock.connect(str(twin.paths.etcd_socket))
        connection.request("POST", f"/v3/kv/{action}", json.dumps(body))
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return json.load(answer)


def _limited_user(scene: Scene) -> Path:
    """The kubeconfig of a user whom the API server's priority and fairness can tell from others; administrators are exempt from it."""
    create_service_account(scene.twin, scene.namespace, "limited")
    token = token_of(scene.twin, scene.namespace, "limited")
    return scene.proxy.kubeconfig(scene.twin.paths.kubeconfig, scene.directory / "limited", {"token": token})


@contextlib.contextmanager
def _busy_for(scene: Scene) -> Iterator[None]:
    """The API server refuses the requests of the limited user with 429 and Retry-After, by a priority level whose only seat is taken.

    The seat is taken by a request whose webhook does not answer until the block ends. A level without seats still serves one request at a time.
    """
    session, name = scene.twin.session, scene.namespace
    token = token_of(scene.twin, scene.namespace, "limited")
    path = DEPLOYMENT.path(scene.namespace)
    kinds = (_PRIORITY_LEVEL, _FLOW_SCHEMA, VALIDATING_WEBHOOK)
    with ThreadPoolExecutor(1) as pool, _silent_webhook(scene) as webhook:
        try:
            for kind, body in zip(kinds, (*_flow(name), webhook), strict=True):
                made = session.write(Write("apply", kind, name, None, body))
                assert made is not None
                if kind is _FLOW_SCHEMA:
                    uid = made["metadata"]["uid"]
            until(lambda: ask(scene.twin, path, token=token).headers["X-Kubernetes-PF-FlowSchema-UID"] == uid, "the flow schema to hold")
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "slow", "namespace": scene.namespace}}
            taking = pool.submit(_take_seat, lambda: ask(scene.twin, CONFIG_MAP.path(scene.namespace), token=token, body=body))
            until(lambda: taking.done() or ask(scene.twin, path, token=token).status == 429, "the API server to refuse the limited user")
            assert ask(scene.twin, path, token=token).headers["Retry-After"], "the API server does not say when to come again"
            yield
            assert not taking.done(), f"the seat became free before the block ended, so this test shows nothing: {taking.result()}"
        finally:
            for kind in kinds:
                session.write(Write("delete", kind, name, None))


def _take_seat(send: Callable[[], Answer]) -> Answer:
    """Send a request until the seat is not taken by another one; returns its answer."""
    while (answer := send()).status == 429:
        pass
    return answer


@contextlib.contextmanager
def _silent_webhook(scene: Scene) -> Iterator[Object]:
    """A webhook for the scene's ConfigMaps that takes one request and says nothing until the block ends."""
    pki = scene.twin.paths.cluster / "pki"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # The API server's own certificate, which is good for 127.0.0.1.
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    over = threading.Event()

    def take() -> None:
        connection, _address = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            over.wait(PATIENCE)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(take)
        client = {
            "url": f"https://127.0.0.1:{listener.getsockname()[1]}/",
            "caBundle": base64.b64encode((pki / "ca.crt").read_bytes()).decode(),
        }
        try:
            yield webhook_for(scene, "configmaps", client)
        finally:
            over.set()
            # Wakes one that still waits for the request.
            socket.create_connection(listener.getsockname()).close()


def _flow(name: str) -> tuple[Object, Object]:
    """A priority level without seats, and the flow schema that sends the ServiceAccount "limited" of a namespace to it."""
    subject = {"kind": "ServiceAccount", "serviceAccount": {"namespace": name, "name": "limited"}}
    every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    rules = [{"subjects": [subject], "resourceRules": [every]}]
    schema = {"priorityLevelConfiguration": {"name": name}, "matchingPrecedence": 10, "rules": rules}
    limited = {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}
    level = {"type": "Limited", "limited": limited}
    return (
        {"apiVersion": _FLOW_CONTROL, "kind": _PRIORITY_LEVEL.name, "metadata": {"name": name}, "spec": level},
        {"apiVersion": _FLOW_CONTROL, "kind": _FLOW_SCHEMA.name, "metadata": {"name": name}, "spec": schema},
    )


@contextlib.contextmanager
def _broken_conversion(scene: Scene) -> Iterator[None]:
    """Gateways are kept in another version than modules read, and who should convert them does not answer."""
    session = scene.twin.session
    apply_gateway_definition(scene.twin, stored="v1beta1")
    body: Object = {
        "apiVersion": GATEWAY.api_version,
        "kind": GATEWAY.name,
        "metadata": {"name": "waypoint", "namespace": scene.namespace},
        "spec": {"gatewayClassName": "istio-waypoint", "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]},
    }
    session.write(Write("apply", GATEWAY, "waypoint", scene.namespace, body))
    review = {"clientConfig": {"url": NOBODY}, "conversionReviewVersions": ["v1"]}
    apply_gateway_definition(scene.twin, stored="v1beta1", conversion={"strategy": "Webhook", "webhook": review})
    try:
        until(lambda: ask(scene.twin, f"{GATEWAY.path(scene.namespace)}?limit=500").status == 500, "the list of Gateways to fail")
        yield
    finally:
        apply_gateway_definition(scene.twin)
