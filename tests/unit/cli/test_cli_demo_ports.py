"""Demos that run side by side do not talk to each other's daemons."""

import asyncio

from chargerd.cli.demo_home import reserved_port


def test_a_port_that_one_demo_holds_is_no_other_demo_s() -> None:
    with reserved_port() as first, reserved_port(first) as second:
        assert first != second


async def test_a_port_that_is_held_can_be_listened_on() -> None:
    with reserved_port() as port:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        server.close()
