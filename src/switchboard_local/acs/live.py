"""One call as it lives: its connection, its sound, its events, and the tasks that belong to it."""

import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import anyio
import httpx
from anyio.abc import TaskGroup

from switchboard_local.acs.bodies import MediaStreaming
from switchboard_local.acs.bridge import Bridge
from switchboard_local.acs.config import AcsConfig
from switchboard_local.acs.connection import Asked, Connection, Media, State
from switchboard_local.acs.events import Told
from switchboard_local.acs.flow import Flow
from switchboard_local.acs.identifiers import number_of, wire
from switchboard_local.acs.keys import Keys
from switchboard_local.acs.media import Dial, Ended, MediaStream
from switchboard_local.acs.outcomes import Outcome
from switchboard_local.acs.people import PhoneCall, Ring
from switchboard_local.acs.postman import DRAIN_S, Postman
from switchboard_local.acs.prompts import Prompt, Prompts, Speak
from switchboard_local.acs.sound import Spoken

logger = logging.getLogger(__name__)

type Job = Callable[[], Coroutine[object, object, None]]


class House(Protocol):
    """What all calls share."""

    config: AcsConfig
    client: httpx.AsyncClient
    speak: Speak | None
    flow: Flow

    def ring(self, target: str, caller: str, headers: dict[str, str]) -> Ring: ...
    def bridge(self, server_call_id: str | None = None) -> Bridge: ...
    def find(self, call_id: str) -> "LiveCall | None": ...


@dataclass(frozen=True, slots=True)
class About:
    """What `GET` answers beside the state."""

    callback_uri: str
    targets: tuple[str, ...]
    source: str | None = None
    source_number: str | None = None
    display_name: str | None = None
    answered_by: str | None = None


