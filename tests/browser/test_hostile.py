"""Hostile pages: each is refused clearly, and no other call notices."""

import base64
import binascii
import socket
import string
import time
import zlib
from pathlib import Path

import anyio
import msgspec
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI, WebSocket
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from switchboard.access.rates import Rate
from switchboard.browser.codec import Misunderstood, decode
from switchboard.browser.limits import Meter, SocketLimits
from switchboard.browser.protocol import MAX_FRAME_BYTES, Decide, Key, PageMessage, Played
from switchboard.browser.routes import BrowserConfig
from switchboard.conversation.audio import is_pcm
from switchboard.conversation.events import CallerAway, HumanWanted
from switchboard.conversation.legs import CallerAudio
from tests.browser.peers import FRAME, House, Setting, house, serving

UPGRADE = b"\r\n".join(
    [
        b"GET /slow HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        b"Sec-WebSocket-Version: 13",
        b"",
        b"",
    ]
)
BAD_TEXT = Frame(Opcode.TEXT, b"\xff").serialize(mask=True)
CLOSE = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)
NONSENSE = [
    "",
    "null",
    "[]",
    "hello",
    '"audio"',
    "{}",
    '{"type": "unknown"}',
    '{"type": 1}',
    '{"type": "audio"}',
    '{"type": "audio", "audio": ""}',
    '{"type": "audio", "audio": "AAA"}',
    '{"type": "audio", "audio": "AAA\\u00e9"}',
    '{"type": "audio", "audio": "AA=A"}',
    '{"type": "audio", "audio": "===="}',
    '{"type": "audio", "audio": "AAA="}x',
    '{"type": "audio", "audio": "AAAA"}',  # three bytes: a sample and a half
    '{"type": "text", "id": "a", "text": ""}',
    '{"type": "text", "id": "a", "text": " \\n"}',
    '{"type": "text", "id": "a", "text": "a\\u0000b"}',
    '{"type": "text", "id": "a\\n", "text": "hi"}',
    '{"type": "text", "id": "../../x", "text": "hi"}',
    '{"type": "text", "id": "' + "a" * 65 + '", "text": "hi"}',
    '{"type": "text", "id": "a", "text": "' + "a" * 2_001 + '"}',
    '{"type": "text", "id": "a", "text": "\\ud800"}',
    '{"type": "played", "item": "a", "ms": -1}',
    '{"type": "played", "item": "a", "ms": 1e999}',
    '{"type": "played", "item": "a", "ms": NaN}',
    '{"type": "played", "item": "a", "ms": "1"}',
    '{"type": "key", "key": "12"}',
    '{"type": "key", "key": "1\\n"}',
    '{"type": "decide", "call": "a", "agreed": "yes"}',
    '{"type": "Human"}',
    '{"type": ["human"]}',
    '{"type": "human\\u0000"}',
    '{"type": "ready", "call": "x"}',
    '{"type": "ping", "at": 1, "deep": ' + "[" * 5_000 + "]" * 5_000 + "}",
]


@pytest.mark.parametrize("frame", NONSENSE)
def test_nonsense_is_misunderstood_and_nothing_worse(frame: str) -> None:
    try:
        decode(frame)
    except Misunderstood as fault:
        assert len(str(fault)) < 400
    else:
        assert "deep" in frame  # unknown fields are tolerated, however deep


