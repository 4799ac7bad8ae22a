# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Runs Helm. Values and credentials reach it by files that only this user can read, never as arguments."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import typing as t
from dataclasses import replace
from pathlib import Path

from .._errors import MeshError
from .._k8s.connect import auth_options
from .._k8s.denials import find_denial
from .._k8s.writes import Write
from .._kinds import CUSTOM_RESOURCE_DEFINITION
from .._managed_fields import FIELD_MANAGER
from .._text import printable, quoted, without_userinfo
from .._yaml import YamlOutOfBounds, load_documents
from .plan import ReleasePlan
from .records import CurrentState
from .refusals import is_unknown, refuse_conflict
from .render import values_text
from .spec import Chart, ChartReference, Release
from .state import record_kind

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Helm's variables for the authentication options of kubernetes.core. Source: helm_args_common of kubernetes.core, and helm env.
_VARIABLES = {"context": "HELM_KUBECONTEXT", "host": "HELM_KUBEAPISERVER", "api_key": "HELM_KUBETOKEN", "ssl_ca_cert": "HELM_KUBECAFILE"}
# What the environment of the job must not add: the API session does not read it, and would work on another cluster, or as somebody else.
_NOBODY = dict.fromkeys((*_VARIABLES.values(), "HELM_KUBEASUSER", "HELM_KUBEASGROUPS", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "HELM_KUBETLS_SERVER_NAME"), "")
# What a repository with a password is named in a file of its own.
_REPOSITORY = "meshwright-source"
# What Helm quotes of the API server's words and says nothing about; the other causes may be Helm's own words.
_SAID_BY_THE_CLUSTER = frozenset(
    {"webhook", "webhook_unavailable", "policy", "namespace_terminating", "escalation", "rbac", "quota", "quota_not_counted", "pod_security", "limit_range"}
)


class _Location(t.NamedTuple):
    """A chart as Helm finds it: its name, the options beside it, and variables that name files."""

    ref: str
    arguments: list[str]
    environment: dict[str, str]


