# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Validates the actions and conditions of a load balancer's rules, of which a wrong one keeps the controller from provisioning anything.

Sources: aws-load-balancer-controller pkg/ingress (config_types.go, enhanced_backend_builder.go), which reads keys in any case, and the API reference of
Elastic Load Balancing (FixedResponseActionConfig, RedirectActionConfig, ForwardActionConfig).
"""

from __future__ import annotations

import json
import re
import typing as t

from .._ingress.annotation_values import ALB_PREFIX
from .._limits.choices import find_choice_errors
from .._limits.fields import show_scalar
from .._limits.kubernetes import HIGHEST_PORT

Item = t.Mapping[str, t.Any]

_TYPES = ("fixed-response", "forward", "redirect")
_CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
_FIXED_CODE = re.compile(r"[245]\d\d")
_REDIRECT_CODES = ("HTTP_301", "HTTP_302")
_PROTOCOLS = ("HTTP", "HTTPS", "#{protocol}")
_LONGEST_BODY, _LONGEST_PART, _MOST_GROUPS, _MOST_WEIGHT = 1024, 128, 5, 999
# The configuration of each field of a condition.
_FIELDS = {
    "host-header": "hostHeaderConfig",
    "path-pattern": "pathPatternConfig",
    "http-header": "httpHeaderConfig",
    "http-request-method": "httpRequestMethodConfig",
    "query-string": "queryStringConfig",
    "source-ip": "sourceIPConfig",
}


def find_action_errors(item: Item) -> t.Iterator[str]:
    """The validation errors of the option C(actions), and of the annotations for actions and conditions."""
    actions = item.get("actions") or {}
    for name, action in sorted(actions.items(), key=_by_text):
        yield from _find_one_action_errors(f"actions.{name}", action)
    for key, written in sorted((item.get("annotations") or {}).items(), key=_by_text):
        kind, dot, name = str(key)[len(ALB_PREFIX) :].partition(".") if str(key).startswith(ALB_PREFIX) else ("", "", "")
        if kind == "actions" and dot and name not in actions:
            yield f"annotations has {key}, to which no rule of the load balancer refers: use actions, which makes the rule as well."
        elif kind == "conditions" and dot:
            yield from _find_condition_errors(f"annotations.{key}", str(written))


def note_answering_actions(item: Item) -> t.Iterator[str]:
    """Actions that take every request of the load balancer's rules, because they come before the rule of the gateway and nothing limits them."""
    annotations = item.get("annotations") or {}
    for name, action in sorted((item.get("actions") or {}).items(), key=_by_text):
        if _lowered(action).get("type") in ("fixed-response", "redirect") and f"{ALB_PREFIX}conditions.{name}" not in annotations:
            yield f"the action {name} answers every request, so none reaches the gateway: limit it by the annotation {ALB_PREFIX}conditions.{name}."


def _find_one_action_errors(place: str, action: t.Any) -> t.Iterator[str]:
    fields = _lowered(action)
    if not fields.get("type"):
        yield f"{place} has no type: write it as in the controller's documentation of actions, such as {{type: fixed-response, ...}}."
        return
    yield from find_choice_errors(f"{place}.type", fields["type"], _TYPES)
    if fields["type"] not in _TYPES:
        return
    name = {"fixed-response": "fixedResponseConfig", "redirect": "redirectConfig", "forward": "forwardConfig"}[fields["type"]]
    config, has_group = fields.get(name.lower()), fields.get("targetgrouparn") or fields.get("targetgroupname")
    if fields["type"] == "forward" and bool(config) == bool(has_group):
        yield f"{place} is of type forward: set either forwardConfig, or targetGroupARN or targetGroupName."
    elif not config and fields["type"] != "forward":
        yield f"{place} is of type {fields['type']}, but has no {name}: add it."
    elif config and not isinstance(config, dict):
        yield f"{place}.{name} must be a dictionary: write its keys with their values."
    elif config:
        yield from _FIND[fields["type"]](f"{place}.{name}", _lowered(config))


def _find_fixed_response_errors(place: str, config: Item) -> t.Iterator[str]:
    code = config.get("statuscode")
    if not _FIXED_CODE.fullmatch(str(code)):
        yield f"{place}.statusCode is {_shown(code)}: use a code from 200 to 299, or from 400 to 599."
    yield from find_choice_errors(f"{place}.contentType", config.get("contenttype") or None, _CONTENT_TYPES)
    if len(str(config.get("messagebody") or "")) > _LONGEST_BODY:
        yield f"{place}.messageBody has more than {_LONGEST_BODY} characters: shorten it."


