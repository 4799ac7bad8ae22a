# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Values that an API takes only from a list, in structures whose keys are the API's and not the collection's."""

from __future__ import annotations

import typing as t

from .._near_misses import nearest
from .fields import show_scalar


def find_choice_errors(place: str, value: t.Any, choices: t.Sequence[str], *, required: bool = False) -> t.Iterator[str]:
    """A sentence if a value is not one of its choices, with the one that was probably meant.

    Args:
        place: how messages name it.
        value: what is written; None if nothing is.
        choices: the choices, of which case matters.
        required: whether it may not be left out.
    """
    if value is None:
        if required:
            yield f"{place} is missing: use one of {', '.join(choices)}."
    elif value not in choices:
        meant = nearest(str(value), choices)
        shown = show_scalar(value, repr(value))
        remedy = f"did you mean {meant}? The choices are {', '.join(choices)}." if meant else f"use one of {', '.join(choices)}."
        yield f"{place} is {shown}, which is not one of its choices: {remedy}"


__all__ = ("find_choice_errors",)
