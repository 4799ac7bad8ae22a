# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Tries what istiod is going to create for Gateways, as dry runs on the API server: istiod itself only logs what is refused."""

from __future__ import annotations

import typing as t

from .._errors import ApiError
from .._k8s.apply import try_writes
from .._kinds import CONFIG_MAP, VALIDATING_POLICY
from .._mesh.parameters import CLASS_DEFAULTS, mark_overlays
from .._mesh.strategic_merge import OverlayError
from .refusals import describe, is_certain, is_no_answer, is_of_fields
from .render import creation_of, render_managed, under_another_name
from .spec import Created, Overlays, parse_overlays

if t.TYPE_CHECKING:
    from .._k8s.session import ApiSession
    from .._mesh.labels import Object

Warn = t.Callable[[str], None]


def find_managed_refusals(session: ApiSession, gateways: t.Sequence[Created], warn: Warn) -> list[str]:
    """Why istiod could not create the objects of these Gateways, one sentence each.

    Each object is tried once, and of Gateways of a namespace that differ in their name alone only those of the first; of those of which only the overlays are
    tried, in any namespace. What this user may not create is not tried.

    Args:
        session: the API server.
        gateways: the Gateways that are going to be written, each in a namespace that exists.
        warn: receives what istiod may not be able to create either, if that is not certain.
    """
    if not gateways:
        return []
    alike: dict[tuple[str, str], list[Created]] = {}
    for created in gateways:
        alike.setdefault(created.identity, []).append(created)
    defaults = read_class_defaults(session, {created.gateway["spec"]["gatewayClassName"] for created in gateways})
    refusals: list[str] = []
    tried: list[tuple[Created, str, Object]] = []
    for created, *_others in alike.values():
        try:
            objects = render_managed(created.gateway, [defaults[created.gateway["spec"]["gatewayClassName"]], mark_overlays(created.overlays)])
        except OverlayError as error:
            refusals.append(f"{created.title}: its overlays cannot be merged ({error}): correct them.")
            continue
        tried += [(created, key, under_another_name(item) if created.only_overlays else item) for key, item in _tried_of(created, objects)]
    answers = try_writes(session, [creation_of(item) for _created, _key, item in tried])
    for (created, key, item), answer in zip(tried, answers):  # noqa: B905  # they are of one length, and older Pythons have no strict
        if answer is None:
            continue
        if is_no_answer(answer, only_overlays=created.only_overlays):
            if key in created.overlays and _is_unknown(answer, created):
                warn(f"Whether the parameters make a valid {item['kind']} could not be checked: {answer.message}")
            continue
        certain = is_certain(answer, _read_policy(session, answer))
        sentences = [describe(one, key, item, answer, certain=certain) for one in (alike[created.identity] if is_of_fields(answer) else [created])]
        if certain:
            refusals += sentences
        else:
            warn(sentences[0])
    return refusals


def _is_unknown(answer: ApiError, created: Created) -> bool:
    """Whether an answer hides what the API server says of overlays: policies and webhooks judge the object under the other name, and not the real one."""
    return answer.status == 403 or (created.only_overlays and answer.cause in ("policy", "webhook", "webhook_dry_run"))


def _tried_of(created: Created, objects: t.Mapping[str, Object]) -> list[tuple[str, Object]]:
    return [(key, item) for key, item in objects.items() if not created.only_overlays or key in created.overlays]


def read_class_defaults(session: ApiSession, classes: t.Iterable[str]) -> dict[str, Overlays]:
    """The overlays that all Gateways of a class get, by class; none where they cannot be read."""
    found: dict[str, Overlays] = {}
    for name in classes:
        try:
            items = list_class_defaults(session, name, persist=False)
        except ApiError:
            items = []
        found[name] = parse_overlays(items[0]) if items else {}
    return found


def list_class_defaults(session: ApiSession, gateway_class: str, *, persist: bool = True) -> list[Object]:
    """The ConfigMaps with the overlays that all Gateways of a class get, beginning with the oldest, which istiod takes.

    Source: istio pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go (render).

    Args:
        session: the API server.
        gateway_class: the class.
        persist: whether to try again while the API server does not answer.

    Raises:
        ApiError: they cannot be read.
    """
    items = session.list(CONFIG_MAP, label_selector=f"{CLASS_DEFAULTS}={gateway_class}", persist=persist).items
    return sorted(items, key=lambda item: str(item["metadata"].get("creationTimestamp")))


def _read_policy(session: ApiSession, error: ApiError) -> Object | None:
    """The policy that has refused; None if none has, or if it cannot be read."""
    if error.cause != "policy" or not error.refused_by:
        return None
    try:
        return session.get(VALIDATING_POLICY, error.refused_by)
    except ApiError:
        return None


__all__ = ("find_managed_refusals", "list_class_defaults", "read_class_defaults")
