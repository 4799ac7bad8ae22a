"""The environment in which kubectl, helm, istioctl, AWS tools and Ansible speak to a twin, or to a local AWS account."""

from __future__ import annotations

import os

from twin.aws import account
from twin.errors import TwinError
from twin.kwok.lifecycle import clusters_of
from twin.kwok.settings import read_settings
from twin.paths import TwinPaths
from twin.tools.build import Toolbox, locate_tools
from twin.tools.catalogue import GATEWAY_API_VERSION, ISTIO_VERSION, KARPENTER_VERSION, LOAD_BALANCER_CONTROLLER_VERSION


def exports_of(name: str) -> dict[str, str]:
    """The variables to set; PATH only when the twin's programs are not on it yet.

    The name may be a twin's, an account's, or both's. A twin that is an EKS cluster comes with the keys of its account,
    an account with the kubeconfig of its first cluster.

    Raises:
        TwinError: there is neither.
    """
    paths, toolbox = TwinPaths(name), locate_tools()
    variables = {"TWIN": name, **sources_of(toolbox)}
    if paths.settings.exists():
        aws = read_settings(paths).aws
        variables |= _cluster_access(paths)
        if aws and account.exists(aws.account):
            variables |= account.credentials(aws.account, aws.region)
    elif not account.exists(name):
        raise TwinError(f"There is no twin {name}: make twin-up creates it.")
    if account.exists(name):
        variables |= account.credentials(name)
        if "KUBECONFIG" not in variables and (clusters := sorted(clusters_of(name))):
            variables |= _cluster_access(TwinPaths(clusters[0]))
    path = os.environ.get("PATH", "").split(os.pathsep)
    missing = [entry for entry in toolbox.path_entries("kubectl", "helm", "istioctl") if entry not in path]
    variables = dict(sorted(variables.items()))
    return {**variables, "PATH": os.pathsep.join([*missing, *path])} if missing else variables


def sources_of(toolbox: Toolbox) -> dict[str, str]:
    """What the twin has in place of the internet: charts, definitions and samples, and their versions."""
    return {
        "TWIN_ALB_CONTROLLER_CHART": str(toolbox.files["load-balancer-controller"] / "charts"),
        "TWIN_ALB_CONTROLLER_POLICY": str(toolbox.files["load-balancer-controller"] / "iam_policy.json"),
        # The chart's version: the controller's own without the v.
        "TWIN_ALB_CONTROLLER_VERSION": LOAD_BALANCER_CONTROLLER_VERSION.removeprefix("v"),
        "TWIN_CHARTS": str(toolbox.files["istio"] / "charts"),
        "TWIN_GATEWAY_API": str(toolbox.files["gateway-api"] / "standard"),
        "TWIN_GATEWAY_API_VERSION": GATEWAY_API_VERSION,
        "TWIN_ISTIO_VERSION": ISTIO_VERSION,
        "TWIN_KARPENTER_CHARTS": str(toolbox.files["karpenter"] / "charts"),
        # The charts' version: the controller's own without the v.
        "TWIN_KARPENTER_VERSION": KARPENTER_VERSION.removeprefix("v"),
        "TWIN_SAMPLES": str(toolbox.files["istio"] / "samples"),
    }


def _cluster_access(paths: TwinPaths) -> dict[str, str]:
    return {"KUBECONFIG": str(paths.kubeconfig), "TWIN_KUBECONFIG": str(paths.kubeconfig)}
