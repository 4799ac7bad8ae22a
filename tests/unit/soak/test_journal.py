"""The soak's journal: the order of revisions, what is forgotten, what is missing."""

from __future__ import annotations

from tests.soak.journal import Journal, Key

POD: Key = ("Pod", "shop", "cart")
SERVICE: Key = ("Service", "shop", "cart")


def item(name: str, revision: int) -> dict[str, dict[str, str]]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": str(revision)}}


def journal_of(*versions: tuple[Key, int, float, bool]) -> Journal:
    journal = Journal(clock=lambda: 0.0)
    for key, revision, seen, there in versions:
        journal.take(key, revision, item(key[2], revision) if there else None, seen)
    return journal


def test_moments_follow_the_revisions_of_all_kinds_whatever_came_first() -> None:
    journal = journal_of((SERVICE, 12, 1.0, True), (POD, 10, 2.0, True), (POD, 14, 3.0, False))
    moments = list(journal.moments(lambda _key: True, 11, 20))
    assert [moment.revision for moment in moments] == [11, 12, 14]
    assert [sorted(kind for kind, _namespace, _name in moment.objects) for moment in moments] == [["Pod"], ["Pod", "Service"], ["Service"]]


def test_a_version_is_taken_once() -> None:
    assert journal_of((POD, 10, 1.0, True), (POD, 10, 2.0, True), (POD, 9, 3.0, False)).count == 1


def test_the_revision_of_a_time_is_the_newest_seen_until_then() -> None:
    journal = journal_of((SERVICE, 12, 1.0, True), (POD, 10, 2.0, True), (POD, 14, 3.0, True))
    assert [journal.revision_at(moment) for moment in (0.5, 1.0, 2.5, 3.0)] == [0, 12, 12, 14]


def test_what_is_forgotten_changes_no_later_answer() -> None:
    journal = journal_of((POD, 10, 1.0, True), (SERVICE, 11, 1.5, True), (SERVICE, 12, 2.0, False), (POD, 13, 3.0, True), (POD, 20, 4.0, True))
    before = [moment.objects for moment in journal.moments(lambda _key: True, 15, 30)]
    journal.forget(15)
    assert [moment.objects for moment in journal.moments(lambda _key: True, 15, 30)] == before
    assert journal.revision_at(3.5) == 13
    assert journal.latest(SERVICE) is None


def test_a_list_shows_what_the_journal_lacks_and_what_it_has_too_much_of() -> None:
    journal = journal_of((POD, 10, 1.0, True))
    assert journal.misses("Pod", [item("cart", 10)]) == []
    assert journal.misses("Pod", [item("cart", 11)]) == [POD]
    assert journal.misses("Pod", [item("cart", 10), item("till", 12)]) == [("Pod", "shop", "till")]
    assert journal.misses("Pod", []) == [POD]