class Helm:
    """The program helm, for one cluster.

    Args:
        module: the task's; its authentication options, run_command, get_bin_path, tmpdir and add_cleanup_file are used.
        cluster: the cluster, as messages name it.

    Raises:
        MeshError: there is no such program.
    """

    def __init__(self, module: AnsibleModule, cluster: str) -> None:
        program = module.get_bin_path("helm")
        if not program:
            raise MeshError("The program helm was not found on the host that runs this task: install Helm 3, and make sure that it is on PATH.")
        self._program, self._module, self._cluster = program, module, cluster
        self._environment = self._cluster_environment()
        self._repositories: dict[str | None, dict[str, str]] = {}

    def upgrade(self, release: Release, chart: ChartReference) -> None:
        """Install or upgrade a release, and create its namespace."""
        at = self._find(chart)
        self._run(release, f"install release {release}", self._upgrade(release, at), at)

    def find_refusal(self, release: Release, chart: ChartReference) -> str:
        """Why Helm would refuse an upgrade, found by a dry run; empty if it would not, or if that cannot be known yet."""
        at = self._find(chart)
        try:
            self._run(release, f"install release {release}", self._upgrade(release, at, "--dry-run=server"), at)
        except MeshError as error:
            return "" if is_unknown(str(error.details.get("stderr"))) else error.message
        return ""

    def _upgrade(self, release: Release, at: _Location, *more: str) -> list[str]:
        options = ["--install", "--create-namespace", "--reset-values", *(["--skip-crds"] if release.definitions else [])]
        options += ["--take-ownership"] if release.take_ownership else []
        return ["upgrade", *options, *more, *self._of_release(release), *at.arguments, "--", release.name, at.ref]

    def difference(self, release: Release, chart: ChartReference) -> str:
        """What Helm's plugin diff says an upgrade would change; empty for nothing."""
        at = self._find(chart)
        arguments = ["diff", "upgrade", "--reset-values", *self._of_release(release), *at.arguments, release.name, at.ref]
        return printable(self._run(release, f"compare release {release}", arguments, at).strip())

    def chart(self, release: Release, chart: ChartReference) -> Chart:
        """The chart that a reference means, which only its repository may know."""
        at = self._find(chart)
        (metadata,) = self._documents(release, f"read the chart of release {release}", ["show", "chart", *at.arguments, "--", at.ref], at)
        return Chart(str(metadata["name"]), str(metadata["version"]), str(metadata.get("appVersion") or ""))

    def definitions(self, release: Release, chart: ChartReference, own: ChartReference | None) -> list[t.Any]:
        """The documents below crds/ of a chart, or all that the chart of its definitions renders."""
        at = self._find(own or chart)
        if own:
            arguments = ["template", "--namespace", release.namespace, *at.arguments, "--", release.name, at.ref]
        else:
            arguments = ["show", "crds", *at.arguments, "--", at.ref]
        return self._documents(release, f"read the definitions of release {release}", arguments, at)

    def _documents(self, release: Release, action: str, arguments: list[str], at: _Location) -> list[t.Any]:
        """What Helm shows of a chart, which may be anybody's."""
        from yaml import YAMLError

        try:
            return load_documents(self._run(release, action, arguments, at))
        except (YAMLError, YamlOutOfBounds) as error:
            raise MeshError(f"Helm could {action}, but what it has shown is not YAML that can be used: {quoted(str(error))}") from error

    def _find(self, chart: ChartReference) -> _Location:
        """The arguments and files by which Helm finds a chart. A password goes into a file, because every user of the host could read an argument."""
        login = chart.login
        if login is None:
            return _Location(chart.ref, chart.arguments, {})
        if chart.is_in_registry:
            token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
            return _Location(chart.ref, chart.arguments, {"HELM_REGISTRY_CONFIG": self._write(json.dumps({"auths": {login.host: {"auth": token}}}))})
        if chart.repository not in self._repositories:
            entry = {"name": _REPOSITORY, "url": chart.repository, "username": login.user, "password": login.password}
            cache = tempfile.mkdtemp(dir=str(self._module.tmpdir))
            files = {"HELM_REPOSITORY_CONFIG": self._write(json.dumps({"repositories": [entry]})), "HELM_REPOSITORY_CACHE": cache}
            action = f"read the repository {chart.repository}"
            output = self._run(None, action, ["repo", "update", _REPOSITORY], _Location("", [], files))
            # Helm 3 reports a repository that it could not read as a success.
            if not Path(cache, f"{_REPOSITORY}-index.yaml").exists():
                raise MeshError(f"Helm could not {action}: {quoted(output)}")
            self._repositories[chart.repository] = files
        return _Location(f"{_REPOSITORY}/{chart.ref}", replace(chart, repository=None).arguments, self._repositories[chart.repository])

    def has_plugin(self, name: str) -> bool:
        """Whether Helm has a plugin; also when Helm cannot say so, because whatever uses it then says why."""
        return has_plugin(self._module, self._program, name)

    def _of_release(self, release: Release) -> list[str]:
        return ["--namespace", release.namespace, "--values", self._write(values_text(release.values))]

    def _cluster_environment(self) -> dict[str, str]:
        """The variables that name the cluster for Helm."""
        auth = auth_options(self._module)
        environment = {**_NOBODY, **{variable: str(auth[option]) for option, variable in _VARIABLES.items() if auth.get(option)}}
        if auth.get("verify_ssl") is False:
            environment["HELM_KUBEINSECURE_SKIP_TLS_VERIFY"] = "true"
        if auth.get("proxy"):
            # Helm has no option for it, and reads a proxy-url by itself.
            environment["HTTPS_PROXY"] = str(auth["proxy"])
        kubeconfig = auth.get("kubeconfig")
        if kubeconfig:
            environment["KUBECONFIG"] = str(Path(kubeconfig).expanduser()) if isinstance(kubeconfig, str) else self._write(json.dumps(kubeconfig))
        return environment

    def _write(self, text: str) -> str:
        """The path of a file with this text that only this user can read, and that is removed when the module ends."""
        file, path = tempfile.mkstemp(dir=str(self._module.tmpdir))
        self._module.add_cleanup_file(path)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path

    def _run(self, release: Release | None, action: str, arguments: list[str], chart: _Location) -> str:
        code, output, errors = self._module.run_command([self._program, *arguments], environ_update={**self._environment, **chart.environment})
        if code:
            details = {"rc": code, "stderr": without_userinfo(printable(errors))}
            conflict = refuse_conflict(release, self._cluster, errors) if release else ""
            if conflict:
                raise MeshError(conflict, **details)
            seen, denial = quoted(errors), find_denial(quoted(errors))
            remedy = f" To do: {denial.remedy}." if denial and denial.cause in _SAID_BY_THE_CLUSTER else ""
            raise MeshError(f"Helm could not {action} on cluster {self._cluster}: {seen}{remedy}", **details)
        return str(output)


def writes_of(plan: ReleasePlan, desired: Release, current: CurrentState, *, force_conflicts: bool = False) -> tuple[list[Write], list[Write]]:
    """The writes that come before Helm: repairs, and then definitions.

    Args:
        plan: what to do.
        desired: the release.
        current: what the cluster has.
        force_conflicts: whether fields of definitions are taken over whoever owns them; those of Helm, which never upgrades them, always are.
    """
    repairs = [Write("delete", record_kind(), name, desired.namespace) for name in plan.repairs]
    bodies = {definition["metadata"]["name"]: dict(definition) for definition in plan.definitions}
    applies = []
    for name, body in bodies.items():
        definition = current.definitions.get(name)
        force = force_conflicts or definition is None or _is_of_helm(definition)
        applies.append(Write("apply", CUSTOM_RESOURCE_DEFINITION, name, body=body, force=force, creates=definition is None))
    return repairs, applies


def _is_of_helm(item: t.Mapping[str, t.Any]) -> bool:
    """Whether nobody but Helm and the collection has written an object's fields; Helm writes under the name of its program (its pkg/kube/client.go)."""
    owners = (entry for entry in item["metadata"].get("managedFields") or () if not entry.get("subresource"))
    return all(entry.get("manager") == FIELD_MANAGER or "helm" in str(entry.get("manager")).lower() for entry in owners)


def has_plugin(module: AnsibleModule, program: str | None, name: str) -> bool:
    """Whether Helm has a plugin; also when Helm cannot say so."""
    if not program:
        return True
    code, listed, _errors = module.run_command([program, "plugin", "list"])
    return code != 0 or any(line.split()[:1] == [name] for line in listed.splitlines())


__all__ = ("Helm", "has_plugin", "writes_of")