def _find_redirect_errors(place: str, config: Item) -> t.Iterator[str]:
    code, port, path = config.get("statuscode"), config.get("port"), config.get("path")
    if code not in _REDIRECT_CODES:
        yield f"{place}.statusCode is {_shown(code)}: use {' or '.join(_REDIRECT_CODES)}."
    yield from find_choice_errors(f"{place}.protocol", config.get("protocol"), _PROTOCOLS)
    if port is not None and port != "#{port}" and not (re.fullmatch(r"\d{1,5}", str(port)) and 1 <= int(port) <= HIGHEST_PORT):
        yield f"{place}.port is {_shown(port)}: use a port from 1 to {HIGHEST_PORT}, or #{{port}}."
    if path is not None and not str(path).startswith("/"):
        yield f"{place}.path is {_shown(path)}: begin it with a slash."
    for name in ("host", "path", "query"):
        if len(str(config.get(name) or "")) > _LONGEST_PART:
            yield f"{place}.{name} has more than {_LONGEST_PART} characters: shorten it."
    if str(config.get("query") or "").startswith("?"):
        yield f"{place}.query is {_shown(config['query'])}: write it without the question mark, which is added."
    # Source: the API reference, RedirectActionConfig: one of these has to change, or the redirect would lead to itself.
    kept = {"protocol": "#{protocol}", "host": "#{host}", "port": "#{port}", "path": "/#{path}"}
    if all(config.get(name) in (None, same) for name, same in kept.items()):
        yield f"{place} changes neither protocol nor host, port or path, so that it would lead to itself: set one of them."


def _find_forward_errors(place: str, config: Item) -> t.Iterator[str]:
    groups = config.get("targetgroups")
    if not isinstance(groups, list) or not 1 <= len(groups) <= _MOST_GROUPS or not all(isinstance(group, dict) for group in groups):
        yield f"{place}.targetGroups must be a list of one to {_MOST_GROUPS} target groups: add them."
        return
    for index, group in enumerate(map(_lowered, groups)):
        at = f"{place}.targetGroups[{index}]"
        named = bool(group.get("targetgrouparn") or group.get("targetgroupname"))
        if named == bool(group.get("servicename")):
            yield f"{at}: set either serviceName, or targetGroupARN or targetGroupName."
        elif group.get("servicename") and group.get("serviceport") is None:
            yield f"{at} has serviceName, but no servicePort: add it."
        weight = group.get("weight")
        if weight is None and len(groups) > 1:
            yield f"{at} has no weight, which each of several target groups needs: add it."
        elif weight is not None and (isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= _MOST_WEIGHT):
            yield f"{at}.weight is {_shown(weight)}: use a number from 0 to {_MOST_WEIGHT}, without quotes."


def _find_condition_errors(place: str, written: str) -> t.Iterator[str]:
    try:
        conditions = json.loads(written)
    except ValueError:
        conditions = None
    if not isinstance(conditions, list) or not all(isinstance(condition, dict) for condition in conditions):
        yield f'{place} must be a list of conditions as JSON, such as [{{"field": "path-pattern", "pathPatternConfig": {{"values": ["/a/*"]}}}}].'
        return
    for index, condition in enumerate(map(_lowered, conditions)):
        at = f"{place}[{index}]"
        yield from find_choice_errors(f"{at}.field", condition.get("field"), tuple(_FIELDS), required=True)
        config = _FIELDS.get(str(condition.get("field")))
        if config and not condition.get(config.lower()):
            yield f"{at} has the field {condition['field']}, but no {config}: add it."


_FIND = {"fixed-response": _find_fixed_response_errors, "redirect": _find_redirect_errors, "forward": _find_forward_errors}


def _by_text(pair: tuple[t.Any, t.Any]) -> str:
    """YAML makes another type of some keys, such as on, and different types have no order."""
    return str(pair[0])


def _lowered(fields: t.Any) -> dict[str, t.Any]:
    """The keys as the controller compares them."""
    return {str(key).lower(): value for key, value in fields.items()} if isinstance(fields, dict) else {}


def _shown(value: t.Any) -> str:
    return "missing" if value is None else show_scalar(value, repr(value))


__all__ = ("find_action_errors", "note_answering_actions")
