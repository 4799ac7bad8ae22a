"""Which chart a reference means."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ansible_collections.meshwright.ambient.plugins.module_utils._helm.source import chart_of
from ansible_collections.meshwright.ambient.plugins.module_utils._helm.spec import Chart, ChartReference

CHART_YAML = "name: base\nversion: 1.31.1\nappVersion: 1.31.1-fips\n"


def archive(path: Path, files: dict[str, str]) -> str:
    with tarfile.open(path, "w:gz") as made:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            made.addfile(entry, io.BytesIO(text.encode()))
    return str(path)


@pytest.mark.parametrize(
    ("reference", "repository", "version", "chart"),
    [
        ("base", "https://charts.example", "1.31.1", Chart("base", "1.31.1")),
        ("base", "https://charts.example", None, Chart("base", "")),
        ("oci://registry.example/charts/base", None, "1.31.1", Chart("base", "1.31.1")),
        ("repository/base", None, "1.31.1", None),
    ],
)
def test_a_chart_of_a_repository_is_known_by_what_was_asked(reference: str, repository: str | None, version: str | None, chart: Chart | None) -> None:
    assert chart_of(ChartReference(reference, repository, version)) == chart


def test_a_chart_on_disk_says_itself_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "Chart.yaml").write_text(CHART_YAML)
    packed = archive(tmp_path / "base.tgz", {"base/charts/other/Chart.yaml": "name: other\nversion: 1\n", "base/Chart.yaml": CHART_YAML})
    for place in (str(tmp_path / "base"), packed):
        assert chart_of(ChartReference(place)) == Chart("base", "1.31.1", "1.31.1-fips"), place
        # Helm takes what is there, whatever version is asked for.
        assert chart_of(ChartReference(place, None, "2.0.0")) == Chart("base", "1.31.1", "1.31.1-fips"), place


def test_a_chart_that_does_not_say_the_version_of_its_software(tmp_path: Path) -> None:
    assert chart_of(ChartReference(archive(tmp_path / "base.tgz", {"base/Chart.yaml": "name: base\nversion: 1.31.1\n"}))) == Chart("base", "1.31.1", "")


def test_what_is_no_chart_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.tgz").write_text("no archive")
    (tmp_path / "empty").mkdir()
    assert chart_of(ChartReference(str(tmp_path / "text.tgz"))) is None
    assert chart_of(ChartReference(str(tmp_path / "empty"))) is None
    assert chart_of(ChartReference(str(tmp_path / "nowhere.tgz"))) is None
    assert chart_of(ChartReference(archive(tmp_path / "list.tgz", {"base/Chart.yaml": "- 1\n"}))) is None
    assert chart_of(ChartReference(archive(tmp_path / "broken.tgz", {"base/Chart.yaml": "{\n"}))) is None
    assert chart_of(ChartReference(archive(tmp_path / "other.tgz", {"base/values.yaml": ""}))) is None


def test_nothing_of_an_archive_is_unpacked_and_no_more_of_it_read_than_a_chart_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive from outside may name places above its own, and hold gigabytes in a kilobyte."""
    monkeypatch.chdir(tmp_path)
    chart = "name: base\nversion: 1.31.1\n"
    for name, text, expected in (
        ("small.tgz", chart, Chart("base", "1.31.1", "")),
        ("large.tgz", f"{chart}# {'x' * 3_000_000}", Chart("base", "1.31.1", "")),
        ("deep.tgz", "[" * 100_000, None),
    ):
        packed = archive(tmp_path / name, {"../escape.txt": "out", "base/Chart.yaml": text})
        assert chart_of(ChartReference(packed)) == expected
    data = (tmp_path / "small.tgz").read_bytes()
    (tmp_path / "cut.tgz").write_bytes(data[: len(data) // 2])
    assert chart_of(ChartReference(str(tmp_path / "cut.tgz"))) is None
    assert not (tmp_path.parent / "escape.txt").exists()
    assert {path.suffix for path in tmp_path.iterdir()} == {".tgz"}
