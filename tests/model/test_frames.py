"""Messages that we put on the wire ourselves are what the library reads."""

import asyncio
from typing import override

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.streams import StreamReader
from websockets.uri import parse_uri

from switchboard.framing import masked_frame, masking_keys
from switchboard.model.frames import QuickConnection

SIZES = (0, 1, 125, 126, 65_535, 65_536, 200_000)


def read(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert not reader.buffer
    return parsed.value.value


@given(st.sampled_from(SIZES), st.booleans(), st.binary(min_size=4, max_size=4))
def test_a_message_comes_out_as_it_went_in(size: int, is_text: bool, key: bytes) -> None:
    message = "é" * (size // 2) if is_text else bytes(size)
    got = read(masked_frame(message, key))
    assert got.opcode is (Opcode.TEXT if is_text else Opcode.BINARY)
    assert got.fin
    assert bytes(got.data) == (message.encode() if isinstance(message, str) else message)


def test_no_mask_is_used_twice_in_a_row_and_none_is_short() -> None:
    keys = masking_keys()
    drawn = [next(keys) for _ in range(5_000)]
    assert {len(key) for key in drawn} == {4}
    assert len(set(drawn)) > 4_980  # of four thousand million


class Wire(asyncio.Transport):
    """A connection's transport, where nobody listens."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    @override
    def is_closing(self) -> bool:
        return False

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    @override
    def pause_reading(self) -> None:
        pass

    @override
    def resume_reading(self) -> None:
        pass


async def told(said: list[bytes], accept: list[bool]) -> list[bytes]:
    """All messages of a service, which says this piece by piece, as they come to whoever reads;
    some are declined at first."""
    connection = QuickConnection(ClientProtocol(parse_uri("ws://h/"), max_size=None))
    connection.connection_made(Wire())
    connection.response = Response(101, "Switching Protocols", Headers())
    connection.protocol.state = State.OPEN
    connection.protocol.parser = connection.protocol.parse()
    heard: list[bytes] = []
    choices = iter(accept)

    def take(text: bytes) -> bool:
        taken = next(choices, True)
        if taken:
            heard.append(text)
        return taken

    async def read() -> None:
        while True:
            heard.append(await connection.recv(decode=False))

    reading = asyncio.create_task(read())
    connection.hand_over = take
    connection.data_received(Frame(Opcode.PONG, b"").serialize(mask=False))
    for piece in said:
        connection.data_received(piece)
        if next(choices, True):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    reading.cancel()
    return heard


numbered = st.tuples(
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PONG]), st.integers(0, 300)
)


@settings(deadline=None)
@given(
    st.lists(numbered, max_size=8),
    st.lists(st.integers(1, 400), max_size=12),
    st.lists(st.booleans(), max_size=30),
)
def test_nothing_is_lost_or_overtaken_by_what_is_handed_over(
    messages: list[tuple[Opcode, int]], cuts: list[int], accept: list[bool]
) -> None:
    frames = [
        Frame(opcode, (b"%d " % number + b"x" * size)[: 125 if opcode is Opcode.PONG else None])
        for number, (opcode, size) in enumerate(messages)
    ]
    said = b"".join(frame.serialize(mask=False) for frame in frames)
    pieces: list[bytes] = []
    for cut in cuts:
        pieces.append(said[:cut])
        said = said[cut:]
    pieces.append(said)
    heard = asyncio.run(told([piece for piece in pieces if piece], accept))
    assert heard == [bytes(frame.data) for frame in frames if frame.opcode is not Opcode.PONG]
