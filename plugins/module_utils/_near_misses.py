# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Misspelled names: unknown ones that are nearly a known one.

Two names are compared word by word, not as a whole: C(mesh_waypoints_shop) and C(aks_region) are names of the user's own, however many letters they share
with C(mesh_waypoints) and C(eks_region), whereas C(alb_controler_enabled) can only be C(alb_controller_enabled).
"""

from __future__ import annotations

import difflib
import re
import typing as t

# Up to this length, a letter makes another word: aks and eks, eu and us.
LONGEST_SHORT_WORD = 3
_LONG = 8
_SEPARATORS = re.compile(r"[_.\-/]+")


def nearest(name: str, known: t.Iterable[str]) -> str | None:
    """Which of a closed set of names was meant, if any is similar."""
    lowered = {one.lower(): one for one in known if one}
    found = difflib.get_close_matches(name.lower(), sorted(lowered), n=1, cutoff=0.7)
    return lowered[found[0]] if found else None


def find_near_miss(name: str, known: t.Iterable[str]) -> str | None:
    """Which name was meant by one that may just as well be the user's own; None if none is so close that it must have been meant."""
    names = sorted(known)
    if name in names:
        return None
    # The same letters in the same order, but for separators and case.
    joined = _joined(name)
    near = [one for one in names if _joined(one) == joined] or [one for one in names if _is_typo(name, one)]
    return max(near, key=lambda one: difflib.SequenceMatcher(None, name, one).ratio(), default=None)


def _joined(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


def _is_typo(name: str, known: str) -> bool:
    words, others = _SEPARATORS.split(name), _SEPARATORS.split(known)
    if len(words) != len(others):
        return False
    pairs = zip(words, others)  # noqa: B905  # they are of one length, and older Pythons have no strict
    differ = [(index, word.lower(), other.lower()) for index, (word, other) in enumerate(pairs) if word.lower() != other.lower()]
    return len(differ) == 1 and all(_is_typo_in_word(word, other, is_first=index == 0) for index, word, other in differ)


def _is_typo_in_word(word: str, other: str, *, is_first: bool) -> bool:
    # A number is never misspelled: waypoint-1 and waypoint-2 are two.
    if re.sub(r"\D", "", word) != re.sub(r"\D", "", other):
        return False
    # What comes before it says what it belongs to, so that a letter may be missing in a word of four.
    if (min if is_first else max)(len(word), len(other)) <= LONGEST_SHORT_WORD:
        return sorted(word) == sorted(other)
    return _distance(word, other) <= (2 if max(len(word), len(other)) >= _LONG else 1)


def _distance(word: str, other: str) -> int:
    """How many letters are missing, added, wrong or swapped with their neighbor (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        before, last, row = row, before, [i]
        for j, target in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != target))
            if last and j > 1 and (letter, word[i - 2]) == (other[j - 2], target):
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


__all__ = ("LONGEST_SHORT_WORD", "find_near_miss", "nearest")
