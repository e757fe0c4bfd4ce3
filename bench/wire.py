"""WebSockets as cheap as Python can: for load that must cost less than what it loads.

No limits, no fragments, no compression: both ends of a measurement are ours. Frames of a client are
masked with zeros, which the receiving side has to undo all the same.
"""

import asyncio
import base64
import hashlib
import os
import struct
from collections.abc import Mapping
from typing import Final, cast, override

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
_MASKED: Final = 0x80
_FINAL: Final = 0x80
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_HEAD_END: Final = b"\r\n\r\n"


def frame(payload: bytes, *, masked: bool, opcode: int = TEXT) -> bytes:
    """One whole message as it is on the wire (RFC 6455, 5.2)."""
    bit, size = (_MASKED, len(payload)) if masked else (0, len(payload))
    if size < 126:
        head = bytes((_FINAL | opcode, bit | size))
    elif size < 65_536:
        head = struct.pack("!BBH", _FINAL | opcode, bit | 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL | opcode, bit | 127, size)
    return head + (bytes(4) if masked else b"") + payload


def unmasked(payload: bytes, key: bytes) -> bytes:
    """A few bytes as they were before they were masked. Slow: for a message's beginning."""
    return (
        bytes(byte ^ key[index % 4] for index, byte in enumerate(payload)) if any(key) else payload
    )


class Wire(asyncio.Protocol):
    """One socket. Subclasses answer `opened` and `heard`; pings are answered here."""

    masks = False
    """Whether what we send must be masked: a client's must."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_open = False
        self.transport: asyncio.Transport | None = None
        self.pings = 0
        """Answered."""
        self.closed: tuple[int, str] | None = None
        """Code and reason, once it is over; 1006 if it was lost."""
        self.gone = asyncio.Event()

    def head(self, head: bytes) -> None:
        """The other side's half of the handshake."""
        raise NotImplementedError

    def heard(self, payload: bytes, key: bytes) -> None:
        """A message, still masked with `key` if that is not empty."""
        raise NotImplementedError

    def say(self, whole_frame: bytes) -> None:
        """Write a frame made by `frame`."""
        if self.transport is not None:
            self.transport.write(whole_frame)

    def leave(self) -> None:
        """Say goodbye; `gone` follows."""
        self.say(frame(struct.pack("!H", 1000), masked=self.masks, opcode=CLOSE))

    def go_on(self) -> None:
        """The handshake is over: what follows are frames."""
        self._is_open = True

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.closed or (1006, "")
        self.gone.set()

    @override
    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._is_open:
            head, end, rest = self._rest.partition(_HEAD_END)
            if not end:
                return
            self._rest = rest
            self.head(head)
            if not self._is_open:
                return
        self._frames()

    def _frames(self) -> None:
        data, at = self._rest, 0
        while (found := _parse(data, at)) is not None:
            opcode, key, start, end = found
            self._take(opcode, key, data[start:end])
            at = end
        self._rest = data[at:]

    def _take(self, opcode: int, key: bytes, payload: bytes) -> None:
        if opcode == TEXT:
            self.heard(payload, key)
        elif opcode == PING:
            self.pings += 1
            self.say(frame(unmasked(payload, key), masked=self.masks, opcode=PONG))
        elif opcode == CLOSE:
            said = unmasked(payload, key)
            code = int.from_bytes(said[:2]) if said else 1005
            if self.closed is None:
                self.closed = (code, said[2:].decode())
                self.leave()
            if not self.masks and self.transport is not None:
                self.transport.close()


def _parse(data: bytes, at: int) -> tuple[int, bytes, int, int] | None:
    """Opcode, mask, and where the payload begins and ends; `None` while it is incomplete."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1] & 0x7F, at + 2
    if size == 126:
        size, start = int.from_bytes(data[start : start + 2]), start + 2
    elif size == 127:
        size, start = int.from_bytes(data[start : start + 8]), start + 8
    key = b""
    if data[at + 1] & _MASKED:
        key, start = data[start : start + 4], start + 4
    if len(data) < start + size:
        return None
    if not data[at] & _FINAL:
        raise RuntimeError("A message came in fragments.")
    return data[at] & 0x0F, key, start, start + size


class ClientWire(Wire):
    """The client's end."""

    masks = True

    def __init__(
        self, host: str, port: int, target: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._request = (
            f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n{more}\r\n"
        ).encode()
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.say(self._request)

    @override
    def head(self, head: bytes) -> None:
        if self.upgraded.done():  # whoever waited has given up
            return
        if b" 101 " in head.partition(b"\r\n")[0]:
            self.go_on()
            self.upgraded.set_result(None)
        else:
            self.upgraded.set_exception(RuntimeError(f"Not accepted: {head.decode()}"))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.upgraded.done():
            self.upgraded.set_exception(RuntimeError("Lost before it was accepted."))


def acceptance(head: bytes) -> bytes:
    """The server's half of the handshake (RFC 6455, 4.2.2)."""
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    key = next(v.strip() for k, _, v in lines if k.strip().lower() == b"sec-websocket-key")
    proof = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof + _HEAD_END
    )
