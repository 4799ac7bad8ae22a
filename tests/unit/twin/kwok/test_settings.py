from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import TwinError
from twin.kwok.settings import AwsSettings, TwinSettings, choose_settings, raise_flag, read_settings, write_settings
from twin.paths import TwinPaths

SETTINGS = TwinSettings(pod_network=64)
LAST = 128 * 256 - 2


@pytest.mark.parametrize(
    ("number", "address"),
    [
        pytest.param(1, "10.64.128.1", id="first"),
        pytest.param(255, "10.64.128.255", id="end-of-a-row"),
        pytest.param(256, "10.64.129.0", id="next-row"),
        pytest.param(LAST, "10.64.255.254", id="last"),
    ],
)
def test_addresses_of_real_pods(number: int, address: str) -> None:
    assert SETTINGS.real_pod(number) == address


@pytest.mark.parametrize("number", [-1, 0, LAST + 1, 10**6])
def test_there_are_only_so_many(number: int) -> None:
    with pytest.raises(TwinError) as caught:
        SETTINGS.real_pod(number)
    assert str(caught.value) == f"This twin has no pod address number {number}: delete pods of real processes first."


@given(first=st.integers(1, LAST), second=st.integers(1, LAST), network=st.integers(64, 127))
def test_addresses_are_unique_and_apart_from_simulated_ones(first: int, second: int, network: int) -> None:
    settings = TwinSettings(network)
    assert (settings.real_pod(first) == settings.real_pod(second)) == (first == second)
    assert ip_address(settings.real_pod(first)) not in ip_network(settings.simulated_pods)
    assert ip_address(settings.real_pod(first)) in ip_network(f"10.{network}.0.0/16")


@pytest.mark.parametrize(
    ("pod_address", "local"),
    [
        pytest.param("10.64.128.1", "127.64.128.1", id="of-this-twin"),
        pytest.param("10.65.128.1", "10.65.128.1", id="of-another-twin"),
        pytest.param("10.6.4.1", "10.6.4.1", id="looks-alike"),
        pytest.param("192.0.2.1", "192.0.2.1", id="foreign"),
    ],
)
def test_where_a_process_listens(pod_address: str, local: str) -> None:
    assert SETTINGS.local_address(pod_address) == local


@given(st.integers(1, LAST), st.integers(64, 127))
def test_processes_listen_on_the_loopback_network(number: int, network: int) -> None:
    settings = TwinSettings(network)
    assert ip_address(settings.local_address(settings.real_pod(number))).is_loopback


def _twin(name: str, network: int) -> TwinPaths:
    paths = TwinPaths(name)
    paths.home.mkdir(parents=True)
    write_settings(paths, TwinSettings(network))
    return paths


@pytest.mark.usefixtures("state")
def test_what_is_written_is_read() -> None:
    assert read_settings(_twin("a", 99)) == TwinSettings(99)


def _chosen() -> TwinSettings:
    """What a twin would get that is created at once."""
    with choose_settings() as settings:
        return settings


@pytest.mark.usefixtures("state")
def test_what_another_version_of_the_twin_writes_is_left_out() -> None:
    aws = AwsSettings("a", "http://127.0.0.1:5601", "prod", "eu-west-1", "http://127.0.0.1:5601/_twin/authenticate", "https://issuer", "172.20.0.0/16")
    paths = TwinPaths("a")
    paths.home.mkdir(parents=True)
    write_settings(paths, TwinSettings(99, aws))
    written = json.loads(paths.settings.read_text())
    paths.settings.write_text(json.dumps({**written, "later": 1, "aws": {**written["aws"], "later": 2}}))
    assert read_settings(paths) == TwinSettings(99, aws)
    assert _chosen().pod_network != 99


@pytest.mark.usefixtures("state")
def test_each_twin_has_a_network_of_its_own() -> None:
    # Which ones are free depends on what else runs on this machine; that they are different does not.
    first = _chosen()
    _twin("a", first.pod_network)
    second = _chosen()
    _twin("b", second.pod_network)
    assert len({first, second, _chosen()}) == 3


def test_twins_of_two_users_that_are_created_at_once_have_two_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a"))
    with choose_settings() as first:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "b"))
        with choose_settings() as second:
            assert first.pod_network != second.pod_network


@pytest.mark.usefixtures("state")
def test_networks_run_out() -> None:
    for network in range(64, 128):
        _twin(f"t{network}", network)
    with pytest.raises(TwinError, match="take a twin down first"):
        _chosen()


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a_b", "../a", "a" * 33])
@pytest.mark.usefixtures("state")
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(TwinError, match="use up to 32 lower-case letters, digits and dashes"):
        TwinPaths(name)


def test_a_state_directory_that_is_too_deep_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/" + "d" * 100)
    with pytest.raises(TwinError, match="set XDG_STATE_HOME to a shorter directory"):
        TwinPaths("a")


@pytest.mark.usefixtures("state")
def test_a_network_that_another_twin_shows_is_not_chosen() -> None:
    first = _chosen()
    with raise_flag(first):
        with pytest.raises(TwinError, match="is taken by another twin"):
            raise_flag(first)
        assert _chosen() != first
