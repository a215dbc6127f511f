"""Hosts' names, and the interfaces that have their addresses."""

from __future__ import annotations

import pytest

from workflow.engines.ranks.addresses import PORT, interface, loopback, place
from workflow.errors import EnvironmentFault, UsageError


def test_a_host_is_an_address_and_a_port():
    assert place("10.1.2.3") == ("10.1.2.3", PORT)
    assert place("localhost:4000") == ("127.0.0.1", 4000)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("10.0.0.1:x", "'x' is no port"),
        ("10.0.0.1:70000", "'70000' is no port"),
        ("no host", "address of 'no host' is not known"),
    ],
)
def test_t23_hosts_that_are_none(host, words):
    with pytest.raises(UsageError, match=words) as found:
        place(host)
    assert found.value.fault == "T23"


def test_the_interface_is_the_one_that_has_the_address():
    assert interface("127.0.0.1", None) == loopback()
    assert interface("10.99.99.99", loopback()) == loopback()


def test_t23_an_address_or_an_interface_that_this_machine_does_not_have():
    with pytest.raises(UsageError, match=r"no network interface of this machine has the address 10\.99\.99\.99"):
        interface("10.99.99.99", None)
    with pytest.raises(EnvironmentFault, match="has no network interface 'none', it has "):
        interface("127.0.0.1", "none")
