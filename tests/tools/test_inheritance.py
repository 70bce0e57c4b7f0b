"""What a process of several inherits goes through its command line, and its readiness through a pipe."""

import os
import socket

import pytest

from server.tools.inheritance import READY, Inheritance


@pytest.mark.parametrize("known", [Inheritance(0, (5,), 9), Inheritance(63, (5, 6), 7)])
def test_it_is_told_by_its_text(known: Inheritance):
    assert Inheritance.parse(str(known)) == known


@pytest.mark.parametrize("text", ["", "1", "1:2", "1::3", "1:2:3:4", "a:5:6"])
def test_another_text_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 # int and split say it in their own words
        Inheritance.parse(text)


def test_readiness_goes_through_the_pipe_and_ends_it():
    reading, writing = os.pipe()
    Inheritance(0, (), writing).tell_ready()
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == READY


def test_a_supervisor_that_is_gone_stops_nobody():
    reading, writing = os.pipe()
    os.close(reading)
    Inheritance(0, (), writing).tell_ready()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(writing)


def test_the_sockets_are_those_that_were_bound():
    given = socket.create_server(("127.0.0.1", 0))
    port = given.getsockname()[1]
    (inherited,) = Inheritance(0, (given.detach(),), 0).open_sockets()
    with inherited:
        assert (inherited.getsockname()[1], inherited.getblocking()) == (port, False)
