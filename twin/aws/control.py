"""The control paths of the local AWS, below /_twin: what a test, a twin's API server or a twin's agent asks of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from typing import Any

from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from twin.aws import certificates, shield
from twin.aws.eks import instances, pod_credentials, tokens
from twin.aws.eks.region import Regions
from twin.aws.errors import Unknown
from twin.aws.faults import Faults
from twin.aws.requests import RequestLog, is_read

PREFIX = "/_twin"


class Control:
    """WSGI for the control paths."""

    def __init__(self, regions: Regions, faults: Faults, log: RequestLog, region: str) -> None:
        self._regions = regions
        self._faults = faults
        self._log = log
        self._region = region
        self._map = Map(
            [
                Rule("/_twin/health", endpoint=self._health, methods=["GET"]),
                Rule("/_twin/phases", endpoint=self._phases, methods=["GET", "POST"]),
                Rule("/_twin/faults", endpoint=self._faults_path, methods=["GET", "POST", "DELETE"]),
                Rule("/_twin/requests", endpoint=self._requests, methods=["GET", "DELETE"]),
                Rule("/_twin/pods", endpoint=self._pods, methods=["POST"]),
                Rule("/_twin/certificates", endpoint=self._certificates, methods=["POST"]),
                Rule("/_twin/shield", endpoint=self._shield, methods=["POST"]),
                Rule("/_twin/status", endpoint=self._status, methods=["POST"]),
                Rule("/_twin/clusters", endpoint=self._clusters, methods=["GET"]),
                Rule("/_twin/clusters/<name>/authenticate", endpoint=self._authenticate, methods=["POST"]),
                # An API server calls its webhook without the query of its URL.
                Rule("/_twin/clusters/<region>/<name>/authenticate", endpoint=self._authenticate, methods=["POST"]),
                Rule("/_twin/pod-identity/<cluster>/<namespace>/<account>", endpoint=self._pod_identity, methods=["GET"]),
            ]
        )

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, values = self._map.bind_to_environ(environ).match()
            response: Response = endpoint(request, **values)
        except HTTPException as error:
            response = _error(str(error.description), error.code or 400)
        except (Unknown, ServiceException) as error:
            response = _error(str(error.args[0]), 404)
        except KeyError as error:
            response = _error(f"This request lacks the field {error.args[0]}.", 400)
        except (TypeError, ValueError) as error:
            response = _error(f"This request is not understood: {error}", 400)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _health(self, _request: Request) -> Response:
        return _json({"status": "serving", "region": self._region})

    def _phases(self, request: Request) -> Response:
        lengths = self._regions.lengths
        if request.method == "POST":
            asked = request.get_json(force=True)
            kinds = {kind: float(seconds) for kind, seconds in asked.items() if kind != "default"}
            if unknown := set(kinds) - {"addon", "certificate", "cluster", "nodegroup", "update"}:
                raise ValueError(f"there is no phase of {', '.join(sorted(unknown))}")
            lengths.default, lengths.kinds = float(asked.get("default", lengths.default)), kinds
        return _json({"default": lengths.default, **lengths.kinds})

    def _faults_path(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._faults.clear()
        if request.method == "POST":
            asked = request.get_json(force=True)
            for rule in asked if isinstance(asked, list) else [asked]:
                self._faults.add(rule)
        return _json(self._faults.listed())

    def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._log.clear()
        lines = self._log.lines()
        return _json([line for line in lines if not is_read(line["operation"])] if "writes" in request.args else lines)

    def _clusters(self, _request: Request) -> Response:
        """All clusters, whatever their region: for the twin's own command line."""
        found = []
        for region in self._regions.all():
            with region.lock:
                region.transitions.settle()
                names = ("name", "status", "version", "endpoint", "health")
                found += [{"region": region.name, **{name: each.record.get(name) for name in names}} for each in region.clusters.values()]
        return _json(found)

    def _status(self, request: Request) -> Response:
        """Let a cluster, node group or add-on have this status and these health issues, or let its updates under way fail."""
        asked = request.get_json(force=True)
        region, cluster = self._regions.find(asked["cluster"], asked.get("region"))
        with region.lock:
            region.transitions.settle()
            node_group, addon = asked.get("nodegroup"), asked.get("addon")
            if reason := asked.get("update_error"):
                concerned = [each for each in cluster.updates.values() if (each.node_group, each.addon) == (node_group, addon)]
                for update in concerned:
                    update.failure = str(reason) if update.record["status"] == "InProgress" else update.failure
                return _json({"updates": [each.record["id"] for each in concerned if each.failure]})
            record = cluster.addon(addon) if addon else cluster.node_group(node_group).record if node_group else cluster.record
            record.update(status=asked["status"], health={"issues": asked.get("issues", [])})
            return _json({"status": record["status"], "health": record["health"]})

    def _pods(self, request: Request) -> Response:
        asked = request.get_json(force=True)
        region, cluster = self._regions.find(asked["cluster"], asked.get("region"))
        with region.lock:
            return _json(instances.set_pod_addresses(region, cluster, [(pod["address"], pod["node"]) for pod in asked["pods"]]))

    def _certificates(self, request: Request) -> Response:
        asked = request.get_json(force=True)
        return _json({"status": certificates.set_expiry(asked["arn"], datetime.datetime.fromisoformat(asked["not_after"]))})

    def _shield(self, request: Request) -> Response:
        subscribed = request.get_json(force=True)["subscribed"]
        if not isinstance(subscribed, bool):
            raise ValueError("subscribed is true or false")
        return _json(shield.subscribe(subscribed))

    def _authenticate(self, request: Request, name: str, region: str | None = None) -> Response:
        place, cluster = self._regions.find(name, region or request.args.get("region"))
        with place.lock:
            place.transitions.settle()
            return _json(tokens.review(request.get_json(force=True), place, cluster))

    def _pod_identity(self, request: Request, cluster: str, namespace: str, account: str) -> Response:
        region, found = self._regions.find(cluster, request.args.get("region"))
        with region.lock:
            return _json(pod_credentials.credentials(region, found, namespace, account))


def _json(value: object) -> Response:
    return Response(json.dumps(value, default=str) + "\n", mimetype="application/json")


def _error(message: str, status: int) -> Response:
    return Response(json.dumps({"message": message}) + "\n", status, mimetype="application/json")
