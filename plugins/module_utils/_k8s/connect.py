# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Authentication options and sessions. The only file that imports kubernetes.core."""

from __future__ import annotations

import gc
import os
import re
import socket
import time
import traceback
import typing as t
from urllib.parse import unquote

# Importing kubernetes makes hundreds of thousands of objects that all stay: looking through them for garbage, meanwhile and at the end of
# the process, would be a tenth of what a short task takes.
gc.disable()

# get_api_client() would add a dynamic client, whose discovery costs requests that no module here needs.
# These three helpers of it have been the same from kubernetes.core 5 to 6 (the dependency is capped at 6).
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP, AUTH_ARG_SPEC
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import _create_auth_spec, _create_configuration, _create_headers

from .._errors import ApiError, MeshError
from .._text import in_one_line, userinfo_in, without_userinfo
from .chosen_context import refuse_impersonation
from .exec_credentials import captured_errors, no_credentials
from .proxy import kubeconfig_of_environment, proxy_of_environment, proxy_url_of
from .session import ApiSession
from .transport import Transport

try:
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, kube_config
    from urllib3.util import make_headers
    from yaml import YAMLError

    IMPORT_ERROR = None
    # What the kubernetes package raises at a kubeconfig that is missing, malformed, or something else altogether.
    _UNUSABLE = (AttributeError, ConfigException, LookupError, OSError, TypeError, ValueError, YAMLError)
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

gc.enable()
gc.freeze()

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), seconds)
    for name, seconds in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    # Not every platform has them.
    if hasattr(socket, name)
]

# What the environment may say beside an option that names the cluster: how any cluster is reached, and in which kubeconfig a context is to be found.
_KEPT = ("kubeconfig", "no_proxy", "persist_config", "proxy", "proxy_headers")


def connect(module: AnsibleModule) -> ApiSession:
    """Open the task's session with the cluster that the module's authentication options name.

    Uses of module: params (only the options of AUTH_ARG_SPEC).

    Raises:
        MeshError: a Python library is missing, the kubeconfig cannot be used or acts as another user, or its program gives no credentials.
    """
    if IMPORT_ERROR:
        raise MeshError(
            "The Python package kubernetes and the collection kubernetes.core are needed on the host that runs this task: "
            "pip install 'kubernetes<37' and ansible-galaxy collection install 'kubernetes.core:>=6.2,<7'.",
            exception=IMPORT_ERROR,
        )
    auth, headers = auth_options(module), _create_headers(module)
    if _names_the_cluster(module) and not (module.params.get("impersonate_user") or module.params.get("impersonate_groups")):
        headers = {}
    kubeconfig = auth.get("kubeconfig") or ("" if auth.get("host") else kubeconfig_of_environment(os.environ))
    # Whom the options name acts instead.
    if kubeconfig and "Impersonate-User" not in headers:
        refuse_impersonation(kubeconfig, str(auth.get("context") or ""))
    try:
        configuration = _configured(auth)
        _set_proxy(configuration, auth, kubeconfig)
        # A peer that is gone without closing its connection is noticed within half a minute.
        configuration.socket_options = _KEEPALIVE
        client = ApiClient(configuration)
        # An audit log then shows who sent the request.
        client.user_agent = "meshwright.ambient"
    except _UNUSABLE as error:
        source = "the given kubeconfig" if module.params.get("kubeconfig") else "the credentials of the environment"
        raise MeshError(f"No session could be opened with {source} ({_reason(error)}): check that it is complete and contains the context.") from error
    for header, value in headers.items():
        client.set_default_header(header, ",".join(value) if isinstance(value, list) else value)

    def renew() -> bool:
        """Read the kubeconfig and its token files again, and run its exec plugin again; returns whether the credentials have changed.

        Raises:
            ApiError: the exec plugin no longer gives any.
        """
        before = dict(client.configuration.api_key)
        try:
            fresh = _configured(auth)
        except _UNUSABLE:
            return False
        except MeshError as error:
            raise ApiError(error.message, status=401, reason="Unauthorized") from error
        client.configuration.api_key = fresh.api_key
        # The previous hook would restore its own token.
        client.configuration.refresh_api_key_hook = fresh.refresh_api_key_hook
        return bool(fresh.api_key != before)

    return ApiSession(Transport(client, renew), name=str(module.params.get("context") or ""), pause=time.sleep)


def _set_proxy(configuration: t.Any, auth: t.Mapping[str, t.Any], kubeconfig: t.Any) -> None:
    """Go to the cluster by the proxy that kubectl and Helm would take; the option proxy precedes."""
    if auth.get("proxy"):
        return
    of_the_cluster = proxy_url_of(kubeconfig, str(auth.get("context") or "")) if kubeconfig else ""
    proxy = of_the_cluster or proxy_of_environment(configuration.host, os.environ)
    configuration.proxy = without_userinfo(proxy) or None
    if of_the_cluster:
        configuration.no_proxy = None
    for userinfo in userinfo_in(proxy):
        # urllib3 reads neither user nor password from the URL.
        configuration.proxy_headers = make_headers(proxy_basic_auth=unquote(userinfo))


def auth_options(module: AnsibleModule) -> dict[str, t.Any]:
    """The authentication options of a task, under the names of the kubernetes package, completed from the environment.

    Uses of module: params (only the options of AUTH_ARG_SPEC).
    """
    auth: dict[str, t.Any] = _create_auth_spec(module)
    if _names_the_cluster(module):
        # Beside an option that names the cluster, kubernetes.core still lets the environment (an AWX credential) say which one and as whom.
        foreign = {option for option in AUTH_ARG_SPEC if option not in _KEPT and module.params.get(option) is None}
        auth = {true_name: value for true_name, value in auth.items() if AUTH_ARG_MAP[true_name] not in foreign}
    return auth


def _names_the_cluster(module: AnsibleModule) -> bool:
    return module.params.get("kubeconfig") is not None or module.params.get("context") is not None


def _configured(auth: dict[str, t.Any]) -> t.Any:
    """The kubernetes Configuration of these options.

    Raises:
        MeshError: the program of the kubeconfig gives no credentials, and there are no others.
    """
    # In the process of a task, the package kubernetes is imported already, perhaps with another value of this variable, and may have been used by
    # another item of a loop: it fills what the options do not say from the configuration that it last loaded.
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = os.environ.get("KUBECONFIG", "~/.kube/config")
    Configuration.set_default(None)
    with captured_errors() as errors:
        configuration = _create_configuration(auth)
    if errors and not configuration.api_key and not configuration.cert_file:
        raise MeshError(no_credentials(configuration.host, errors))
    return configuration


def _reason(error: Exception) -> str:
    """Why a kubeconfig cannot be used, without quoting from it: the parsers of YAML and of dates would, and an entry without a key is shown whole."""
    if isinstance(error, YAMLError):
        mark = getattr(error, "problem_mark", None)
        return f"it is not valid YAML at line {mark.line + 1}" if mark else "it is no valid YAML"
    if isinstance(error, ConfigException):
        text = re.sub(r" in \S*\{.*", " in an entry", in_one_line(error))
        return re.sub(r"<\S+ object at 0x[0-9a-f]+>", "that is no text", text)
    return in_one_line(error) if isinstance(error, OSError) else "one of its fields has a wrong type or format"


__all__ = ("AUTH_ARG_SPEC", "auth_options", "connect")
