from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from twin.paths import cache_directory
from twin.tools.catalogue import PROGRAMS, Patch
from twin.tools.store import fill, is_whole, place_of


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a part will be, in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_directory() / "tools" / "part-v1"


def _make(content: str) -> Callable[[Path], None]:
    def make(workspace: Path) -> None:
        (workspace / "bin").mkdir()
        (workspace / "bin" / "program").write_text(content)

    return make


def _raise(_workspace: Path) -> None:
    raise OSError("the disk is full")


def _half(workspace: Path) -> None:
    (workspace / "program").write_text("half")
    raise OSError("the disk is full")


def test_a_part_is_made_once(place: Path) -> None:
    assert not is_whole(place)
    assert fill(place, _make("one")) is True
    assert is_whole(place)
    assert fill(place, _raise) is False
    assert (place / "bin" / "program").read_text() == "one"


def test_others_may_read_it(place: Path) -> None:
    fill(place, _make("one"))
    assert place.stat().st_mode & 0o777 == 0o755


def _shorten(place: Path) -> None:
    (place / "bin" / "program").write_text("")


def _lose_a_file(place: Path) -> None:
    (place / "bin" / "program").unlink()


def _lose_the_seal(place: Path) -> None:
    (place / ".complete.json").unlink()


def _spoil_the_seal(place: Path) -> None:
    (place / ".complete.json").write_text("{")


@pytest.mark.parametrize("damage", [_shorten, _lose_a_file, _lose_the_seal, _spoil_the_seal])
def test_what_is_broken_is_made_again(place: Path, damage: Callable[[Path], None]) -> None:
    fill(place, _make("one"))
    (place / "left-over").write_text("x")
    damage(place)
    assert not is_whole(place)
    assert fill(place, _make("two")) is True
    assert (place / "bin" / "program").read_text() == "two"
    assert not (place / "left-over").exists()


def test_a_part_is_never_seen_half_made(place: Path) -> None:
    seen = []

    def make(workspace: Path) -> None:
        _make("one")(workspace)
        seen.append((place.exists(), workspace.parent == place.parent))

    fill(place, make)
    assert seen == [(False, True)]


@pytest.mark.parametrize("make", [_raise, _half])
def test_a_failure_leaves_nothing_behind(place: Path, make: Callable[[Path], None]) -> None:
    with pytest.raises(OSError, match="the disk is full"):
        fill(place, make)
    assert list(place.parent.iterdir()) == []
    assert fill(place, _make("one")) is True


def test_two_builders_make_it_once(place: Path) -> None:
    begun, finish = threading.Event(), threading.Event()
    results = []

    def slowly(workspace: Path) -> None:
        begun.set()
        finish.wait(10)
        _make("one")(workspace)

    first = threading.Thread(target=lambda: results.append(("first", fill(place, slowly))))
    second = threading.Thread(target=lambda: results.append(("second", fill(place, _raise))))
    first.start()
    assert begun.wait(10)
    second.start()
    finish.set()
    for thread in (first, second):
        thread.join(10)
    assert sorted(results) == [("first", True), ("second", False)]


def test_a_patch_changes_the_place_of_its_program_and_of_no_other() -> None:
    etcd = PROGRAMS[0]
    patched = replace(etcd, patches=(Patch("main.go", "old", "new"),))
    assert place_of(patched) != place_of(etcd)
    assert place_of(replace(patched, patches=(Patch("main.go", "old", "newer"),))) != place_of(patched)
    assert "patches" not in repr(etcd)
