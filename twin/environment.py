"""The environment in which kubectl, helm, istioctl and Ansible speak to a twin."""

from __future__ import annotations

import os

from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.tools.build import locate_tools
from twin.tools.catalogue import GATEWAY_API_VERSION, ISTIO_VERSION


def exports_of(name: str) -> dict[str, str]:
    """The variables to set; PATH only when the twin's programs are not on it yet.

    Raises:
        TwinError: there is no such twin.
    """
    paths, toolbox = TwinPaths(name), locate_tools()
    if not paths.facts.exists():
        raise TwinError(f"There is no twin {name}: make twin-up makes it.")
    variables = {
        "KUBECONFIG": str(paths.kubeconfig),
        "TWIN": name,
        "TWIN_CHARTS": str(toolbox.files["istio"] / "charts"),
        "TWIN_GATEWAY_API": str(toolbox.files["gateway-api"] / "standard"),
        "TWIN_GATEWAY_API_VERSION": GATEWAY_API_VERSION,
        "TWIN_KUBECONFIG": str(paths.kubeconfig),
        "TWIN_ISTIO_VERSION": ISTIO_VERSION,
        "TWIN_SAMPLES": str(toolbox.files["istio"] / "samples"),
    }
    path = os.environ.get("PATH", "").split(os.pathsep)
    missing = [entry for entry in toolbox.path_entries("kubectl", "helm", "istioctl") if entry not in path]
    return {**variables, "PATH": os.pathsep.join([*missing, *path])} if missing else variables
