# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: kubeconfig
short_description: The kubeconfig of the host's cluster, in a form that every module accepts
version_added: 0.1.0
description:
  - Reads the variable C(cluster_kubeconfig), which may be a path, a dictionary, or the content of a kubeconfig as YAML or JSON.
  - Content that contains a secret is returned as the path of a file, because the modules of C(kubernetes.core) would show it if they crashed. Only the user
    of the job can read the file, which is removed at the end of the run, also of one that is cancelled or killed. If tasks run on a host other than the
    controller (the variable C(ansible_connection) is not V(local)), content is returned as a dictionary.
  - Fails if no variable names the cluster of the host, so that no task ever changes a cluster that only the environment of the job names
    (E(KUBECONFIG), E(K8S_AUTH_HOST) and the like). To use that cluster deliberately, set C(cluster_from_environment) to V(true).
  - Fails if the role C(eks) has found that the EKS cluster cannot be reached.
  - Returns V(none) if C(cluster_context) or the environment selects the cluster.
author:
  - The meshwright.ambient contributors (@meshwright)
options:
  _terms:
    description: Takes no terms.
  proxy:
    description:
      - Return the C(proxy-url) of the cluster instead, for modules of C(kubernetes.core), which do not read it. Empty if the kubeconfig has none.
      - The collection's own modules, Helm and C(kubectl) read it themselves.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Create a namespace in the cluster that the inventory names
  kubernetes.core.k8s:
    kubeconfig: "{{ lookup('meshwright.ambient.kubeconfig') | default(omit, true) }}"
    context: "{{ cluster_context | default(omit) }}"
    kind: Namespace
    name: shop
    proxy: "{{ lookup('meshwright.ambient.kubeconfig', proxy=true) | default(omit, true) }}"
"""

RETURN = r"""
_raw:
  description: The path or the content of the kubeconfig, or V(none); with O(proxy=true), the URL of the proxy.
  type: list
  elements: raw
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._errors import MeshError
from ..module_utils._inventory.values import convert
from ..module_utils._k8s.kubeconfig import normalize_kubeconfig
from ..module_utils._k8s.proxy import kubeconfig_of_environment, proxy_url_of
from ..module_utils._k8s.redaction import secret_strings
from ..module_utils._text import userinfo_in
from ..plugin_utils._role_variables import resolve

# As the argument specs of the roles declare them; eks_cluster is a fact of the role eks.
_OPTIONS: dict[str, dict[str, t.Any]] = {
    "cluster_kubeconfig": {"type": "raw", "no_log": True},
    "cluster_context": {"type": "str"},
    "cluster_from_environment": {"type": "bool"},
    "eks_cluster": {"type": "raw", "no_log": True},
    "eks_cluster_name": {"type": "str"},
    "eks_region": {"type": "str"},
}


