# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Why istiod does not do its work for Gateways: it does not run, has no templates, or may not create what it renders. It only logs the last two."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .._errors import ApiError
from .._k8s.apply import try_writes
from .._k8s.denials import find_denial
from .._k8s.session import WRITERS, ApiSession, Object
from .._k8s.transport import Timeout
from .._k8s.writes import Write
from .._kinds import BY_NAME, CONFIG_MAP, DEPLOYMENT, GATEWAY, ISTIO_GATEWAY
from .._managed_gateway.refusals import is_no_answer
from .._managed_gateway.render import creation_of, render_managed
from .._managed_gateway.spec import TEMPLATES, Created, find_problem, injector_name, parse_injector, parse_overlays
from .._managed_gateway.state import read_class_defaults
from .._mesh.gateways import is_managed
from .._mesh.labels import REVISION, labels_of
from .._mesh.revisions import ISTIOD_SELECTOR
from .._mesh.strategic_merge import OverlayError
from .._status.control_plane import IGNORES_FAILURES, INJECTOR_REMEDY
from .._status.target import Target
from .._status.verdict import Verdict, condition
from .object_cache import ObjectCache

# Causes only explain a verdict, so a slow server is not waited for.
TIMEOUT: Timeout = (2.0, 5.0)
# Of how many Gateways the objects are tried: what is wrong with many is mostly the same.
_TRIED = 10
# Reasons of verdicts on Gateways that istiod has not looked at.
_NOT_PROCESSED = frozenset({"Pending", "GenerationNotObserved", "NotFound", "Terminating", "NotAWaypoint"})


@dataclass(frozen=True)
class Problem:
    """Why something is not done.

    Attributes:
        text: what was found, as a clause.
        remedy: what helps; empty where the verdict's own remedy does.
    """

    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Istiods:
    """The istiods of a cluster.

    Attributes:
        problem: why they do not do their work, or None.
        values: the values of each one's chart, by revision, as far as they could be read.
        aside: which of them do not run while others do, so that it may be no cause; empty if none.
    """

    problem: Problem | None = None
    values: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    aside: str = ""


def read_istiods(session: ApiSession, classes: t.Iterable[str]) -> Istiods:
    """Which istiods are not available, or lack the templates of these Gateway classes; nothing if they cannot be read.

    Args:
        session: the API server.
        classes: the classes of the Gateways that are waited for.
    """
    try:
        found = session.list(DEPLOYMENT, label_selector=ISTIOD_SELECTOR, timeout=TIMEOUT, persist=False).items
    except ApiError:
        return Istiods()
    if not found:
        return Istiods(Problem("no istiod is installed"))
    unavailable = [item for item in found if (condition(item, "Available") or {}).get("status") != "True"]
    names = ", ".join(f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in unavailable)
    if len(unavailable) == len(found):
        return Istiods(Problem(f"Deployment {names} has no available pod"))
    templates = [TEMPLATES[name] for name in classes if name in TEMPLATES]
    problems, values = [], {}
    for item in found if templates else ():
        revision = labels_of(item).get(REVISION, "default")
        namespace, name = item["metadata"]["namespace"], injector_name(revision)
        try:
            config_map = session.get(CONFIG_MAP, name, namespace, timeout=TIMEOUT, persist=False)
        except ApiError:
            continue
        problem = find_problem(config_map, f"ConfigMap {namespace}/{name}", templates)
        problems += [problem] if problem else []
        if config_map:
            values[revision] = parse_injector(config_map).values
    # One that others do not need may stand still.
    aside = f"of several istiods, Deployment {names} has no available pod" if unavailable else ""
    return Istiods(Problem("; ".join(problems), INJECTOR_REMEDY) if problems else None, values, aside)


def find_wrong_refusal(session: ApiSession, target: Target, verdict: Verdict) -> Problem | None:
    """Why istiod does not let its webhook fail closed: something else refuses the invalid object by which it verifies the webhook, such as the schema.

    istiod only logs it ("rejected for the wrong reason"). Source: istio pkg/webhooks/validation/controller/controller.go
    (isDryRunOfInvalidConfigRejected).
    """
    if target.kind != "control_plane" or IGNORES_FAILURES not in verdict.message:
        return None
    revision = target.name or "default"
    metadata = {
        "name": "invalid-gateway",
        "namespace": target.namespace,
        "labels": {REVISION: revision},
        "annotations": {"internal.istio.io/webhook-always-reject": "true"},
    }
    body = {"apiVersion": ISTIO_GATEWAY.api_version, "kind": ISTIO_GATEWAY.name, "metadata": metadata, "spec": {}}
    try:
        [error] = try_writes(session, [Write("create", ISTIO_GATEWAY, "invalid-gateway", target.namespace, body)], timeout=TIMEOUT, persist=False)
    except ApiError:
        return None
    # Of these, istiod takes the first for the right answer, and for the next two assumes that the webhook works.
    if error is None or error.cause in ("webhook", "webhook_dry_run", "rbac") or error.status in (0, 404, 409, 429):
        return None
    denial = find_denial(error.server_message)
    text = f"what istiod verifies it by is refused before the webhook is called: {error.server_message.rstrip('.')}"
    remedy = f"{denial.remedy[:1].upper()}{denial.remedy[1:]}." if denial else "Install the chart base in the version of istiod, which updates its definitions."
    return Problem(text, remedy)


