"""A port is shared by processes of one node only."""

import socket
import subprocess
import sys

import pytest

from server.tools.ports import PortTaken, alone, bound, shared
from tests.nodes import reserved_port

HOLD = """
import sys
from server.tools.ports import shared
with shared("127.0.0.1", int(sys.argv[1]), "other"):
    print(flush=True)
    sys.stdin.read()
"""


def test_processes_of_one_node_share_a_port_and_a_copy_or_another_node_is_refused():
    with reserved_port() as port, shared("127.0.0.1", port, "ours"), shared("127.0.0.1", port, "ours"):
        with pytest.raises(PortTaken, match=f"port {port} of 127.0.0.1: a process of another node"):
            shared("127.0.0.1", port, "theirs").__enter__()
        with shared("127.0.0.1", port, "ours"):
            pass


def test_a_port_is_free_again_when_its_holder_is_gone():
    with reserved_port() as port:
        with shared("127.0.0.1", port, "ours"):
            pass
        with shared("127.0.0.1", port, "theirs"):
            pass


def test_another_port_and_another_host_are_others():
    with reserved_port() as port, reserved_port() as other, shared("127.0.0.1", port, "ours"):
        for host, free in (("127.0.0.1", other), ("127.0.0.2", port)):
            with shared(host, free, "theirs"):
                pass


@pytest.mark.parametrize("hosts", [("127.0.0.1", "0.0.0.0"), ("::", "127.0.0.1")])  # noqa: S104
def test_all_hosts_are_each_host(hosts: tuple[str, str]):
    with reserved_port() as port, shared(hosts[0], port, "ours"), pytest.raises(PortTaken):
        shared(hosts[1], port, "theirs").__enter__()


def test_any_free_port_is_held_by_nobody():
    with shared("127.0.0.1", 0, "ours"), shared("127.0.0.1", 0, "theirs"):
        pass


def test_a_process_that_was_killed_holds_nothing():
    with reserved_port() as port:
        child = subprocess.Popen([sys.executable, "-c", HOLD, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with child:
            assert child.stdout
            child.stdout.readline()
            with pytest.raises(PortTaken):
                shared("127.0.0.1", port, "ours").__enter__()
            child.kill()
        with shared("127.0.0.1", port, "ours"):
            pass


def test_a_supervisor_is_alone_at_a_port_that_processes_share():
    with reserved_port() as port, alone("127.0.0.1", port), shared("127.0.0.1", port, "ours"):
        with pytest.raises(PortTaken, match="processes of another supervisor listen there"):
            alone("127.0.0.1", port).__enter__()
        with alone("127.0.0.2", port):
            pass


def test_sockets_share_a_port_and_take_no_connection_before_they_listen():
    (first,) = bound("127.0.0.1", 0)
    port = first.getsockname()[1]
    (second,) = bound("127.0.0.1", port)
    with first, second, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_every_address_of_a_host_has_the_same_port():
    sockets = bound("", 0)
    assert len({each.getsockname()[1] for each in sockets}) == 1
    assert len({each.family for each in sockets}) == len(sockets)
    for each in sockets:
        each.close()


def test_an_address_that_is_not_ours_is_refused_with_the_reason():
    with pytest.raises(PortTaken, match="it cannot be used: Cannot assign requested address"):
        bound("192.0.2.1", 8320)


def test_a_port_that_another_program_does_not_share_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(PortTaken, match="it cannot be used: Address already in use"):
            bound("127.0.0.1", other.getsockname()[1])