@given(st.text(max_size=300))
def test_any_text_is_a_message_or_misunderstood(frame: str) -> None:
    _decoded(frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
TAGS = st.sampled_from(["audio", "text", "played", "key", "decide", "human", "end", "ping", "x"])
FIELDS = st.sampled_from(["audio", "id", "text", "item", "ms", "key", "call", "agreed", "at"])


@given(TAGS, st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_json_is_a_message_or_misunderstood(tag: str, fields: dict[str, object]) -> None:
    try:
        frame = msgspec.json.encode({"type": tag, **fields}).decode()
    except (UnicodeEncodeError, OverflowError):
        return
    _decoded(frame)


def _decoded(frame: str) -> PageMessage | None:
    try:
        return decode(frame)
    except Misunderstood:
        return None


@given(st.binary(min_size=2, max_size=2_000))
def test_base64_of_whole_samples_is_audio(pcm: bytes) -> None:
    assert is_pcm(base64.b64encode(pcm).decode()) == (len(pcm) % 2 == 0)


@given(st.text(string.ascii_letters + "+/=-_ é", min_size=1, max_size=40))
def test_what_passes_for_audio_decodes(text: str) -> None:
    try:
        pcm = base64.b64decode(text, validate=True)
        decodes = len(pcm) % 2 == 0 and len(text) % 4 == 0
    except (binascii.Error, ValueError):
        decodes = False
    assert is_pcm(text) == decodes


async def test_nonsense_is_answered_and_the_call_goes_on(home: House) -> None:
    async with home.talking() as page:
        for frame in NONSENSE[:5]:
            await page.socket.send(frame)
            refusal = await page.next("refused")
            assert (refusal["code"], refusal["fatal"]) == ("misunderstood", False)
        await page.say("audio", audio=FRAME)
        await page.say("ping", at=1)
        await page.next("pong")
        assert home.exchange.events == [CallerAudio(FRAME)]


async def test_a_page_that_only_talks_nonsense_is_cut_off(home: House) -> None:
    async with home.talking() as page:
        for _ in range(30):
            await page.socket.send("nonsense")
        code, said = await page.closed()
    assert code == 1008
    assert [message["fatal"] for message in said] == [False] * 10 + [True]
    await home.until(lambda: home.exchange.left)
    assert home.exchange.events == [CallerAway()]


async def test_binary_frames_are_refused(home: House) -> None:
    async with home.talking() as page:
        await page.socket.send(b"\x00\x01")
        code, said = await page.closed()
    assert (code, said[-1]["code"], said[-1]["fatal"]) == (1003, "not_text", True)


@pytest.mark.parametrize("fragmented", [False, True])
async def test_an_oversized_frame_ends_the_socket(home: House, fragmented: bool) -> None:
    async with home.talking() as page:
        half = "x" * (MAX_FRAME_BYTES // 2 + 1)
        await page.socket.send([half, half] if fragmented else half * 2)
        assert (await page.closed())[0] == 1009
    await home.until(lambda: home.exchange.left)
    assert home.exchange.events == [CallerAway()]


async def test_text_that_is_not_utf8_ends_the_socket(home: House) -> None:
    async with home.talking() as page:
        await page.socket.send(b"\xff\xff", text=True)
        assert (await page.closed())[0] == 1007
    await home.until(lambda: home.exchange.left)


@pytest.mark.parametrize(
    "behind", [b"", BAD_TEXT, CLOSE, CLOSE + BAD_TEXT], ids=["alone", "twice", "close", "both"]
)
async def test_what_comes_in_one_piece_with_it_leaves_no_error(
    home: House, behind: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with home.talking() as page:
        page.socket.transport.write(BAD_TEXT + behind)
        code, _ = await page.closed()
    await home.until(lambda: home.exchange.left)
    assert code in ((1000, 1007) if CLOSE in behind else (1007,))  # his own close may be answered
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_compression_is_not_agreed_to(home: House) -> None:
    async with home.talking() as page:
        assert page.socket.protocol.extensions == []
        assert len(zlib.compress(FRAME.encode())) < len(FRAME)  # it would have helped an attacker


async def test_a_flood_of_audio_is_dropped_then_cut_off(home: House) -> None:
    async with home.talking() as page:
        loud = "A" * 51_200  # 0.8 s in one frame
        with anyio.move_on_after(5):
            try:
                for _ in range(200):
                    await page.say("audio", audio=loud)
            except ConnectionClosed:
                pass
        code, said = await page.closed()
    assert code == 1008
    assert {message["code"] for message in said if message["type"] == "refused"} == {"too_fast"}
    heard_s = sum(0.8 for event in home.exchange.events if isinstance(event, CallerAudio))
    assert heard_s < 25


async def test_a_page_that_was_held_up_may_catch_up(home: House) -> None:
    async with home.talking() as page:
        for _ in range(500):  # ten seconds at once
            await page.say("audio", audio=FRAME)
        await page.say("ping", at=1)
        assert await page.next() == {"type": "pong", "at": 1}
        assert home.exchange.events == [CallerAudio(FRAME)] * 500


def test_keys_and_answers_are_counted_like_turns_which_they_may_become() -> None:
    meter = Meter(SocketLimits(keys=Rate(1, 3)), 0)
    keys: list[PageMessage] = [Key("#"), Decide("c1", True), Key("1")]

    assert all(meter.admits(key, 0) for key in keys)
    assert not meter.admits(Key("#"), 0)
    assert meter.admits(Played("i1", 20), 0)


async def test_a_flood_of_texts_is_refused(tmp_path: Path) -> None:
    limits = SocketLimits(texts=Rate(0.01, 2))
    async with (
        house(tmp_path, Setting(BrowserConfig(socket=limits))) as home,
        home.talking() as page,
    ):
        for number in range(4):
            await page.say("text", id=f"t{number}", text="buy now")
        refusals = [await page.next("refused") for _ in range(2)]
        assert {refusal["code"] for refusal in refusals} == {"too_fast"}


async def test_asking_for_a_human_again_and_again_is_refused_as_typing_is(tmp_path: Path) -> None:
    limits = SocketLimits(texts=Rate(0.01, 2))
    async with (
        house(tmp_path, Setting(BrowserConfig(socket=limits))) as home,
        home.talking() as page,
    ):
        await page.say("text", id="t1", text="hello")
        for _ in range(3):
            await page.say("human")
        refusals = [await page.next("refused") for _ in range(2)]
        assert {refusal["code"] for refusal in refusals} == {"too_fast"}
        assert home.exchange.events.count(HumanWanted()) == 1
        assert len(home.exchange.events) == 2


async def test_pings_that_nobody_reads_the_answers_of_end_the_connection(home: House) -> None:
    async with home.talking(max_queue=1) as page:
        page.socket.transport.pause_reading()
        flood = b"".join(
            b"\x89\xfd" + b"\x00" * 4 + b"p" * 125 for _ in range(8_000)
        )  # control frames, masked with zeros
        with anyio.fail_after(20):
            while not home.exchange.left:
                if not page.socket.transport.is_closing():
                    page.socket.transport.write(flood)
                await anyio.sleep(0.01)
    assert home.exchange.events == [CallerAway()]


async def test_who_talks_before_being_answered_is_cut_off_without_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrived, gone = anyio.Event(), anyio.Event()
    app = FastAPI()

    @app.websocket("/slow")
    async def slow(leg: WebSocket) -> None:
        arrived.set()
        assert (await leg.receive())["type"] == "websocket.connect"
        assert (await leg.receive())["type"] == "websocket.disconnect"
        gone.set()

    door = socket.create_server(("127.0.0.1", 0))
    async with serving(app, door), await anyio.connect_tcp(*door.getsockname()) as page:
        await page.send(UPGRADE)
        with anyio.fail_after(20):
            await arrived.wait()
            await page.send(b"\xff" * 64)
            await gone.wait()
            with pytest.raises((anyio.BrokenResourceError, anyio.EndOfStream)):
                await page.receive()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_while_one_page_is_hostile_another_talks_undisturbed(home: House) -> None:
    async with home.talking() as good, home.talking() as bad, anyio.create_task_group() as tasks:
        tasks.start_soon(_be_hostile, bad.socket)
        for number in range(40):
            began = time.process_time()  # both ends are here, and other programs' work is not it
            await good.say("ping", at=number)
            assert (await good.next())["at"] == number
            assert time.process_time() - began < 1
            await anyio.sleep(0.005)
        tasks.cancel_scope.cancel()


async def _be_hostile(socket: ClientConnection) -> None:
    try:
        while True:
            await socket.send("x" * 60_000)
    except ConnectionClosed:
        pass


FRAMES = st.lists(
    st.sampled_from([*NONSENSE[:25], '{"type": "ping", "at": 1}', '{"type": "end"}'])
    | st.text(max_size=50)
    | st.binary(max_size=50),
    max_size=15,
)


async def test_one_address_opens_sockets_so_often_and_what_is_refused_uses_no_ticket(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, Setting(BrowserConfig(open_rate=Rate(0.001, 3)))) as home:
        placed = await home.place()
        for _ in range(3):
            with pytest.raises(InvalidStatus, match="401"):
                async with home.dial(placed, ticket="a-guess"):
                    pass
        with pytest.raises(InvalidStatus) as refused:
            async with home.dial(placed):
                pass
        answer = refused.value.response
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
        assert b"Wait a moment" in (answer.body or b"")
        await home.tickets.redeem(placed["ticket"], placed["call"], None)


def test_no_sequence_of_frames_breaks_the_server(tmp_path: Path) -> None:
    many = Rate(1_000, 1_000)
    setting = Setting(BrowserConfig(place_rate=many, address_rate=many, open_rate=many))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(house(tmp_path, setting)) as home,
    ):

        @settings(max_examples=100, deadline=None)
        @given(FRAMES)
        def attack(frames: list[str | bytes]) -> None:
            portal.call(_survives, home, frames)

        attack()
        portal.call(_greeted, home)


async def _survives(home: House, frames: list[str | bytes]) -> None:
    async with home.talking() as page:
        try:
            for frame in frames:
                await page.socket.send(frame)
            await page.say("end")
        except ConnectionClosed:
            pass
        code, said = await page.closed()
    assert code in (1000, 1003, 1008)
    assert said[-1]["type"] in ("ended", "refused")


async def _greeted(home: House) -> None:
    async with home.talking() as page:  # the server is as good as before
        await page.say("end")
        assert (await page.closed())[0] == 1000
