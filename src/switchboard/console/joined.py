"""An operator's socket, joined to the link to the server that carries the call.

Frames go both ways as they are, but for one: a fresh token is shown to the server at which the
operator is, and to no other.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

import anyio
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from switchboard.access.rates import Bucket, Rate
from switchboard.access.renewal import Renewal
from switchboard.access.standing import Standing
from switchboard.console import protocol as wire
from switchboard.console.listening import GOODBYE, SIGNED_OUT, STALL_S, Close
from switchboard.console.seat import HANDED_BACK, HOSTILE
from switchboard.extensions import ABORT
from switchboard.quiet import quietly

MOST_CHARS: Final = 65_536
"""Of one frame of the operator's."""
LAST_S: Final = 5.0
"""How long the other server has to say that it has taken the call back."""
TOKENS: Final = Rate(2, 20)
LOST: Final = (1011, "the other server is lost")
ODD: Final = (1008, "text frames only")
OVER: Final = msgspec.json.encode(wire.Over()).decode()
_decoder: Final = msgspec.json.Decoder(wire.DeskMessage)


class Joined:
    """`first` is what the other server said as it let the operator in."""

    def __init__(
        self,
        socket: WebSocket,
        link: ClientConnection,
        first: str,
        standing: Standing,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._socket = socket
        self._link = link
        self._first = first
        self._clock = clock
        self._one = anyio.Lock()
        self._tokens = Bucket(TOKENS.per_second, TOKENS.burst, clock())
        self._own: list[wire.EarMessage] = []
        self._wanted = anyio.Event()
        self._renewal: Renewal | None = None
        if standing.runs_out:
            self._renewal = Renewal(
                standing,
                ask=lambda: self._tell_soon(wire.TokenWanted()),
                taken=self._token_taken,
                refused=lambda text: self._tell_soon(wire.TokenRefused(text)),
            )
        self._asked_back = False
        self._ending: Close | None = None
        self._over = False
        self.summary: str | None = None
        """What the operator says was said, if they have handed the call back."""

    @property
    def call_over(self) -> bool:
        """The other server said so."""
        return self._over or self._ending == GOODBYE

    @property
    def handed_back(self) -> bool:
        """The operator asked for it, and the other server has done it."""
        return self._asked_back and self._ending == HANDED_BACK

    async def run(self) -> None:
        """Until one side leaves. The operator's socket is accepted."""
        try:
            async with anyio.create_task_group() as tasks:

                async def up() -> None:
                    await self._pass_up()
                    tasks.cancel_scope.cancel()

                async def stand(renewal: Renewal) -> None:
                    text = await renewal.run()
                    await self._write(_frame(wire.TokenRefused(text)))
                    await self._close(SIGNED_OUT)
                    tasks.cancel_scope.cancel()

                tasks.start_soon(quietly, up)
                if self._renewal is not None:
                    tasks.start_soon(quietly, partial(stand, self._renewal))
                    tasks.start_soon(quietly, self._tell)
                await self._pass_down()
                if self._asked_back:
                    await self._last_word()
                tasks.cancel_scope.cancel()
        finally:
            self._notice_ending()

    # -- to the operator --------------------------------------------------------------------

    async def _pass_down(self) -> None:
        """A slow page makes the other server wait, which drops and then ends it."""
        frame = self._first
        try:
            while await self._write(frame):
                frame = str(await self._link.recv())
                # Noted before it is passed on: a page leaves at once when it reads this.
                self._over = self._over or frame == OVER
        except ConnectionClosed as closed:
            self._notice_ending()
            said = closed.rcvd
            await self._close(LOST if said is None else (said.code, said.reason))

    async def _write(self, frame: str) -> bool:
        """Whether the page is there, and reads."""
        try:
            with anyio.fail_after(STALL_S):
                async with self._one:
                    await self._socket.send_text(frame)
        except TimeoutError:
            abort = self._socket.scope.get("extensions", {}).get(ABORT)
            if abort is not None:
                abort["now"]()
            return False
        except (WebSocketDisconnect, RuntimeError, OSError):
            return False  # it went while we were sending
        return True

    def _tell_soon(self, message: wire.EarMessage) -> None:
        self._own.append(message)
        self._wanted.set()

    async def _tell(self) -> None:
        """What is said here, and not by the other server."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            while self._own:
                await self._write(_frame(self._own.pop(0)))

    async def _token_taken(self, until: float) -> None:
        self._tell_soon(wire.TokenTaken(until))

    # -- from the operator ------------------------------------------------------------------

    async def _pass_up(self) -> None:
        """Until they leave."""
        while (frame := await self._socket.receive())["type"] != "websocket.disconnect":
            text = frame.get("text")
            if text is None or len(text) > MOST_CHARS:
                await self._close(ODD)
                return
            message = _understood(text)
            if isinstance(message, wire.Renew):
                if not self._tokens.take(self._clock()):
                    await self._close(HOSTILE)
                    return
                if self._renewal is not None:
                    self._renewal.offer(message.token)
                continue
            if isinstance(message, wire.HandBack):
                self._asked_back = True
                self.summary = message.words
            try:
                with anyio.fail_after(STALL_S):
                    await self._link.send(text)
            except (ConnectionClosed, TimeoutError):
                await self._close(LOST)
                return
        if self._asked_back:
            await self._last_word()

    async def _last_word(self) -> None:
        """The other server closes the link once it has taken the call back."""
        with anyio.move_on_after(LAST_S):
            await self._link.wait_closed()

    def _notice_ending(self) -> None:
        if self._ending is None and self._link.close_code is not None:
            self._ending = (self._link.close_code, self._link.close_reason or "")

    async def _close(self, why: Close) -> None:
        with anyio.move_on_after(1, shield=True):
            try:
                await self._socket.close(*why)
            except (RuntimeError, OSError):
                return


def _understood(text: str) -> wire.DeskMessage | None:
    """What is not understood goes on all the same: the other server counts it as a fault."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def _frame(message: wire.EarMessage) -> str:
    return msgspec.json.encode(message).decode()
