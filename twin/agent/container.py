"""What a kubelet makes of a pod before it starts a container: environment, arguments, files."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from twin.agent.files import inside, write_private
from twin.collection import CONFIG_MAP, SECRET, ApiSession, Kind, Object
from twin.errors import TwinError

# Source: istio pkg/log/options.go, whose flags may be written with dashes as well.
_FILES_TO_WRITE = frozenset({"log_target", "log_rotate"})
# Asks the API server for a token of the pod's ServiceAccount: (audience or None, seconds) -> token.
TokenSource = Callable[[str | None, int], str]


def environment_of(pod: Object, container: dict[str, Any], session: ApiSession) -> dict[str, str]:
    """The container's variables, as the kubelet would set them.

    Raises:
        TwinError: a ConfigMap, Secret or key that is not optional is missing.
    """
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        kind, reference = (CONFIG_MAP, source["configMapRef"]) if "configMapRef" in source else (SECRET, source["secretRef"])
        for key, content in _data(session, kind, reference["name"], namespace, reference.get("optional", False)).items():
            found[source.get("prefix", "") + key] = content.decode()
    for variable in container.get("env") or ():
        value = _value(variable, pod, session)
        if value is not None:
            # What comes from elsewhere is taken as it is.
            found[variable["name"]] = value if "valueFrom" in variable else _expanded(value, found)
    return found


def arguments_of(container: dict[str, Any], environment: dict[str, str]) -> list[str]:
    """The container's arguments with $(NAME) filled in.

    Raises:
        TwinError: one names a file to write, which would be one of this machine, or ends the options, of which the twin adds its own: where to listen.
    """
    arguments = [_expanded(argument, environment) for argument in container.get("args") or ()]
    for argument in arguments:
        if argument == "--" or argument.lstrip("-").partition("=")[0].replace("-", "_") in _FILES_TO_WRITE:
            raise TwinError(f"The argument {argument} is not passed on, because the process would write or listen outside of the pod: remove it.")
    return arguments


def write_volumes(pod: Object, container: dict[str, Any], session: ApiSession, token: TokenSource, root: Path) -> None:
    """Write what the container mounts from ConfigMaps, Secrets, the downward API and projections, at the same paths below root.

    Raises:
        TwinError: a ConfigMap, Secret or key that is not optional is missing, or a path leads out of root.
    """
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        volume = volumes[mount["name"]]
        directory = inside(root, mount["mountPath"])
        files: dict[str, bytes] = {}
        for source in _sources(volume):
            files |= _files(source, pod, session, token)
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            target = inside(directory, name)
            if not target.exists() or target.read_bytes() != content:
                write_private(target, content)


def _sources(volume: dict[str, Any]) -> list[dict[str, Any]]:
    if "projected" in volume:
        return list(volume["projected"].get("sources") or ())
    return [{kind: source} for kind, source in volume.items() if kind in ("configMap", "secret", "downwardAPI")]


def _files(source: dict[str, Any], pod: Object, session: ApiSession, token: TokenSource) -> dict[str, bytes]:
    namespace = pod["metadata"]["namespace"]
    if "serviceAccountToken" in source:
        desired = source["serviceAccountToken"]
        return {desired["path"]: token(desired.get("audience"), desired.get("expirationSeconds", 3600)).encode()}
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or ()
        return {item["path"]: (_field(item["fieldRef"]["fieldPath"], pod) or "").encode() for item in items if "fieldRef" in item}
    kind, reference = (CONFIG_MAP, source["configMap"]) if "configMap" in source else (SECRET, source["secret"])
    data = _data(session, kind, reference.get("name") or reference.get("secretName"), namespace, reference.get("optional", False))
    items = reference.get("items")
    return {item["path"]: data[item["key"]] for item in items if item["key"] in data} if items else data


def _data(session: ApiSession, kind: Kind, name: str, namespace: str, optional: bool) -> dict[str, bytes]:
    found = session.get(kind, name, namespace)
    if found is None:
        if optional:
            return {}
        raise TwinError(f"{kind.name} {namespace}/{name} not found")
    if kind is SECRET:
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
    data = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    return data | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}


def _value(variable: dict[str, Any], pod: Object, session: ApiSession) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return str(variable.get("value", ""))
    if "fieldRef" in source:
        return _field(source["fieldRef"]["fieldPath"], pod) or ""
    if "resourceFieldRef" in source:
        return _machine_resource(source["resourceFieldRef"]["resource"])
    kind, reference = (CONFIG_MAP, source["configMapKeyRef"]) if "configMapKeyRef" in source else (SECRET, source["secretKeyRef"])
    optional = reference.get("optional", False)
    data = _data(session, kind, reference["name"], pod["metadata"]["namespace"], optional)
    if reference["key"] in data:
        return data[reference["key"]].decode()
    if optional:
        return None
    raise TwinError(f"{kind.name} {reference['name']} has no key {reference['key']}")


def _field(path: str, pod: Object) -> str | None:
    """A downward API field: a path of names, or one annotation or label."""
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if keyed:
        return (pod["metadata"].get(keyed[1]) or {}).get(keyed[2])
    value: Any = pod
    for name in path.split("."):
        value = (value or {}).get(name)
    if isinstance(value, dict):
        return "\n".join(f'{key}="{text}"' for key, text in sorted(value.items()))
    return None if value is None else str(value)


def _machine_resource(resource: str) -> str:
    """Limits and requests of CPU and memory: a simulated node's would be fantastic, so they are those of this machine."""
    return str(os.cpu_count() or 1) if resource.endswith("cpu") else str(psutil.virtual_memory().total)


def _expanded(text: str, environment: dict[str, str]) -> str:
    """Fill in $(NAME); $$ is a literal dollar, and a name that is not known stays as it is."""
    return re.sub(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)", lambda found: "$" if found[1] is None else environment.get(found[1], found[0]), text)
