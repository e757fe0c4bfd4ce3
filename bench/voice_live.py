"""A stand-in Voice Live for the proxy's measurement: takes audio, and answers with some.

For every tenth `input_audio_buffer.append` (200 ms heard) it sends a delta of 200 ms that carries
the stamp of that append. Asked, it says how much it has received. It also plays the managed
identity endpoint, so that the product gets its token the way it does in Azure.

Usage: python -m bench.voice_live PORT
"""

import asyncio
import json
import sys
import time
from typing import Final, override

import uvloop

from bench.talkers import APPEND, AUDIO_AT, COUNT, DELTA_EVERY, STAMP_LETTERS, delta, read_stamp
from bench.wire import Wire, acceptance, frame, unmasked

_COUNTED: Final = len(COUNT)


class Session(Wire):
    """One session."""

    def __init__(self) -> None:
        super().__init__()
        self._received = 0
        self._disordered = 0
        self._expected = 0

    @override
    def head(self, head: bytes) -> None:
        if b"/realtime" in head.partition(b"\r\n")[0]:
            self.say(acceptance(head))
            self.go_on()
        else:
            self.say(_plain_answer())

    @override
    def heard(self, payload: bytes, key: bytes) -> None:
        if len(payload) == _COUNTED:
            self._count()
            return
        began = unmasked(payload[: AUDIO_AT + STAMP_LETTERS], key)
        if not began.startswith(APPEND):
            raise RuntimeError("That is no audio.")
        letters = began[AUDIO_AT:]
        number, _ = read_stamp(letters)
        self._received += 1
        self._disordered += number != self._expected
        self._expected = number + 1
        if self._received % DELTA_EVERY == 0:
            self.say(frame(delta(letters), masked=False))

    def _count(self) -> None:
        counts = {"received": self._received, "disordered": self._disordered}
        self.say(frame(json.dumps(counts).encode(), masked=False))


def _plain_answer() -> bytes:
    """What is not a WebSocket: the managed identity's token, and `/health`."""
    token = {
        "access_token": "standin",
        "expires_on": str(int(time.time()) + 86_400),
        "resource": "standin",
        "token_type": "Bearer",
    }
    body = json.dumps(token).encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        + f"{len(body)}\r\n\r\n".encode()
        + body
    )


async def main(port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Session, "127.0.0.1", port, backlog=2_048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])), loop_factory=uvloop.new_event_loop)
