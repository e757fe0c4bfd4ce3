"""A caller over WebRTC, by aiortc. No other module knows that library."""

import asyncio
import fractions
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Final, cast

import aioice.ice
import anyio
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from av import AudioFrame

from switchboard_local.realtime.playout import FRAME_MS, SILENCE
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.webrtc.parts import Channel, Closed, Flooded, TooLarge
from switchboard_local.realtime.webrtc.sound import Ear, Samples

logger = logging.getLogger(__name__)

NEGOTIATION_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 5.0
LATE_S: Final = 0.1
"""A frame later than this is not caught up with: the clock of the ear is set anew."""
QUIET_MS: Final = 500
"""Nothing came for so long: the caller is silent, as far as we can hear."""
MAX_WAITING_FRAMES: Final = 256
"""Messages of the data channel not yet read."""
MAX_UNSENT_BYTES: Final = 256 * 1024
"""Of the data channel; above this we wait for the caller to read."""
MAX_OVERRUN_BYTES: Final = 1024 * 1024
"""Of one message, beyond what fits the receive window."""
WATCH_S: Final = 0.5
PACKETS_BURST: Final = 200
PACKETS_PER_S: Final = 120.0
"""An honest microphone sends 50, or 100 if its frames are short."""
_SAMPLE_RATE_HZ: Final = 24_000


def stay_on_this_machine() -> None:
    """Have ICE use loopback and no other address, and notice soon when a caller is gone.

    aioice asks its module for both, for all connections of the process. By itself it leaves
    loopback out, listens on every network, and takes half a minute to miss a browser that died.
    """
    aioice.ice.get_host_addresses = _loopback
    aioice.ice.CONSENT_INTERVAL = 2
    aioice.ice.CONSENT_FAILURES = 3
    # A caller whose packets are no Opus would have a line of log for each of them.
    logging.getLogger("aiortc.rtcrtpreceiver").setLevel(logging.ERROR)


def _loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: ARG001 - aioice's own
    return ["127.0.0.1"] if use_ipv4 else []


async def answer(offer: str) -> "AiortcPeer":
    """A peer that answers `offer`. Raises `Refused`."""
    stay_on_this_machine()
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        with anyio.fail_after(NEGOTIATION_TIMEOUT_S):
            return await _negotiate(connection, offer)
    except BaseException as wrong:
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await connection.close()
        if not isinstance(wrong, Exception):
            raise
        # Its parser raises whatever comes: ValueError, IndexError, AssertionError, its own.
        logger.info("offer not negotiable", extra={"error": type(wrong).__name__})
        message = "The SDP offer cannot be answered: its audio or transport is not as browsers'."
        raise Refused("invalid_offer", message) from None


async def _negotiate(connection: RTCPeerConnection, offer: str) -> "AiortcPeer":
    mouth = _Mouth()
    transceiver = connection.addTransceiver(mouth)
    known = RTCRtpReceiver.getCapabilities("audio")
    codecs = known.codecs if known else []
    transceiver.setCodecPreferences([each for each in codecs if each.name.lower() == "opus"])
    await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    peer = AiortcPeer(connection, mouth, transceiver.receiver)
    await connection.setLocalDescription(await connection.createAnswer())
    return peer


class AiortcPeer:
    """One caller's connection."""

    def __init__(
        self, connection: RTCPeerConnection, mouth: "_Mouth", receiver: RTCRtpReceiver
    ) -> None:
        self._connection = connection
        self._mouth = mouth
        self._track: MediaStreamTrack | None = receiver.track
        self._connected = anyio.Event()
        self._gone = anyio.Event()
        self._channel: AiortcChannel | None = None
        self._opened = anyio.Event()
        _hear_at_once(receiver)
        connection.on("connectionstatechange", self._changed)
        connection.on("datachannel", self._open)

    @property
    def answer(self) -> str:
        return self._connection.localDescription.sdp

    def speak_from(self, take: Callable[[], bytes]) -> None:
        self._mouth.take = take

    async def heard(self) -> AsyncGenerator[bytes]:
        ear = Ear()
        while self._track is not None:
            frame: object = None
            with anyio.move_on_after(QUIET_MS / 1000):
                try:
                    frame = await self._track.recv()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - av's Packet
                except MediaStreamError:
                    return
            if isinstance(frame, AudioFrame):
                yield ear.hear(frame.pts or 0, cast("Samples", frame.to_ndarray()))
            else:
                yield ear.pass_quietly(QUIET_MS)

    async def channel(self) -> Channel:
        await self._opened.wait()
        assert self._channel is not None
        return self._channel

    async def connected(self) -> None:
        await self._connected.wait()

    async def gone(self) -> None:
        while not (self._gone.is_set() or self._swamped()):
            with anyio.move_on_after(WATCH_S):
                await self._gone.wait()

    async def aclose(self) -> None:
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await self._connection.close()

    def _swamped(self) -> bool:
        """Whether more of a message has come than we ever offered to take.

        aiortc tells callers how large a message may be, and gathers whatever they send.
        """
        sctp = self._connection.sctp
        room = 0 if sctp is None else sctp._advertised_rwnd  # pyright: ignore[reportPrivateUsage] - nowhere else
        if room > -MAX_OVERRUN_BYTES:
            return False
        logger.warning("realtime client floods")
        return True

    def _changed(self) -> None:
        match self._connection.connectionState:
            case "connected":
                self._connected.set()
            case "failed" | "closed":
                self._gone.set()
            case _:
                pass

    def _open(self, channel: RTCDataChannel) -> None:
        if self._channel is not None:
            channel.close()  # one is enough to speak by
            return
        self._channel = AiortcChannel(channel)
        self._opened.set()