class LiveCall:
    """A leg of a bridge, for one application."""

    def __init__(
        self,
        house: House,
        connection: Connection,
        bridge: Bridge,
        about: About,
        postman: Postman,
        dial: Dial,
        media: MediaStreaming | None,
    ) -> None:
        self.house = house
        self.connection = connection
        self.bridge = bridge
        self.about = about
        self.postman = postman
        self.keys = Keys(connection)
        self.prompts = Prompts(self._prompt)
        self.rings: dict[str, Ring] = {}
        """Telephones that ring for this call, by invitation."""
        self.over_event = anyio.Event()
        self.media: MediaStream | None = None
        if media is not None:
            connection.media = Media.INACTIVE
            self.media = MediaStream(media, dial, house.config.queue_s, house.flow, self.id)
        self._streaming = False
        self._jobs: list[Job] = []
        self._tasks: TaskGroup | None = None

    @property
    def id(self) -> str:
        return self.connection.names.connection

    # Its life

    async def run(self) -> None:
        """From its request until the application has been told of its end."""
        async with anyio.create_task_group() as post, anyio.create_task_group() as tasks:
            post.start_soon(self.postman.run)
            self._tasks = tasks
            for job in self._jobs:
                tasks.start_soon(job)
            await self.over_event.wait()
            if self.media is not None:
                self.media.close()
                with anyio.move_on_after(self.house.config.media_timeout_s):
                    await self._media_closed()
            tasks.cancel_scope.cancel()
            self.postman.close()
            post.cancel_scope.deadline = anyio.current_time() + DRAIN_S

    def spawn(self, job: Job) -> None:
        """Run it for as long as the call lasts."""
        if self._tasks is None:
            self._jobs.append(job)
        else:
            self._tasks.start_soon(job)

    def tell(self, told: Sequence[Told]) -> None:
        """Tell the application; and see whether that was the end."""
        self.postman.put(told)
        if self.connection.state is State.DISCONNECTED and not self.over_event.is_set():
            self.over_event.set()
            self.bridge.leave(self)
            for ring in list(self.rings.values()):
                ring.stop(Outcome.CANCELED)

    def begin(self, people: Sequence[PhoneCall]) -> None:
        """The call stands, with these people in it."""
        if self.connection.state is not State.CONNECTING:
            for person in people:
                person.end()
            return
        for person in people:
            self.bridge.join(person)
        self.enter()

    def enter(self) -> None:
        """Become a leg of the bridge as it is."""
        self.bridge.enter(self)
        self.tell(self.connection.connect(list(self.bridge.people)))
        if self.media is not None and self.media.options.start_media_streaming:
            self.start_media(None)

    async def answered(self, ring: Ring, within_s: float) -> PhoneCall | Outcome:
        """Wait for somebody to answer; ring no longer than that, nor than the call lasts."""
        try:
            with anyio.move_on_after(within_s):
                await ring.over.wait()
            ring.stop(Outcome.NO_ANSWER)
        finally:
            ring.stop(Outcome.CANCELED)
        return ring.call or ring.outcome or Outcome.NO_ANSWER

    # Media

    def start_media(self, asked: Asked | None) -> None:
        """Open the socket, unless it is."""
        if self.media is not None and not self._streaming:
            self._streaming = True
            media = self.media = self.media.afresh()

            async def stream() -> None:
                await self._stream(media, asked)

            self.spawn(stream)

    def stop_media(self, asked: Asked | None) -> None:
        """Close it, unless it is."""
        if self.media is not None and self._streaming:
            self.media.asked = asked
            self.media.close()

    async def _stream(self, media: MediaStream, asked: Asked | None) -> None:
        retries: list[float] = []
        details = "subscriptionStarted"

        def opened() -> None:
            nonlocal details
            retries[:] = self.house.config.media_retries_s
            self.tell(self.connection.stream("Started", details, asked))
            details = "streamConnectionReestablished"

        try:
            while True:
                ended = await media.run(opened)
                if ended is Ended.ASKED:
                    stopped = self.connection.stream("Stopped", "subscriptionStopped", media.asked)
                    self.tell(stopped)
                    return
                if not retries:
                    break
                await anyio.sleep(retries.pop(0))
            first = details == "subscriptionStarted"
            why = "initialWebSocketConnectionFailed" if first else "streamConnectionUnsuccessful"
            self.tell(self.connection.stream("Failed", why, asked))
        finally:
            self._streaming = False

    async def _media_closed(self) -> None:
        while self._streaming:  # noqa: ASYNC110 - a moment, and bounded by the caller
            await anyio.sleep(0.01)

    # A leg of the bridge

    def speak(self, now_s: float) -> list[Spoken]:
        spoken: list[Spoken] = []
        pcm = self.media.take(now_s) if self.media is not None else None
        if pcm is not None:
            spoken.append(Spoken("", pcm))
        prompt = self.prompts.speak()
        if prompt is not None:
            spoken.append(prompt)
        return spoken

    def hear(self, spoken: list[Spoken]) -> None:
        if self.media is not None:
            self.media.hear(spoken)

    def joined(self, raw_id: str) -> None:
        self.tell(self.connection.join(raw_id))

    def left(self, raw_id: str) -> None:
        transfer = self.connection.transfer
        self.tell(self.connection.leave(raw_id))
        if transfer is not None and self.connection.transfer is None:
            self.stop_ring(TRANSFER, Outcome.CANCELED)

    def pressed(self, raw_id: str, key: str) -> None:
        if self.media is not None:
            self.media.press(key)
        self.tell(self.keys.pressed(raw_id, key))

    def over(self) -> None:
        self.tell(self.connection.disconnect())

    def stop_ring(self, invitation_id: str, outcome: Outcome) -> None:
        ring = self.rings.pop(invitation_id, None)
        if ring is not None:
            ring.stop(outcome)

    def _prompt(self, event: str, prompt: Prompt) -> None:
        self.tell([self.connection.about(prompt.asked, event, None)])

    # In words

    def wire(self) -> dict[str, object]:
        """`CallConnectionProperties`."""
        about, names = self.about, self.connection.names
        body: dict[str, object] = {
            "callConnectionId": names.connection,
            "serverCallId": names.server_call,
            "correlationId": names.correlation,
            "callConnectionState": self.connection.state,
            "callbackUri": about.callback_uri,
            "targets": [wire(raw) for raw in about.targets],
        }
        if about.source is not None:
            body["source"] = wire(about.source)
        if about.source_number is not None:
            body["sourceCallerIdNumber"] = {"value": about.source_number}
        if about.display_name is not None:
            body["sourceDisplayName"] = about.display_name
        if about.answered_by is not None and number_of(about.answered_by) is None:
            body["answeredBy"] = {"id": about.answered_by}
        if self.media is not None:
            body["mediaStreamingSubscription"] = {
                "id": self.media.id,
                "state": self.connection.media,
                "subscribedContentTypes": ["audio"],
            }
        return body


TRANSFER = "transfer"
"""The name of the ring of a transfer: there is one at a time."""


def fresh_id() -> str:
    """An id as the service's look."""
    return str(uuid4())
