"""Regular expressions for misspelled names of variables, for an editor that cannot compute.

They match a part of what C(validate_inventory) refuses as a near miss, and nothing else: one letter of one word is missing, added, wrong or swapped with its
neighbor, or the words are joined otherwise. Which words are too short for that is decided as there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.meshwright.ambient.plugins.module_utils._near_misses import LONGEST_SHORT_WORD


def near_misses_of_role(role: str, names: Iterable[str]) -> str:
    """A pattern for names of variables of a role whose first words, those of the role's name, are misspelled."""
    words = role.split("_")
    rests = sorted(name.removeprefix(f"{role}_") for name in names)
    return f"^(?!{role}_){_one_misspelled(words, 0)}_(?:{'|'.join(map(escape, rests))})$"


def near_misses_of_name(name: str, role: str) -> str:
    """A pattern for names that are this one but for a misspelled word behind the role's name, or for what is between the words."""
    words = name.split("_")
    correct = role.split("_") if role else words[:1]
    begin = "_".join(correct)
    misspelled = f"{begin}_{_one_misspelled(words[len(correct) :], len(correct))}"
    return f"^(?!{name}$)(?:{misspelled}|{'[_.-]*'.join(words)})$"


def escape(text: str) -> str:
    """Text as a part of a pattern, in the syntax that regular expressions of Python and of JavaScript share."""
    return re.sub(r"([\\^$.*+?()\[\]{}|/])", r"\\\1", text)


def _one_misspelled(words: list[str], position: int) -> str:
    """Words of which one is misspelled.

    Args:
        words: at least one.
        position: how many words come before them in the name.
    """
    alternatives = []
    for index, word in enumerate(words):
        if misspelled := _misspelled(word, is_first=position + index == 0):
            alternatives.append("_".join([*words[:index], misspelled, *words[index + 1 :]]))
    return f"(?:{'|'.join(alternatives)})"


def _misspelled(word: str, *, is_first: bool) -> str:
    """A word with a misspelled letter; nothing for a word that is too short."""
    long_enough = len(word) > LONGEST_SHORT_WORD
    fewer = len(word) - 1 > LONGEST_SHORT_WORD if is_first else long_enough
    more = long_enough if is_first else len(word) + 1 > LONGEST_SHORT_WORD
    pattern = "[a-z]" if more else ""
    for index in reversed(range(len(word))):
        letter, rest = word[index], word[index + 1 :]
        wrong = f"[a-z]{rest}" if long_enough else ""
        edits = [
            letter + pattern if pattern else "",
            # A number is never misspelled.
            "" if letter.isdigit() else f"[a-z]?{rest}" if long_enough and fewer else wrong,
            f"[a-z]{letter}{rest}" if more else "",
            f"{rest[0]}{letter}{rest[1:]}" if rest and rest[0] != letter and not f"{letter}{rest[0]}".isdigit() else "",
        ]
        alternatives = [edit for edit in edits if edit]
        pattern = f"(?:{'|'.join(alternatives)})" if alternatives else ""
    return pattern
