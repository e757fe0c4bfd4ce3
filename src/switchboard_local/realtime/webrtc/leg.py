"""The WebRTC leg of a realtime session: media and a data channel, and no socket to close."""

import logging
from contextlib import aclosing
from typing import Final

import anyio

from switchboard_local.realtime.client import Client
from switchboard_local.realtime.dialects import Ga
from switchboard_local.realtime.farewell import GONE
from switchboard_local.realtime.live import SEND_TIMEOUT_S, Live
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.webrtc.parts import Channel, Closed, Flooded, Peer, TooLarge

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 15.0
"""From the answer to the first connection; a page that has gone by then is not waited for."""

PASSED: Final = frozenset(
    {
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.added",
        "conversation.item.created",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
    }
)
"""What the page is told with `webrtcfilter=on`: no instructions, tools, results or errors."""


async def hold(live: Live, peer: Peer, *, filtered: bool) -> None:
    """Until the caller leaves, the session expires or is hung up, or a limit is passed."""
    peer.speak_from(live.play)
    live.begin()
    live.tasks.start_soon(_listen, live, peer)
    live.tasks.start_soon(_converse, live, peer, filtered)
    live.tasks.start_soon(_await_caller, live, peer)
    await peer.gone()
    live.close(GONE)


async def _await_caller(live: Live, peer: Peer) -> None:
    with anyio.move_on_after(CONNECT_TIMEOUT_S):
        await peer.connected()
        return
    logger.info("caller never connected")
    live.close(GONE)


async def _listen(live: Live, peer: Peer) -> None:
    await peer.connected()
    async with aclosing(peer.heard()) as heard:
        async for pcm in heard:
            live.do(live.session.hear(pcm))


async def _converse(live: Live, peer: Peer, filtered: bool) -> None:
    """The data channel, from its opening to its end; the call may outlive it."""
    channel = await peer.channel()
    client = Client(live, live.close, Ga(), PASSED if filtered else None)
    client.tell(live.session.introduction())
    live.followers.append(client)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_write, live, client, channel)
        try:
            async with aclosing(channel.frames()) as frames:
                async for frame in frames:
                    await client.take(frame)
        except Flooded:
            client.too_fast()
        tasks.cancel_scope.cancel()
    live.followers.remove(client)


async def _write(live: Live, client: Client, channel: Channel) -> None:
    try:
        while True:
            event = await client.outbox.take()
            await live.flow.passed()
            try:
                with anyio.fail_after(SEND_TIMEOUT_S):
                    await channel.send(event.decode())
            except TooLarge:
                message = "An event was too large for the data channel; a sideband can have it."
                live.do(live.session.refuse(Refused("event_too_large", message), None))
    except TimeoutError:
        client.too_slow()
    except Closed:
        return
