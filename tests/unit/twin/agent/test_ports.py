from __future__ import annotations

import socket
from typing import Any

import pytest

from twin.agent.ports import ContainerPorts, Ports
from twin.errors import TwinError
from twin.facts import TwinFacts

_POD, _OTHER = "10.64.128.1", "10.64.128.2"
_CONTAINER: dict[str, Any] = {"ports": [{"name": "webhook-server", "containerPort": 9443}, {"containerPort": 8080}]}


@pytest.fixture
def ports() -> Ports:
    return Ports(TwinFacts(64))


def test_a_port_that_nobody_claimed_is_served_as_it_is(ports: Ports) -> None:
    assert ports.locate(_POD, 15017) == ("127.64.128.1", 15017)
    assert ports.locate("192.0.2.1", 443) == ("192.0.2.1", 443)


def test_each_pod_has_a_port_of_its_own(ports: Ports) -> None:
    first, second = ports.claim(_POD, 9443), ports.claim(_OTHER, 9443)
    assert first != second
    assert ports.locate(_POD, 9443) == ("127.64.128.1", first)
    assert ports.locate(_OTHER, 9443) == ("127.64.128.2", second)


def test_twins_do_not_look_at_the_same_place_first() -> None:
    assert Ports(TwinFacts(64)).claim(_POD, 9443) != Ports(TwinFacts(65)).claim("10.65.128.1", 9443)


def test_a_port_in_use_is_passed_over(ports: Ports) -> None:
    with socket.socket() as stranger:
        wanted = Ports(TwinFacts(64)).claim(_POD, 9443)
        stranger.bind(("", wanted))
        stranger.listen()
        assert ports.claim(_POD, 9443) != wanted


def test_the_port_of_a_process_that_still_runs_is_kept(ports: Ports) -> None:
    assert ports.claim(_POD, 9443, before=23456) == 23456
    assert ports.locate(_POD, 9443) == ("127.64.128.1", 23456)


def test_the_ports_of_a_pod_that_has_gone_are_forgotten(ports: Ports) -> None:
    gone, other = ports.claim(_POD, 9443), ports.claim(_OTHER, 9443)
    ports.release(_POD, {9443: gone})
    assert ports.locate(_POD, 9443) == ("127.64.128.1", 9443)
    assert ports.locate(_OTHER, 9443)[1] == other


def test_an_address_that_another_pod_has_got_meanwhile(ports: Ports) -> None:
    gone = ports.claim(_POD, 9443)
    new = ports.claim(_POD, 9443)
    assert new != gone, "its process may still listen there"
    ports.release(_POD, {9443: gone})
    assert ports.locate(_POD, 9443)[1] == new


@pytest.mark.parametrize("wanted", ["webhook-server", "9443"])
def test_an_argument_names_a_port(ports: Ports, wanted: str) -> None:
    filling = ContainerPorts(ports, _POD, _CONTAINER, {9443: 23456})
    assert f"--port={{port:{wanted}}}".format(port=filling) == "--port=23456"
    assert filling.claimed == {9443: 23456}


def test_an_argument_names_a_port_that_the_container_lacks(ports: Ports) -> None:
    with pytest.raises(TwinError, match="the container has no port called metrics"):
        format(ContainerPorts(ports, _POD, _CONTAINER, {}), "metrics")
