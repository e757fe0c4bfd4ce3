"""A caller over WebRTC, by aiortc, which only this module, `channel.py` and `jitter.py` know."""

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
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from switchboard_local.realtime.playout import FRAME_MS, SILENCE
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.webrtc.channel import AiortcChannel
from switchboard_local.realtime.webrtc.jitter import hear_at_once
from switchboard_local.realtime.webrtc.parts import Channel
from switchboard_local.realtime.webrtc.sound import Ear, Samples

logger = logging.getLogger(__name__)

NEGOTIATION_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 5.0
LATE_S: Final = 0.1
"""A frame later than this is not caught up with: the clock of the ear is set anew."""
QUIET_MS: Final = 500
"""Nothing came for so long: the caller is silent, as far as we can hear."""
MAX_OVERRUN_BYTES: Final = 1024 * 1024
"""Of one message, beyond what fits the receive window."""
WATCH_S: Final = 0.5
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
    peer = AiortcPeer()
    try:
        with anyio.fail_after(NEGOTIATION_TIMEOUT_S):
            await peer.negotiate(offer)
    except BaseException as wrong:
        await peer.aclose()
        if not isinstance(wrong, Exception):
            raise
        # Its parser raises whatever comes: ValueError, IndexError, AssertionError, its own.
        logger.info("offer not negotiable", extra={"error": type(wrong).__name__})
        message = "The SDP offer cannot be answered: its audio or transport is not as browsers'."
        raise Refused("invalid_offer", message) from None
    return peer


class AiortcPeer:
    """One caller's connection."""

    def __init__(self) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._mouth = _Mouth()
        self._audio = self._connection.addTransceiver(self._mouth)
        hear_at_once(self._audio.receiver)
        self._connected = anyio.Event()
        self._gone = anyio.Event()
        self._channel: AiortcChannel | None = None
        self._opened = anyio.Event()
        self._connection.on("connectionstatechange", self._changed)
        self._connection.on("datachannel", self._open)

    async def negotiate(self, offer: str) -> None:
        """Make the answer, in Opus. Raises what aiortc raises."""
        known = RTCRtpReceiver.getCapabilities("audio")
        codecs = known.codecs if known else []
        self._audio.setCodecPreferences([each for each in codecs if each.name.lower() == "opus"])
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())

    @property
    def answer(self) -> str:
        return self._connection.localDescription.sdp

    def speak_from(self, take: Callable[[], bytes]) -> None:
        self._mouth.take = take

    async def heard(self) -> AsyncGenerator[bytes]:
        ear = Ear()
        # There is none where a caller only listens, whatever aiortc's types say.
        track = cast("MediaStreamTrack | None", self._audio.receiver.track)
        while track is not None:
            frame: object = None
            with anyio.move_on_after(QUIET_MS / 1000):
                try:
                    frame = await track.recv()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - av's Packet
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
