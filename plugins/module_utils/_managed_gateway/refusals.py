# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""What the refusal of an object says that istiod is going to create: istiod would only log it, and the Gateway would never be programmed."""

from __future__ import annotations

import re
import typing as t

from .._errors import ApiError
from .._k8s.denials import find_denial
from .._mesh.labels import Object
from .spec import Created

# A policy that reads any of this may judge istiod's own request otherwise: who asks, and what only istiod's templates know.
_UNKNOWN = re.compile(r"userInfo|authorizer|image|resources|\benv\b|args|lifecycle|affinity|tolerations|nodeSelector")
# Of these causes it is certain that istiod meets them too. What is transient is not among them, because istiod tries again.
_CERTAIN = ("quota", "limit_range", "pod_security", "unknown_field", "immutable")
# No answer about the object: this user may not try it, or it cannot be tried.
_NO_ANSWER = ("rbac", "webhook_dry_run", "already_exists", "namespace_missing", "not_ready", "timeout", "storage")


def is_no_answer(error: ApiError, *, only_overlays: bool = False) -> bool:
    """Whether the refusal of a dry run says nothing of the object.

    Args:
        error: the refusal.
        only_overlays: whether the object was tried under another name. That of its own name may count in quotas already, satisfy policies, and have the
            ports that it asks for.
    """
    if only_overlays and (error.status not in (400, 422) or error.cause in ("policy", "webhook", "quota") or "already allocated" in error.server_message):
        return True
    return error.status in (0, 404, 429) or error.cause in _NO_ANSWER or (error.status == 403 and not error.cause)


def is_certain(error: ApiError, policy: Object | None) -> bool:
    """Whether istiod will be refused as this user was.

    Args:
        error: the refusal of the dry run.
        policy: the ValidatingAdmissionPolicy that has refused, or None if it is another refusal or could not be read.
    """
    if error.cause == "policy":
        spec = (policy or {}).get("spec") or {}
        return bool(spec) and not spec.get("paramKind") and not any(map(_UNKNOWN.search, _expressions_of(spec)))
    return error.cause in _CERTAIN or (error.status in (400, 422) and error.cause != "webhook")


def _expressions_of(spec: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What a policy evaluates; not what it applies to, which always names resources."""
    for key in ("matchConditions", "variables", "validations"):
        for item in spec.get(key) or ():
            yield str(item.get("expression") or "")


def is_of_fields(error: ApiError) -> bool:
    """Whether a refusal is about the fields of an object, which come of options, rather than about who creates it, and where."""
    denial = find_denial(error.server_message)
    return denial is None or denial.cause in ("unknown_field", "immutable")


def describe(created: Created, key: str, item: Object, error: ApiError, *, certain: bool) -> str:
    """The sentence for one object that istiod could not create.

    Args:
        created: its Gateway.
        key: the object, as a key of OVERLAY_KINDS.
        item: the object as it was tried.
        error: the refusal of the dry run.
        certain: whether istiod will be refused, too.
    """
    seen, denial = error.server_message.replace(f' "{item["metadata"]["name"]}"', "").rstrip("."), find_denial(error.server_message)
    if denial is None or is_of_fields(error):
        return f"{created.title}: the API server would reject its {key} ({seen}): correct the options, or overlays.{key}."
    place = f"{item['kind']} {item['metadata']['namespace']}/{item['metadata']['name']}"
    if certain:
        return f"{created.title}: the API server would not let istiod create {place} ({seen}), so it would never be ready: {denial.remedy}."
    return f"{created.title}: the API server does not let this user create {place}, and may refuse it to istiod as well ({seen}): {denial.remedy}."


__all__ = ("describe", "is_certain", "is_no_answer", "is_of_fields")
