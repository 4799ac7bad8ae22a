"""What a request asks for, in botocore's words; the log of all requests; and where faults are put in."""

from __future__ import annotations

import datetime
import io
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from twin.aws.asked import Asked
from twin.aws.faults import Faults

_ACCESS_KEY = re.compile(r"Credential=([A-Za-z0-9]+)/")
# Where moto's name of a backend, or a signing name, is not botocore's name of the service.
_BOTOCORE_NAMES = {"awslambda": "lambda", "tagging": "resourcegroupstaggingapi", "monitoring": "cloudwatch"}
# The versions of the API distinguish classic load balancers from the later ones: both sign as elasticloadbalancing.
_LATER_LOAD_BALANCERS = "2015-12-01"


# Enough for any rehearsal; an account that lives for weeks must not fill the memory.
_REMEMBERED = 50_000


# What changes nothing that lasts; a session of a role comes and goes by itself.
_READS = ("Describe", "List", "Get", "Search", "Lookup", "Filter", "Simulate", "Decode", "Check", "Head", "AssumeRole")

# Parameters that say what a write is about; none of them is a secret.
_NAMES = re.compile(r"(name|id|arn|bucket|cidrblock|namespace|serviceaccount|resources)$", re.IGNORECASE)


def is_read(operation: str) -> bool:
    """Whether an operation of AWS only looks."""
    return operation.startswith(_READS)


@dataclass(frozen=True)
class Line:
    """One line of the request log."""

    time: str
    service: str
    operation: str
    status: int
    access_key: str
    user_agent: str
    names: Mapping[str, str]


class RequestLog:
    """Remembers the latest requests, and writes all of them to a file if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: deque[Line] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    def add(self, asked: Asked, status: int) -> None:
        moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = Line(moment, asked.service, asked.operation, status, asked.access_key, asked.user_agent, asked.names)
        with self._lock:
            self._lines.append(line)
            if self._path:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(line)) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(line) for line in self._lines]

    def clear(self) -> None:
        """Forget what was noted; the file stays as it is."""
        with self._lock:
            self._lines.clear()


class Recorder:
    """WSGI in front of moto: names each request, answers it with a fault if one is due, and notes its outcome."""

    def __init__(self, moto: DomainDispatcherApplication, log: RequestLog, faults: Faults) -> None:
        self._moto = moto
        self._log = log
        self._faults = faults

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = self._identify(environ)
        seen: list[int] = []

        def note(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            seen.append(int(status.split(" ", 1)[0]))
            return start_response(status, headers, *more)

        answer = self._faults.answer(asked) or self._moto
        try:
            result: Iterable[bytes] = answer(environ, note)
        except Exception:
            seen.append(500)
            raise
        finally:
            self._log.add(asked, seen[-1] if seen else 0)
        return result

    def _identify(self, environ: dict[str, Any]) -> Asked:
        match = _ACCESS_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
        access_key, agent = match.group(1) if match else "", environ.get("HTTP_USER_AGENT", "")
        _buffer(environ)
        service = self._service(environ)
        model = _operation(service, environ) if service else None
        names = _names(service, model, environ) if model and not is_read(str(model.name)) else {}
        return Asked(service, str(model.name) if model else "", access_key, agent, environ.get("CONTENT_TYPE", ""), model, names)

    def _service(self, environ: dict[str, Any]) -> str:
        path = environ.get("PATH_INFO", "")
        if path.startswith(("/moto-api", "/latest/")):
            return ""
        host = self._moto.infer_service_region_host(environ, path)
        _rewind(environ)
        backend = self._moto.get_backend_for_host(host) if host else ""
        if backend == "elb" and _LATER_LOAD_BALANCERS in _versions(environ):
            backend = "elbv2"
        return _BOTOCORE_NAMES.get(str(backend or ""), str(backend or ""))


def _buffer(environ: dict[str, Any]) -> None:
    """Make the body readable more than once."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and not environ.get("wsgi.input_terminated"):
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))


def _rewind(environ: dict[str, Any]) -> None:
    if isinstance(environ["wsgi.input"], io.BytesIO):
        environ["wsgi.input"].seek(0)


def _versions(environ: dict[str, Any]) -> list[str]:
    body = environ["wsgi.input"]
    text = body.getvalue().decode("utf-8", "replace") if isinstance(body, io.BytesIO) else ""
    return parse_qs(text).get("Version", []) + parse_qs(environ.get("QUERY_STRING", "")).get("Version", [])


def _operation(service: str, environ: dict[str, Any]) -> OperationModel | None:
    try:
        get_service_model(service)
        operation, _parameters = get_service_router(service).match(Request(dict(environ)))
    except Exception:
        # Whatever this is, moto answers it; it stays without a name in the log.
        return None
    finally:
        _rewind(environ)
    return operation


def _names(service: str, model: OperationModel, environ: dict[str, Any]) -> dict[str, str]:
    """The names and identifiers among the parameters of a request."""
    if not isinstance(environ["wsgi.input"], io.BytesIO):
        # Its body can be read only once, by moto.
        return {}
    request = Request(dict(environ))
    try:
        _operation, in_path = get_service_router(service).match(request)
        parser = PROTOCOL_PARSERS[determine_request_protocol(get_service_model(service), request.content_type)](model)
        given = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": in_path,
            }
        )
    except Exception:
        # Moto refuses what cannot be understood.
        return {}
    finally:
        _rewind(environ)
    named = {name: value for name, value in given.items() if _NAMES.search(name)}
    texts = {name: value for name, value in named.items() if isinstance(value, str)}
    return texts | {name: ",".join(value) for name, value in named.items() if isinstance(value, list) and all(isinstance(each, str) for each in value)}
