# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# **PRIVATE** to the collection: it may change in any release.

"""How far the pods of enrolled objects are captured, as the result of the module reports it."""

from __future__ import annotations

import typing as t

from .._mesh.capture import report_pods, workload_of
from .._mesh.labels import DATAPLANE_MODE, Object, labels_of
from .plan import CurrentObjects, LabelChange
from .spec import Key


def namespaces_to_report(changes: t.Iterable[LabelChange], current: CurrentObjects) -> set[str]:
    """The namespaces of the objects whose dataplane mode the task decides."""
    return {change.desired.home for change in changes if change.desired.dataplane_mode is not None} & set(current.namespaces)


def report_captures(changes: t.Sequence[LabelChange], current: CurrentObjects, pods: t.Iterable[Object]) -> dict[Key, dict[str, t.Any]]:
    """For each object whose dataplane mode the task decides, its pods by how far they are captured with the labels after the change."""
    by_namespace: dict[str, list[Object]] = {}
    for pod in pods:
        by_namespace.setdefault(pod["metadata"]["namespace"], []).append(pod)
    modes = {change.desired.name: change.after.get(DATAPLANE_MODE) for change in changes if change.desired.kind == "Namespace"}
    excluded = current.settings.excluded_namespaces
    reports = {}
    for change in changes:
        desired, home = change.desired, change.desired.home
        if desired.dataplane_mode is None:
            continue
        mode = modes[home] if home in modes else labels_of(current.namespaces.get(home, {"metadata": {}})).get(DATAPLANE_MODE)
        labels = {DATAPLANE_MODE: mode} if mode else {}
        own = by_namespace.get(home, [])
        if desired.kind == "Namespace":
            reports[desired.key] = report_pods(own, labels, excluded)
        else:
            own = [pod for pod in own if workload_of(pod) == (desired.kind, desired.name)]
            reports[desired.key] = report_pods(own, labels, excluded, change.after)
    return reports


__all__ = ("namespaces_to_report", "report_captures")
