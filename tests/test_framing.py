"""A message read without a parser is what the parser would have read, or is left to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from switchboard.framing import (
    lone_message,
    lone_text,
    masked_text,
    plain_text,
    whole_message,
    whole_text,
)
from tests.browser.proxy.peers import listen, proxy, voice_live

LIMIT = 70_000

OPEN = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def parsed(data: bytes) -> list[tuple[Opcode, bytes]]:
    """What the library's parser makes of a client's frames."""
    parser = ServerProtocol(max_size=LIMIT)
    parser.receive_data(OPEN)
    (request,) = parser.events_received()
    assert isinstance(request, Request)
    parser.send_response(parser.accept(request))
    parser.receive_data(data)
    frames = [event for event in parser.events_received() if isinstance(event, Frame)]
    return [(frame.opcode, bytes(frame.data)) for frame in frames if frame.opcode != Opcode.CLOSE]


def taken(data: bytes) -> tuple[list[tuple[Opcode, bytes]], bytes]:
    """The messages that need no parser, and the rest."""
    messages: list[tuple[Opcode, bytes]] = []
    at = 0
    while (found := whole_message(data, at, LIMIT)) is not None:
        opcode = Opcode.TEXT if found.is_text else Opcode.BINARY
        messages.append((opcode, found.payload))
        at = found.end
    return messages, data[at:]


def frame(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)


sizes = st.sampled_from([0, 1, 125, 126, 127, 1_340, 65_535, 65_536])
messages = st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING]), sizes).map(
    lambda made: frame(made[0], b"x" * (min(made[1], 125) if made[0] is Opcode.PING else made[1]))
)


@given(st.lists(messages, max_size=4), st.integers(0, 20))
def test_what_is_taken_and_what_is_left_make_what_was_said(
    frames: list[bytes], missing: int
) -> None:
    said = b"".join(frames)
    said = said[: len(said) - missing]
    messages, rest = taken(said)
    assert messages + parsed(rest) == parsed(said)


@given(st.binary(max_size=40))
def test_nothing_is_taken_that_the_parser_would_refuse(garbage: bytes) -> None:
    messages, rest = taken(garbage)
    assert messages == parsed(garbage.removesuffix(rest) if rest else garbage)


@given(st.one_of(messages, st.binary(max_size=200)), st.integers(0, 8))
def test_a_lone_message_is_the_only_one_there_is(said: bytes, missing: int) -> None:
    said = said[: len(said) - missing]
    alone = lone_message(said)
    if alone is not None:
        assert parsed(said) == [(Opcode.TEXT, alone)]
    elif 0 < len(said) < LIMIT and (found := whole_message(said, 0, LIMIT)) is not None:
        assert not found.is_text or found.end < len(said)


def answer(opcode: Opcode, size: int, *, fin: bool) -> bytes:
    return Frame(opcode, b"x" * size, fin).serialize(mask=False)


answers = st.builds(
    answer,
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
    st.sampled_from([0, 1, 125, 126, 127, 1_340, 65_535, 65_536]),
    fin=st.booleans(),
)


def answered(data: bytes) -> list[tuple[bool, bytes]]:
    """The whole texts that the library's parser finds in what a server says, up to what is none."""
    reader = StreamReader()
    reader.feed_data(data)
    found: list[tuple[bool, bytes]] = []
    while reader.buffer:
        parsing = Frame.parse(reader.read_exact, mask=False)
        try:
            next(parsing)
        except StopIteration as parsed:
            frame: Frame = parsed.value
            found.append((frame.fin and frame.opcode is Opcode.TEXT, bytes(frame.data)))
        else:
            break  # not all of it is there
    return found


@given(st.lists(answers, max_size=4), st.integers(0, 8))
def test_what_a_server_says_is_read_as_the_library_reads_it(
    frames: list[bytes], missing: int
) -> None:
    said = b"".join(frames)
    said = said[: len(said) - missing]
    texts: list[bytes] = []
    at = 0
    while (found := whole_text(said, at)) is not None:
        texts.append(found[0])
        at = found[1]
    known = answered(said)
    assert [(True, text) for text in texts] == known[: len(texts)]
    alone = lone_text(said)
    if alone is not None:
        assert known == [(True, alone)]


@given(
    st.binary(max_size=200) | st.integers(0, 70_000).map(bytes), st.binary(min_size=4, max_size=4)
)
def test_what_is_put_on_the_wire_is_what_the_library_would_put(text: bytes, key: bytes) -> None:
    assert plain_text(text) == Frame(Opcode.TEXT, text).serialize(mask=False)
    (masked,) = parsed(masked_text(text, key)) if len(text) < LIMIT else [(Opcode.TEXT, text)]
    assert masked == (Opcode.TEXT, text)


ODD = {
    "begun": frame(Opcode.TEXT, b"a", fin=False),
    "continued": frame(Opcode.CONT, b"a"),
    "ping": frame(Opcode.PING, b"a"),
    "close": frame(Opcode.CLOSE, b"\x03\xe8"),
    "unmasked": Frame(Opcode.TEXT, b"a", rsv1=False).serialize(mask=False),
    "reserved bit": b"\xc1\x81\x00\x00\x00\x00a",
    "long": frame(Opcode.BINARY, bytes(65_536)),
    "nothing": b"",
    "first byte": b"\x81",
    "half a length": b"\x81\xfe\x05",
    "half a message": frame(Opcode.TEXT, b"whole but for its end")[:-1],
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)  # masks are random, names are not
def test_what_is_odd_or_incomplete_is_left_to_the_parser(odd: bytes) -> None:
    assert whole_message(odd, 0, LIMIT) is None


def test_what_is_too_long_is_left_to_the_parser_which_refuses_it() -> None:
    assert whole_message(frame(Opcode.TEXT, b"x" * 1_001), 0, 1_000) is None


async def test_a_message_after_the_first_takes_the_short_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hangs on how the library's parser is written: a new version may close it, unnoticed."""
    async with voice_live(listen) as live, proxy(live) as door, door.dial() as client:
        await client.send("first")
        await door.until(lambda: live.heard == ["first"])
        _forbid_the_parser(monkeypatch)
        for number in range(20):
            await client.send(f"{number}")
        await door.until(lambda: len(live.heard) == 21)
        monkeypatch.undo()
    assert live.heard == ["first", *map(str, range(20))]
    assert door.lines[0]["messages_up"] == 21


def _forbid_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ServerProtocol.receive_data

    def receive(self: ServerProtocol, data: bytes) -> None:
        if self.logger.name.startswith("uvicorn"):
            raise AssertionError("parsed")
        ours(self, data)

    monkeypatch.setattr(ServerProtocol, "receive_data", receive)


async def test_short_and_long_ways_keep_their_order() -> None:
    said = [("s" * 10, "l" * 100_000, "m" * 20_000)[n % 3] + str(n) for n in range(300)]
    async with voice_live(listen) as live, proxy(live) as door, door.dial() as client:
        for message in said:
            await client.send(message)
        await door.until(lambda: len(live.heard) == len(said))
    assert live.heard == said


async def test_text_that_is_none_is_refused_on_the_short_way_too() -> None:
    async with voice_live(listen) as live, proxy(live) as door, door.dial() as client:
        await client.send("first")
        await door.until(lambda: live.heard)
        client.transport.write(frame(Opcode.TEXT, b"\xff\xfe"))
        await client.wait_closed()
    assert (client.close_code, live.heard) == (1007, ["first"])
