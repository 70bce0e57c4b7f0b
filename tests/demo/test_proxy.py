"""A proxy does to connections what its mode says, and from then on what the next mode says."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from server.demo.ports import HOST
from server.demo.proxy import Mode, Proxy, proxied

LINE = b"0123456789"
A_MOMENT = 0.1
LONG = 10_000


class Echo:
    """A server that answers each ten bytes with the same, and remembers what came and how connections ended."""

    def __init__(self) -> None:
        self.came = b""
        self.ends: asyncio.Queue[type[Exception] | None] = asyncio.Queue()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection."""
        end = None
        try:
            while chunk := await reader.read(LONG):
                self.came += chunk
                writer.write(chunk)
        except ConnectionError as fault:
            end = type(fault)
        writer.close()
        self.ends.put_nowait(end)


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Echo, Proxy]]:
    """A server behind a proxy."""
    server = Echo()
    listening = await asyncio.start_server(server.serve, HOST, 0)
    async with listening, proxied(listening.sockets[0].getsockname()[1]) as proxy:
        yield server, proxy


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """A connection through the proxy."""
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_an_open_wire_passes_everything_both_ways_and_the_end_too() -> None:
    async with echo() as (server, proxy), connected(proxy) as (reader, writer):
        writer.write(LINE * LONG)
        writer.write_eof()
        assert await reader.read() == LINE * LONG
        assert server.came == LINE * LONG
        assert await server.ends.get() is None


async def test_a_cut_wire_refuses_connections_and_breaks_those_there_are_until_it_is_open_again() -> None:
    async with echo() as (server, proxy):
        async with connected(proxy) as (reader, writer):
            writer.write(LINE)
            assert await reader.readexactly(len(LINE)) == LINE
            await proxy.switch(Mode.CUT)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            assert await server.ends.get() is ConnectionResetError
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, proxy.port)
        await proxy.switch(Mode.OPEN)
        async with connected(proxy) as (reader, writer):
            writer.write(LINE)
            assert await reader.readexactly(len(LINE)) == LINE


async def test_a_slow_wire_holds_back_the_answer_but_not_the_request() -> None:
    async with echo() as (server, proxy), connected(proxy) as (reader, writer):
        await proxy.switch(Mode.SLOW, seconds=3 * A_MOMENT)
        writer.write(LINE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(A_MOMENT):
                await reader.readexactly(len(LINE))
        assert server.came == LINE
        assert await reader.readexactly(len(LINE)) == LINE


async def test_a_half_open_wire_takes_connections_and_loses_what_is_sent() -> None:
    async with echo() as (server, proxy), connected(proxy) as (reader, writer):
        await proxy.switch(Mode.HALF_OPEN)
        async with connected(proxy) as (late_reader, late_writer):
            for each in (writer, late_writer):
                each.write(LINE)
            for each in (reader, late_reader):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(A_MOMENT):
                        await each.read(1)
            assert server.came == b""
            await proxy.switch(Mode.OPEN)
            for each in (reader, late_reader):
                with pytest.raises(ConnectionResetError):
                    await each.read(1)


@pytest.mark.parametrize(("mode", "came"), [(Mode.RESET_REQUEST, 15), (Mode.RESET_ANSWER, 20)])
async def test_a_connection_is_reset_after_so_many_bytes_of_one_direction(mode: Mode, came: int) -> None:
    async with echo() as (server, proxy), connected(proxy) as (reader, writer):
        await proxy.switch(mode, after_bytes=15)
        writer.write(LINE)
        assert await reader.readexactly(len(LINE)) == LINE
        writer.write(LINE)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(LONG)
        assert await server.ends.get() is ConnectionResetError
        assert len(server.came) == came


async def test_nobody_behind_the_proxy_is_a_reset_and_not_a_silence() -> None:
    async with echo() as (_, proxy):
        target = proxy
    async with proxied(target.port) as alone, connected(alone) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()
