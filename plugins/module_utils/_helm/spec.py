# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The desired state of a Helm release."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote

from .._text import userinfo_in, without_userinfo


@dataclass(frozen=True)
class Login:
    """Who asks a repository for a chart.

    Attributes:
        host: the host of the repository, with its port if one is named.
        user: the user.
        password: the password; it is in no message and no argument.
    """

    host: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class ChartReference:
    """Where a chart is, as Helm takes it.

    Attributes:
        ref: its name in a repository, an C(oci://) path, an archive or a directory.
        repository: the URL of its repository, or None.
        version: its version, or None for the newest.
        login: user and password that the URL of the repository or registry had; None if it had none.
    """

    ref: str
    repository: str | None = None
    version: str | None = None
    login: Login | None = None

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> ChartReference:
        """The reference of the module options C(chart_ref), C(chart_repo_url) and C(chart_version)."""
        ref, repository = options["chart_ref"], options["chart_repo_url"]
        login = _login_of(repository or ref)
        return cls(without_userinfo(ref), without_userinfo(repository) if repository else repository, options["chart_version"], login)

    @property
    def is_in_registry(self) -> bool:
        """Whether the chart is in an OCI registry."""
        return self.ref.startswith("oci://")

    @property
    def arguments(self) -> list[str]:
        """The options that say where it is."""
        return [*(["--repo", self.repository] if self.repository else []), *(["--version", self.version] if self.version else [])]


def _login_of(url: str) -> Login | None:
    """User and password of a URL; an empty text for what it does not have."""
    for userinfo in userinfo_in(url):
        user, _colon, password = userinfo.partition(":")
        host = without_userinfo(url).partition("://")[2].partition("/")[0]
        return Login(host, unquote(user), unquote(password))
    return None


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        name: its name.
        version: its exact version; empty when only its repository knows it.
        app_version: the version of the software in it; None when it is unknown, or when C(version) says all.
    """

    name: str
    version: str
    app_version: str | None = None


@dataclass(frozen=True)
class Release:
    """A desired release.

    Attributes:
        name: the name of the release.
        namespace: its namespace.
        chart: the chart; None when it could not be found.
        values: the values that the chart gets, over its own.
        definitions: whether the CustomResourceDefinitions of the chart belong to the desired state.
        take_ownership: whether the release takes over objects that another release, or another tool, has created.
    """

    name: str
    namespace: str
    chart: Chart | None
    values: t.Mapping[str, t.Any]
    definitions: bool = False
    take_ownership: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


__all__ = ("Chart", "ChartReference", "Login", "Release")
