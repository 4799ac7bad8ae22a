# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Values as Helm reads them.

PyYAML and Helm read YAML by different rules: what PyYAML writes without quotes because it is a text for PyYAML (C(012345678901), C(1234e5)) is a number
for Helm. In JSON, which is YAML by either's rules, a text is quoted whatever it looks like.
Source: helm.sh/helm/v3 pkg/cli/values/options.go, and sigs.k8s.io/yaml, which reads numbers as float64.
"""

from __future__ import annotations

import json
import re
import typing as t

# What JSON allows as it is and a YAML reader refuses or takes for a line break. Characters above U+FFFF stay, because YAML knows no surrogate pairs.
_TO_ESCAPE = re.compile("[\x7f-\uffff]")


def values_text(values: t.Mapping[str, t.Any]) -> str:
    """Values as the text of a file that Helm reads: JSON that is YAML as well."""
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(values, ensure_ascii=False))


def canonical(value: t.Any) -> str:
    """A text that is the same for values that are the same for Helm: 1 is 1.0, and neither is true or a text."""
    return json.dumps(_as_helm_reads(value), sort_keys=True)


def _as_helm_reads(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {str(key): _as_helm_reads(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_helm_reads(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


__all__ = ("canonical", "values_text")