class LookupModule(LookupBase):
    """The kubeconfig of the host's cluster, in a form that every module accepts."""

    def run(self, _terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[str | dict[str, t.Any] | None]:
        host = (variables or {}).get("inventory_hostname", "localhost")
        resolved, errors = resolve(self._templar, _OPTIONS, variables or {})
        converted = convert(_OPTIONS, resolved)
        if errors or converted.errors:
            raise AnsibleLookupError(f"Cluster {host} cannot be reached: {' '.join([*errors.values(), *converted.errors])}")
        try:
            kubeconfig = kubeconfig_of(host, converted.values)
            if options.get("proxy"):
                return [_proxy_of(host, kubeconfig, converted.values.get("cluster_context") or "")]
        except MeshError as error:
            # Nothing but this sentence is to be shown.
            raise AnsibleLookupError(error.message) from None
        local = (variables or {}).get("ansible_connection") == "local"
        return [_file_with(kubeconfig) if local and isinstance(kubeconfig, dict) and secret_strings(kubeconfig) else kubeconfig]


def kubeconfig_of(host: str, variables: t.Mapping[str, t.Any]) -> str | dict[str, t.Any] | None:
    """The kubeconfig that a host's variables name; None when a context or, on request, the environment is to be used.

    Raises:
        MeshError: they name none, or one that cannot be used.
    """
    # The role eks sets it, also for a cluster that does not exist; without this key, it is a variable of the user's own.
    eks = variables.get("eks_cluster")
    if isinstance(eks, dict) and "exists" in eks and not (eks.get("endpoint") and eks.get("certificate_authority")):
        where = f"EKS cluster {variables.get('eks_cluster_name', host)} in {variables.get('eks_region', 'the default region')}"
        state = f"is {eks['status']} and has no endpoint" if eks.get("status") else "does not exist"
        remedy = "run site.yml --tags eks, which creates it and waits for it, or reports what is wrong with it"
        raise MeshError(f"Cluster {host} cannot be reached, because {where} {state}: {remedy}.")
    kubeconfig = normalize_kubeconfig(variables.get("cluster_kubeconfig"), f"The variable cluster_kubeconfig of cluster {host}")
    if kubeconfig is None and not variables.get("cluster_context") and not variables.get("cluster_from_environment"):
        raise MeshError(
            f"No variable says how cluster {host} is reached: set cluster_kubeconfig or cluster_context, let the role eks find an EKS cluster, "
            "or set cluster_from_environment to true to use the cluster that the environment of the job names."
        )
    return kubeconfig


def _proxy_of(host: str, kubeconfig: str | t.Mapping[str, t.Any] | None, context: str) -> str:
    """The proxy for modules of kubernetes.core; empty if the environment names it for them.

    Raises:
        MeshError: it has a password, which their result would show.
    """
    proxy = "" if os.environ.get("K8S_AUTH_PROXY") else proxy_url_of(kubeconfig or kubeconfig_of_environment(os.environ), context)
    if userinfo_in(proxy):
        raise MeshError(
            f"The proxy-url of cluster {host} has a user or password, which the modules of kubernetes.core would show: "
            "set K8S_AUTH_PROXY, and K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH to user:password, in the environment of the job."
        )
    return proxy


# Ansible removes its temporary directory at its end, but not if it is ended by a signal, as AWX does with a job that is cancelled.
_REMOVE = """
import os, select, shutil, sys, time

process, directory = int(sys.argv[1]), sys.argv[2]
try:
    select.select([os.pidfd_open(process)], [], [])
except (AttributeError, OSError):
    # Neither every system nor every Python can wait for a process that is not its own child.
    while os.path.isdir(directory):
        try:
            os.kill(process, 0)
        except OSError:
            break
        time.sleep(1)
shutil.rmtree(directory, ignore_errors=True)
try:
    os.rmdir(os.path.dirname(directory))
except OSError:
    pass
"""


def _file_with(kubeconfig: dict[str, t.Any]) -> str:
    """The path of a file with this content, which is gone after the run; one file for all tasks that need the same."""
    content = json.dumps(kubeconfig, sort_keys=True, default=str).encode()
    path = _directory() / f"kubeconfig-{hashlib.sha256(content).hexdigest()}"
    if not path.exists():
        # Other hosts of the play may be about to write the same.
        descriptor, written = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(written).replace(path)
    return str(path)


def _directory() -> Path:
    """The directory for these files; whoever makes it also starts the process that removes it when the run has ended in whatever way."""
    temporary = Path(constants.DEFAULT_LOCAL_TMP)
    directory = temporary / "kubeconfigs"
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return directory
    # A lookup runs in the process of the run, or in that of a task, which is its child. Source: ansible-core, config/manager.py (the type tmppath).
    run = next((process for process in (os.getpid(), os.getppid()) if temporary.name.startswith(f"ansible-local-{process}")), None)
    if run is not None:
        command = [sys.executable, "-c", _REMOVE, str(run), str(directory)]
        null = subprocess.DEVNULL
        subprocess.Popen(command, start_new_session=True, cwd="/", stdin=null, stdout=null, stderr=null)
    return directory
