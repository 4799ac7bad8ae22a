# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: own_cluster
short_description: The shell sh, without credentials of another Kubernetes cluster
version_added: 0.1.0
author: The meshwright.ambient contributors (@meshwright)
description:
  - Runs modules as the shell plugin P(ansible.builtin.sh#shell) does, but takes away the environment variables by which a job names a Kubernetes
    cluster by address, such as AWX's Kubernetes credential does (E(K8S_AUTH_HOST), E(K8S_AUTH_API_KEY) and the others).
  - M(kubernetes.core.k8s) would prefer them to the option O(kubernetes.core.k8s#module:kubeconfig), and so work on another cluster than the
    inventory names. M(kubernetes.core.helm) would mix both. The keyword C(environment) cannot help, because it can only set variables, and
    kubernetes.core takes an empty address for an address.
  - The roles of this collection use it automatically if C(cluster_kubeconfig) or C(cluster_context) is set. In your own plays, set the
    variable C(ansible_shell_type).
extends_documentation_fragment:
  - ansible.builtin.shell_common
"""

import typing as t

from ansible.plugins.shell.sh import ShellModule as PosixShell

# What names a cluster, or who one is there, by other means than the kubeconfig. The names are those of kubernetes.core (k8s_auth_options,
# helm_common_options), with the true names that its client also reads, and Helm's own.
FOREIGN = (
    "K8S_AUTH_API_KEY",
    "K8S_AUTH_CA_CERT",
    "K8S_AUTH_CERT_FILE",
    "K8S_AUTH_CLIENT_CERT",
    "K8S_AUTH_CLIENT_KEY",
    "K8S_AUTH_CONTEXT",
    "K8S_AUTH_HOST",
    "K8S_AUTH_IMPERSONATE_GROUPS",
    "K8S_AUTH_IMPERSONATE_USER",
    "K8S_AUTH_KEY_FILE",
    "K8S_AUTH_PASSWORD",
    "K8S_AUTH_SSL_CA_CERT",
    "K8S_AUTH_USERNAME",
    "K8S_AUTH_VALIDATE_CERTS",
    "K8S_AUTH_VERIFY_SSL",
    "HELM_KUBEAPISERVER",
    "HELM_KUBEASGROUPS",
    "HELM_KUBEASUSER",
    "HELM_KUBECAFILE",
    "HELM_KUBECONTEXT",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
    "HELM_KUBETLS_SERVER_NAME",
    "HELM_KUBETOKEN",
)


class ShellModule(PosixShell):
    """Sends each module into an environment without them."""

    # It is chosen by name only, never because some shell's file name fits.
    COMPATIBLE_SHELLS: t.FrozenSet[str] = frozenset()
    SHELL_FAMILY = "sh"

    def env_prefix(self, **kwargs: t.Any) -> str:
        """What stands before the command of a module: variables to take away, then those that the play sets."""
        taken_away = " ".join(f"-u {name}" for name in FOREIGN)
        return f"env {taken_away} {super().env_prefix(**kwargs)}".rstrip()
