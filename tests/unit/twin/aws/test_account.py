from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from twin.aws import account
from twin.aws.account import AccountSettings
from twin.commands.environment import exports_of
from twin.errors import TwinError
from twin.kwok.lifecycle import clusters_of
from twin.kwok.settings import AwsSettings, TwinSettings, read_settings, write_settings
from twin.paths import REPOSITORY, AccountPaths, TwinPaths
from twin.supervisor import MainProgram

AWS = AwsSettings("a", "http://127.0.0.1:5601", "prod", "eu-west-1", "http://127.0.0.1:5601/_twin/authenticate", "https://issuer", "172.20.0.0/16")


pytestmark = pytest.mark.usefixtures("state")


def _account(name: str, port: int) -> None:
    paths = AccountPaths(name)
    paths.home.mkdir(parents=True)
    paths.settings.write_text(json.dumps({"port": port}))


def _twin(name: str, aws: AwsSettings | None) -> TwinPaths:
    paths = TwinPaths(name)
    paths.home.mkdir(parents=True)
    write_settings(paths, TwinSettings(64, aws))
    return paths


def test_which_cluster_a_twin_is_is_kept() -> None:
    assert read_settings(_twin("a-prod", AWS)) == TwinSettings(64, AWS)


def test_a_twin_of_before_is_no_cluster_of_an_account() -> None:
    paths = TwinPaths("old")
    paths.home.mkdir(parents=True)
    paths.settings.write_text('{"pod_network": 70}')
    assert read_settings(paths) == TwinSettings(70, layout=1)


def test_an_account_of_before_serves_everybody_and_is_refused() -> None:
    _account("old", 5699)
    with pytest.raises(TwinError, match="serves every user of this machine: take it down"):
        account._repair(AccountPaths("old"))


def test_a_home_is_its_owners() -> None:
    for paths in (TwinPaths("a"), AccountPaths("a")):
        paths.make_home()
        assert paths.home.stat().st_mode & 0o777 == 0o700


def test_an_account_knows_its_clusters_and_no_others() -> None:
    _twin("a-prod", AWS)
    _twin("plain", None)
    assert clusters_of("a") == {"a-prod": AWS}
    assert clusters_of("b") == {}


def test_an_account_exports_its_keys_and_its_first_cluster() -> None:
    _account("a", 5601)
    assert "KUBECONFIG" not in exports_of("a"), "it has no cluster yet"
    paths = _twin("a-prod", AWS)
    exports = exports_of("a")
    assert (exports["TWIN"], exports["KUBECONFIG"], exports["TWIN_KUBECONFIG"]) == ("a", str(paths.kubeconfig), str(paths.kubeconfig))
    assert (exports["AWS_ENDPOINT_URL"], exports["AWS_REGION"], exports["AWS_DEFAULT_REGION"]) == ("http://127.0.0.1:5601", "eu-central-1", "eu-central-1")


def test_a_cluster_exports_the_keys_of_its_account_and_its_own_region() -> None:
    _account("a", 5601)
    paths = _twin("a-prod", AWS)
    exports = exports_of("a-prod")
    assert (exports["KUBECONFIG"], exports["AWS_REGION"]) == (str(paths.kubeconfig), "eu-west-1")


def test_a_twin_and_an_account_of_one_name() -> None:
    _account("a", 5601)
    _twin("a-prod", AWS)
    own = _twin("a", None)
    assert exports_of("a")["KUBECONFIG"] == str(own.kubeconfig), "its own cluster comes first"


def test_a_twin_that_is_no_cluster_of_an_account_exports_no_keys() -> None:
    _twin("plain", None)
    assert not [variable for variable in exports_of("plain") if variable.startswith("AWS_")]


def test_neither_twin_nor_account() -> None:
    with pytest.raises(TwinError, match="There is no twin nothing"):
        exports_of("nothing")
    with pytest.raises(TwinError, match="There is no AWS account nothing: python -m twin --name nothing account up creates it"):
        account.settings_of("nothing")


def test_a_port_at_which_something_listens_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(account, "_PORTS", range(port, port + 1))
        with pytest.raises(TwinError, match=f"All ports from {port} to {port} are taken"):
            account._free_port()


def test_a_port_of_another_account_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "_PORTS", range(1, 2))
    _account("a", 1)
    with pytest.raises(TwinError, match="All ports from 1 to 1 are taken"):
        account._free_port()


def test_an_account_does_not_serve_when_nothing_answers() -> None:
    assert not account.serves(AccountSettings(1))


def test_what_another_version_of_the_twin_writes_of_an_account_is_left_out() -> None:
    _account("a", 5601)
    AccountPaths("a").settings.write_text('{"port": 5601, "layout": 2, "later": 1}')
    assert account.settings_of("a") == AccountSettings(5601)
    assert account._free_port() != 5601


def test_who_has_seen_enough_sees_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "twin", "--name", "a", "account", "status"]
    _account("a", 1)
    done = subprocess.run(command, cwd=REPOSITORY, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_percent_sign_in_a_path_is_no_reference_for_supervisord() -> None:
    program = MainProgram("emulator", "twin.aws", ("--home", "/home/100%"), (("A", "b"),))
    command, environment = program.lines()
    assert command.endswith("-m twin.aws '--home' '/home/100%%'")
    assert environment == 'environment=A="b"'
