# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""The shell that every module shares: the options that name the cluster, one session, and one place where errors are reported."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t
from http import HTTPStatus

from ansible.module_utils.basic import AnsibleModule

from ._errors import ApiError, MeshError, Unreachable, raise_if_any
from ._k8s.connect import AUTH_ARG_SPEC, connect
from ._k8s.kubeconfig import normalize_kubeconfig
from ._k8s.redaction import public_strings, secret_strings
from ._text import message_line, userinfo_in

if t.TYPE_CHECKING:
    from ._k8s.session import ApiSession

Result = t.Dict[str, t.Any]


class MeshModule(AnsibleModule):
    """A module whose warnings are lines of messages, as its errors are."""

    def warn(self, warning: str, **options: t.Any) -> None:
        super().warn(message_line(warning), **options)


def mesh_module(options: t.Mapping[str, t.Any], **rules: t.Any) -> AnsibleModule:
    """A module with these options and those that say which cluster is meant; rules are AnsibleModule's own."""
    return MeshModule(argument_spec={**AUTH_ARG_SPEC, **options}, supports_check_mode=True, **rules)


def run(module: AnsibleModule, ensure: t.Callable[[AnsibleModule, ApiSession], Result]) -> None:
    """Connect, call ensure, and end the module: with its result, or with the error that it raised.

    A result with a key C(failed) is a failure that carries data; all else that goes wrong is a MeshError. The sentences of C(warnings) are shown. The key
    C(cluster_accessible) is false in a failure if the cluster cannot be reached, or accepts no request of this user, and C(changed) is true after a
    MeshError if something was written before. A task that a signal ends says nothing of what it has written.
    """
    try:
        with _ended_in_order():
            result = _connect_and_run(module, ensure)
    except _Ended as ended:
        result = {"failed": True, "msg": f"The task was ended by {ended}, as a job that is cancelled ends its tasks: run again to continue from here."}
    # ansible-core deprecates warnings as a part of the result.
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    # Outside of the except block, or Ansible would add a traceback to what is a plain sentence.
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


class _Ended(BaseException):
    """A signal has asked this process to end. It is no Exception, so that nothing takes it for an error of its own."""


@contextlib.contextmanager
def _ended_in_order() -> t.Iterator[None]:
    """For a block that a signal ends as an error would: files with the keys of a kubeconfig would otherwise stay in the directory for temporary files."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        if os.getpgrp() == os.getpid():
            # In the process of a task, the programs that the module has started are to end as well.
            os.killpg(0, number)
        # The next one ends it at once.
        signal.signal(number, signal.SIG_DFL)
        raise _Ended(signal.Signals(number).name)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for number, handler in before.items():
            if handler == signal.SIG_DFL:
                # Outside of the main thread, there are no signals.
                with contextlib.suppress(ValueError):
                    signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            if handler == signal.SIG_DFL:
                with contextlib.suppress(ValueError):
                    signal.signal(number, handler)


def _connect_and_run(module: AnsibleModule, ensure: t.Callable[[AnsibleModule, ApiSession], Result]) -> Result:
    try:
        _read_kubeconfig(module)
        # Options that no_log does not cover, such as the URL of a repository, are returned by Ansible with high verbosity.
        module.no_log_values |= set(_passwords_in(module.params))
        session = connect(module)
    except MeshError as error:
        return {"failed": True, "msg": error.message, "cluster_accessible": False, **error.details}
    return _run_with(module, session, ensure)


def _run_with(module: AnsibleModule, session: ApiSession, ensure: t.Callable[[AnsibleModule, ApiSession], Result]) -> Result:
    try:
        return ensure(module, session)
    except MeshError as error:
        result = {"failed": True, "msg": error.message, **({"changed": True} if session.has_written else {}), **error.details}
        # Every other module would fail likewise, so verify.yml ends here.
        if isinstance(error, Unreachable) or (isinstance(error, ApiError) and error.status == HTTPStatus.UNAUTHORIZED):
            result["cluster_accessible"] = False
        return result


def _read_kubeconfig(module: AnsibleModule) -> None:
    """Put the content of a kubeconfig that is given as text in the place of the text, and hide the secrets of any content, and nothing else of it."""
    kubeconfig = normalize_kubeconfig(module.params.get("kubeconfig"), "The option kubeconfig")
    module.params["kubeconfig"] = kubeconfig
    if isinstance(kubeconfig, dict):
        # What another hidden option has stays hidden.
        others = {str(module.params[name]) for name, spec in AUTH_ARG_SPEC.items() if spec.get("no_log") and name != "kubeconfig"}
        module.no_log_values -= public_strings(kubeconfig) - others
        module.no_log_values |= secret_strings(kubeconfig)


def _passwords_in(value: t.Any) -> t.Iterator[str]:
    """The users with passwords of all URLs in options, as they stand there. A user alone may be a word that occurs elsewhere."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _passwords_in(item)
    elif isinstance(value, str):
        yield from (userinfo for userinfo in userinfo_in(value) if ":" in userinfo)


# The option of modules whose plan is of use even if it is refused; see the documentation fragment _refusals.
RETURN_REFUSALS: t.Dict[str, t.Any] = {"return_refusals": {"type": "bool", "default": False}}


def refuse_or_return(module: AnsibleModule, cluster: str, *finders: t.Callable[[], t.Sequence[str]]) -> Result:
    """End the task with the refusals of the first of the finders that has any; in check mode and with O(return_refusals), return them instead.

    Args:
        module: check_mode and the option return_refusals are used.
        cluster: the cluster, as messages name it.
        finders: each returns refusals; what a later one would say of a plan that an earlier one refuses leads nowhere.

    Returns:
        The refusals under their key of the result; empty if there are none.

    Raises:
        MeshError: there are refusals, and they are not to be returned.
    """
    refused = next((found for find in finders if (found := find())), ())
    if not (module.check_mode and module.params["return_refusals"]):
        raise_if_any(refused, cluster)
    return {"refusals": list(map(message_line, refused))} if refused else {}


@contextlib.contextmanager
def all_was_written(what: str) -> t.Iterator[None]:
    """For a block that follows all writes: an error of the API server in it adds that they were made."""
    try:
        yield
    except ApiError as error:
        raise MeshError(f"{what}; what follows could not be seen. {error.message}", **error.details) from error


__all__ = ("RETURN_REFUSALS", "Result", "all_was_written", "mesh_module", "refuse_or_return", "run")
