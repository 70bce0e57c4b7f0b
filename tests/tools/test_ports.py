"""A port is shared by processes of one node only."""

import subprocess
import sys

import pytest

from server.tools.ports import PortTaken, shared
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
