# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates where the tasks of a cluster run: on the machine that runs Ansible, unless the inventory names another one."""

from __future__ import annotations

import typing as t

_REMOTE = ("ssh", "smart", "paramiko", "paramiko_ssh")
# What an inventory sets for hosts on which tasks are meant to run.
_MEANT = ("ansible_connection", "ansible_host", "ansible_ssh_host")


def find_connection_error(transport: str, inventory: t.Container[str]) -> list[str]:
    """A sentence if tasks would run on a machine that nobody has named, but that Ansible takes the name of the cluster for.

    Args:
        transport: the connection that Ansible has chosen.
        inventory: the variables that the inventory sets for the cluster.
    """
    if transport not in _REMOTE or any(name in inventory for name in _MEANT):
        return []
    sentence = (
        "ansible_connection is not set, so Ansible would take the name of the cluster for a machine and connect to it by SSH: set ansible_connection to "
        'local and ansible_python_interpreter to "{{ ansible_playbook_python }}" for the group clusters, or ansible_host if another machine is meant.'
    )
    return [sentence]


__all__ = ("find_connection_error",)
