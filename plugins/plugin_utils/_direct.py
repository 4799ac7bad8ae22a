# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Runs modules in the processes of their tasks, instead of a Python of their own for each."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import signal
import sys
import tempfile
import typing as t
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from ansible import constants
from ansible.module_utils.common import warnings as module_warnings
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.shell.sh import ShellModule
from ansible.release import __version__
from ansible.utils.display import Display
from ansible.vars.clean import remove_internal_keys

from ..shell import own_cluster

try:
    from ansible.module_utils import _internal
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # before ansible-core 2.19
    patch_module_args = None

# ansible-core offers no interface for it. With a version that is not one of these, a module is started as any other.
_VERSIONS = ("2.19.",)
# How ansible-core serializes the arguments and the results of modules in Python.
_PROFILE = "legacy"
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class DirectAction(NormalAction):
    """Runs the module of the same name in the process of its task, if it would run on this host, as this user and with this Python anyway.

    Ansible packs each module together with all files that it imports, and starts a Python that compiles and imports them: for most tasks, that takes ten
    times what the module itself does. Action plugins are imported by ansible-playbook before it starts the process of the task, so that what they import
    is there already, once for all tasks and hosts. The plugins of ansible.netcommon run modules likewise.

    Attributes:
        MODULE: the module. If there is none, it is started as any other.
    """

    MODULE: ModuleType | None = None

    def _execute_module(
        self, module_args: dict[str, t.Any] | None = None, task_vars: dict[str, t.Any] | None = None, wrap_async: bool = False, **options: t.Any
    ) -> dict[str, t.Any]:
        arguments, variables = dict(self._task.args if module_args is None else module_args), task_vars or {}
        if self.MODULE and not wrap_async and self._would_run_here(variables):
            return self._run_here(self.MODULE, arguments, variables)
        result: dict[str, t.Any] = super()._execute_module(module_args=arguments, task_vars=variables, wrap_async=wrap_async, **options)
        return result

    def _would_run_here(self, variables: dict[str, t.Any]) -> bool:
        """Whether the program that Ansible would start would be this Python, on this host, as this user, in an environment that is known."""
        connection = self._connection
        interpreter = self._templar.template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables))
        return (
            patch_module_args is not None
            and __version__.startswith(_VERSIONS)
            and connection.transport == "local"
            and not self._play_context.become
            and not self._task.delegate_to
            and type(connection._shell) in (ShellModule, own_cluster.ShellModule)
            and _is_this_python(interpreter)
            # Who wants to look at the files of a module gets them.
            and not constants.DEFAULT_KEEP_REMOTE_FILES
        )

    def _run_here(self, module: ModuleType, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        self._update_module_args(self._task.action, arguments, variables)
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        taken_away = own_cluster.FOREIGN if isinstance(self._connection._shell, own_cluster.ShellModule) else ()
        Display().vvv(f"Running {self._task.action} in the process of the task")
        output, errors, code = io.StringIO(), io.StringIO(), 0
        with tempfile.TemporaryDirectory(dir=constants.DEFAULT_LOCAL_TMP) as directory:
            # At the end of this process, nobody would remove one that the module has made.
            arguments["_ansible_tmpdir"] = directory
            with _as_a_process(environment, taken_away, self._loader.get_basedir()), patch_module_args(arguments):
                try:
                    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
                        module.main()
                except SystemExit as ended:
                    code = int(ended.code or 0)
        returned = {"rc": code, "stdout": output.getvalue(), "stderr": errors.getvalue()}
        result: dict[str, t.Any] = self._parse_returned_data(returned, _PROFILE)
        remove_internal_keys(result)
        return result


def _is_this_python(interpreter: object) -> bool:
    """Whether a program is this Python. A virtual environment has several names for it; its directory identifies it."""
    program, own = Path(str(interpreter)), Path(sys.executable)
    return program.parent == own.parent and program.resolve() == own.resolve()


@contextlib.contextmanager
def _as_a_process(environment: t.Mapping[str, str], taken_away: t.Iterable[str], directory: str) -> t.Iterator[None]:
    """For a block, what the process of a module would have: variables, directory, signals, an end, and warnings that are a part of its result.

    The same process may run the next item of a loop, so that all is as before afterwards.
    """
    before, place = dict(os.environ), Path.cwd()
    # A signal that is ignored, as under nohup, stays so.
    handlers = {number: handler for number in _SIGNALS if (handler := signal.getsignal(number)) != signal.SIG_IGN}
    try:
        for name in taken_away:
            os.environ.pop(name, None)
        os.environ.update({name: str(value) for name, value in environment.items()})
        os.chdir(directory)
        for number in handlers:
            signal.signal(number, signal.SIG_DFL)
        with contextlib.ExitStack() as at_exit, patch.object(_internal, "is_controller", False), patch.object(atexit, "register", _registering_in(at_exit)):
            _forget_warnings()
            yield
    finally:
        _forget_warnings()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)


def _registering_in(at_exit: contextlib.ExitStack) -> t.Callable[..., t.Callable[..., t.Any]]:
    """What stands for C(atexit.register): the process of a task ends without what is registered, such as the removal of files with keys."""

    def register(function: t.Callable[..., t.Any], *arguments: t.Any, **options: t.Any) -> t.Callable[..., t.Any]:
        at_exit.callback(function, *arguments, **options)
        return function

    return register


def _forget_warnings() -> None:
    """Those of another item of a loop."""
    module_warnings._global_warnings.clear()
    module_warnings._global_deprecations.clear()


__all__ = ("DirectAction",)