def class_of(target: Target, cache: ObjectCache) -> str:
    """The class of the Gateway that a target is about; empty if it is about none."""
    gateway = cache.get(GATEWAY, target.name, target.namespace) if target.kind in ("Gateway", "waypoint") else None
    return str(gateway["spec"].get("gatewayClassName", "")) if gateway else ""


def find_refused(session: ApiSession, verdicts: t.Sequence[tuple[Target, Verdict]], cache: ObjectCache, istiods: Istiods) -> dict[Target, Problem]:
    """Which objects of Gateways the API server does not take, found by dry runs of those that are missing; nothing where this user may not create them.

    Args:
        session: the API server.
        verdicts: those that are not Current.
        cache: what the wait has read.
        istiods: the istiods, by whose values the objects are rendered.
    """
    alike = _lacking_gateways(verdicts, cache)
    missing = _missing_objects(session, [targets[0] for targets in alike.values()][:_TRIED], cache, istiods)
    tried = [(target, item) for target, items in missing.items() for item in items]
    try:
        errors = try_writes(session, [creation_of(item) for _target, item in tried], timeout=TIMEOUT, persist=False)
    except ApiError:
        return {}
    found: dict[Target, Problem] = {}
    for (target, item), error in zip(tried, errors):  # noqa: B905  # they are of one length, and older Pythons have no strict
        if error is None or is_no_answer(error) or target in found:
            continue
        place, denial = f"{item['kind']} {item['metadata']['namespace']}/{item['metadata']['name']}", find_denial(error.server_message)
        text = f"the API server refuses {place}, as istiod would create it: {error.server_message.rstrip('.')}"
        remedy = f"{denial.remedy[:1].upper()}{denial.remedy[1:]}." if denial else "Correct the parameters of the Gateway."
        found[target] = Problem(text, remedy)
    # What is refused of one is refused of all that differ from it in their name alone.
    return {target: found[targets[0]] for targets in alike.values() if targets[0] in found for target in targets}


def _lacking_gateways(verdicts: t.Sequence[tuple[Target, Verdict]], cache: ObjectCache) -> dict[tuple[str, str], list[Target]]:
    """The targets whose Gateways lack objects that istiod should have created, those that differ in their name alone together."""
    gateways = {target: cache.get(GATEWAY, target.name, target.namespace) for target, verdict in verdicts if verdict.reason not in _NOT_PROCESSED}
    waiting = [(target, gateway) for target, gateway in gateways.items() if class_of(target, cache) in TEMPLATES and gateway and is_managed(gateway)]
    alike: dict[tuple[str, str], list[Target]] = {}
    for target, gateway in waiting:
        if not _has_all(gateway, cache):
            # The ConfigMaps of two Gateways may differ.
            reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef")
            alike.setdefault(Created(target.title, gateway, {"from": reference}).identity, []).append(target)
    return alike


def _missing_objects(session: ApiSession, targets: t.Sequence[Target], cache: ObjectCache, istiods: Istiods) -> dict[Target, list[Object]]:
    """What istiod should have created for the Gateways of these targets and has not."""
    chosen = [(target, gateway) for target in targets if (gateway := cache.get(GATEWAY, target.name, target.namespace))]
    if not chosen:
        return {}
    defaults = read_class_defaults(session, {gateway["spec"]["gatewayClassName"] for _target, gateway in chosen})
    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        overlays = list(pool.map(lambda pair: _overlays_of(session, pair[1]), chosen))
    missing: dict[Target, list[Object]] = {}
    for (target, gateway), own in zip(chosen, overlays):  # noqa: B905  # they are of one length, and older Pythons have no strict
        values = next(iter(istiods.values.values())) if len(istiods.values) == 1 else istiods.values.get(labels_of(gateway).get(REVISION, ""))
        try:
            rendered = render_managed(gateway, [defaults[gateway["spec"]["gatewayClassName"]], own], values)
        except OverlayError:
            continue
        missing[target] = [item for item in rendered.values() if not cache.get(BY_NAME[item["kind"]], item["metadata"]["name"], target.namespace)]
    return missing


def _has_all(gateway: Object, cache: ObjectCache) -> bool:
    """Whether the objects exist that every Gateway has, so that nothing was refused."""
    bare = render_managed(gateway)
    return all(cache.get(BY_NAME[bare[key]["kind"]], bare[key]["metadata"]["name"], gateway["metadata"]["namespace"]) for key in ("deployment", "service"))


def _overlays_of(session: ApiSession, gateway: Object) -> dict[str, t.Any]:
    """The overlays in the ConfigMap that a Gateway names; none if it cannot be read."""
    reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef") or {}
    if reference.get("kind") != CONFIG_MAP.name:
        return {}
    try:
        config_map = session.get(CONFIG_MAP, reference["name"], gateway["metadata"]["namespace"], timeout=TIMEOUT, persist=False)
    except ApiError:
        return {}
    return parse_overlays(config_map) if config_map else {}


__all__ = ("TIMEOUT", "Istiods", "Problem", "class_of", "find_refused", "find_wrong_refusal", "read_istiods")