class AiortcChannel:
    """A data channel with room for so much, each way."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        self._arrive, self._arrived = anyio.create_memory_object_stream[str | None](
            MAX_WAITING_FRAMES
        )
        self._flooded = False
        self._room = anyio.Event()
        channel.bufferedAmountLowThreshold = MAX_UNSENT_BYTES // 2
        channel.on("message", self._take)
        channel.on("bufferedamountlow", self._make_room)
        channel.on("close", self._end)

    async def frames(self) -> AsyncGenerator[str | None]:
        with self._arrived:
            async for frame in self._arrived:
                yield frame
        if self._flooded:
            raise Flooded

    async def send(self, text: str) -> None:
        while self._channel.bufferedAmount > MAX_UNSENT_BYTES:
            self._room = anyio.Event()
            await self._room.wait()
        try:
            self._channel.send(text)
        except InvalidStateError:
            raise Closed from None
        except ValueError:
            raise TooLarge from None

    def _take(self, message: str | bytes) -> None:
        try:
            self._arrive.send_nowait(message if isinstance(message, str) else None)
        except anyio.WouldBlock:
            self._flooded = True
            self._end()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # nobody reads any more

    def _make_room(self) -> None:
        self._room.set()

    def _end(self) -> None:
        self._arrive.close()
        self._room.set()


class _Mouth(MediaStreamTrack):
    """What the caller hears, paced to the ear."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.take: Callable[[], bytes] = lambda: SILENCE
        self._samples = 0
        self._due_s: float | None = None

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when their time has come."""
        if self.readyState != "live":
            raise MediaStreamError
        await self._pace()
        pcm = self.take()
        count = len(pcm) // 2
        frame = AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(pcm)
        frame.sample_rate = _SAMPLE_RATE_HZ
        frame.time_base = fractions.Fraction(1, _SAMPLE_RATE_HZ)
        frame.pts = self._samples
        self._samples += count
        return frame

    async def _pace(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._due_s is None or now_s - self._due_s > LATE_S:
            self._due_s = now_s
        await asyncio.sleep(self._due_s - now_s)
        self._due_s += FRAME_MS / 1000


class StraightIn:
    """In place of aiortc's jitter buffer: each packet is decoded as it comes, in order.

    Theirs holds four packets back, 64 ms measured, and one lost packet stops it for sixteen: 320 ms
    of silence, and a backlog that never drains. On loopback nothing arrives out of order; what is
    lost, under load, is better heard as 20 ms of silence (see `Ear`) than waited for.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: int | None = None
        self._left = float(PACKETS_BURST)
        self._counted_s = clock()

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """What is to be decoded now that `packet` came; the flag is video's."""
        number = packet.sequence_number
        old = self._last is not None and not 0 < (number - self._last) & 0xFFFF < 0x8000
        # An empty packet would tell the decoder that the stream is over, for good.
        if old or not packet.payload or not self._affords():
            return False, None
        self._last = number
        return False, JitterFrame(packet.payload, packet.timestamp)

    def _affords(self) -> bool:
        now_s = self._clock()
        refill = (now_s - self._counted_s) * PACKETS_PER_S
        self._left = min(float(PACKETS_BURST), self._left + refill)
        self._counted_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _hear_at_once(receiver: RTCRtpReceiver) -> None:
    name = "_RTCRtpReceiver__jitter_buffer"  # private: where it moved, we would rather know
    if not hasattr(receiver, name):
        raise RuntimeError("this aiortc keeps its jitter buffer elsewhere")
    setattr(receiver, name, StraightIn(asyncio.get_running_loop().time))
