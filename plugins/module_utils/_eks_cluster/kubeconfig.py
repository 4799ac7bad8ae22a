# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""A kubeconfig without a secret: its user is a program that creates a token from the AWS credentials whenever one is needed."""

from __future__ import annotations

import typing as t

from .._errors import MeshError
from .token_program import PROGRAM

# The options of amazon.aws that carry keys, each with the environment variable that botocore reads by itself.
_KEYS = (("access_key", "AWS_ACCESS_KEY_ID"), ("secret_key", "AWS_SECRET_ACCESS_KEY"), ("session_token", "AWS_SESSION_TOKEN"))
# STS' address for all regions; a token is signed for the address of one.
_GLOBAL_STS = "https://sts.amazonaws.com"


def render_kubeconfig(*, name: str, arn: str, endpoint: str, ca: str, region: str, sts: str, profile: str, python: str) -> dict[str, t.Any]:
    """The content of a kubeconfig for an EKS cluster.

    Args:
        name, arn: the cluster's; the context is called by the ARN, as `aws eks update-kubeconfig` does.
        endpoint: the URL of its API server.
        ca: the certificate of its authority in base64, as EKS returns it.
        region: where it is.
        sts: the URL of STS that botocore uses there.
        profile: the AWS profile with the credentials; may be empty.
        python: the interpreter that has botocore.
    """
    address = f"https://sts.{region}.amazonaws.com" if sts.rstrip("/") == _GLOBAL_STS else sts
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": python,
        "args": ["-c", PROGRAM, name, region, address, profile],
        # client-go requires this field of a v1 plugin; the program never asks anybody.
        "interactiveMode": "Never",
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": arn, "cluster": {"server": endpoint, "certificate-authority-data": ca}}],
        "users": [{"name": arn, "user": {"exec": program}}],
        "contexts": [{"name": arn, "context": {"cluster": arn, "user": arn}}],
        "current-context": arn,
    }


def refuse_keys_in_options(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> None:
    """Refuse keys that only the task's options have, because the kubeconfig would have to contain them.

    amazon.aws fills its options from the environment, so an option that equals its variable was not set by the task.

    Raises:
        MeshError: there are such keys.
    """
    for option, variable in _KEYS:
        if params.get(option) and params[option] != environment.get(variable):
            raise MeshError(
                f"The option {option} cannot be used here: the kubeconfig would have to contain the key. Set {variable} in the environment of the job, "
                "or the option profile, or let the job run with a role."
            )


__all__ = ("refuse_keys_in_options", "render_kubeconfig")
