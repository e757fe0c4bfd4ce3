"""What the product alone adds to each frame, by the kernel's own clock.

A page's stopwatch also counts what keeps the page and the stand-in waiting for their core. A packet
socket on the loopback device sees each stamped frame (`bench.pages`) four times: on its way into
the product, out of it to the model, into it again, and out of it to the page. What lies between is
the product's: its waking up, its queues, its work.

Needs root on Linux, and sockets without TLS.

Usage: python -m bench.tapped PRODUCT_PORT MODEL_PORT, which says what it saw when its input ends.
"""

import asyncio
import ctypes
import select
import socket
import struct
import sys
from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from bench.pages import Second, Tally
from bench.processes import PYTHON, give_way

_INTO_PRODUCT, _TO_MODEL, _FROM_MODEL, _TO_PAGE = range(4)
_HEAD: Final = 256
"""As far into a message we look for its audio."""
_LETTERS: Final = 16
_LONGEST: Final = 1 << 20
_MOST_UNDER_WAY: Final = 100_000
_READY: Final = b"listening\n"
_END_S: Final = 60.0
_MOST_OF: Final = 0.95
"""At a second's edges the pages count those that left the product in the one before."""
# Of linux/if_packet.h, linux/socket.h and linux/filter.h.
_ETH_P_ALL: Final = 3
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_PACKET_IGNORE_OUTGOING: Final = 23
_SO_RCVBUFFORCE: Final = 33
_SO_ATTACH_FILTER: Final = 26
_SO_TIMESTAMPNS: Final = 35
_ROOM: Final = 512 << 20


class Tap:
    """What was seen, once the tap is closed."""

    def __init__(self) -> None:
        self.is_open = False
        """Whether there is one: it takes root."""
        self._at_ns: array[int] = array("q")
        self._added_ns: array[int] = array("q")

    def keep(self, pairs: bytes) -> None:
        both = array("q")
        both.frombytes(pairs)
        self._at_ns, self._added_ns = both[::2], both[1::2]

    def added_ms(self, second: Second, tallies: Sequence[Tally]) -> list[float]:
        """Of each frame that left the product in this second. Raises `RuntimeError` if the pages
        have seen more: those that are missing may be the slow ones."""
        added = [
            added / 1e6
            for at, added in zip(self._at_ns, self._added_ns, strict=True)
            if second.begin_ns <= at < second.end_ns
        ]
        received = sum(tally.received for tally in tallies)
        if len(added) < _MOST_OF * received:
            raise RuntimeError(f"The tap saw {len(added)} frames of {received}.")
        return added


@asynccontextmanager
async def tapped(product_url: str, model_url: str) -> AsyncGenerator[Tap]:
    """Watch what goes to and from both of this machine until the block ends: calls are to be opened
    within it. Raises `RuntimeError` if it missed something."""
    tap = Tap()
    if not _may_listen():
        yield tap
        return
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        "-m",
        "bench.tapped",
        *(url.rpartition(":")[2] for url in (product_url, model_url)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        tap.is_open = await process.stdout.readline() == _READY
        if not tap.is_open:
            raise RuntimeError("The tap did not open.")
        yield tap
        async with asyncio.timeout(_END_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError("The tap has missed packets.")
    tap.keep(said)


def _may_listen() -> bool:
    """Whether there is such a socket, and we may open it: a container's root may not."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except (AttributeError, PermissionError):
        return False
    return True


# -- the tap itself -----------------------------------------------------------------------------


class _Stream:
    """One direction of one connection."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.rest = b""
        self.is_upgraded = False
        self.is_ignored = False

    def messages(self, data: bytes) -> list[bytes]:
        """The heads of messages that end with `data`."""
        data, self.rest = self.rest + data, b""
        if not self.is_upgraded:
            head, empty, data = data.partition(b"\r\n\r\n")
            if not empty:
                self._keep(head)
                return []
            asked = head.startswith(b"GET ") and b"upgrade: websocket" in head.lower()
            self.is_upgraded = asked or head.startswith(b"HTTP/1.1 101")
            self.is_ignored = not self.is_upgraded
        found: list[bytes] = []
        at = 0
        while not self.is_ignored and at < len(data):
            payload, end, mask = _frame(data, at)
            if end > len(data):
                self._keep(data[at:])
                break
            found.append(_unmasked(data[payload : min(end, payload + _HEAD)], mask))
            at = end
        return found

    def _keep(self, rest: bytes) -> None:
        self.rest = rest
        self.is_ignored = len(rest) > _LONGEST


def _frame(data: bytes, at: int) -> tuple[int, int, bytes]:
    """Where the payload of the WebSocket frame at `at` begins and ends, and its mask (RFC 6455,
    5.2); an end beyond `data` if it is not whole."""
    beyond = len(data) + 1
    if at + 2 > len(data):
        return at, beyond, b""
    length, is_masked = data[at + 1] & 0x7F, data[at + 1] & 0x80
    more = {126: 2, 127: 8}.get(length, 0)
    start = at + 2 + more
    if more:
        length = int.from_bytes(data[at + 2 : start])
    mask = data[start : start + 4] if is_masked else b""
    payload = start + (4 if is_masked else 0)
    return payload, (payload + length if payload <= len(data) else beyond), mask


def _unmasked(data: bytes, mask: bytes) -> bytes:
    if not mask:
        return data
    size = len(data)
    key = int.from_bytes((mask * (size // 4 + 1))[:size])
    return (int.from_bytes(data) ^ key).to_bytes(size)


class _Watch:
    """Follows each stamp from place to place."""

    def __init__(self, product: int, model: int) -> None:
        self._product, self._model = product, model
        self._streams: dict[bytes, _Stream] = {}
        self._seen: dict[bytes, list[int]] = {}
        self.found = array("q")

    def packet(self, packet: bytes, at_ns: int) -> None:
        """Of an Ethernet frame with IPv4 and TCP in it."""
        tcp = 14 + 4 * (packet[14] & 0x0F)
        ports, flags = packet[tcp : tcp + 4], packet[tcp + 13]
        stream = self._streams.get(ports)
        if stream is None or flags & 0x02:  # SYN
            stream = self._streams[ports] = _Stream(self._place(ports))
        end = 14 + int.from_bytes(packet[16:18])
        data = packet[tcp + 4 * (packet[tcp + 12] >> 4) : end]
        if data and not stream.is_ignored:
            for message in stream.messages(data):
                self._message(stream.place, message, at_ns)

    def _place(self, ports: bytes) -> int:
        source, target = struct.unpack("!HH", ports)
        if target == self._product:
            return _INTO_PRODUCT
        if target == self._model:
            return _TO_MODEL
        return _FROM_MODEL if source == self._model else _TO_PAGE

    def _message(self, place: int, message: bytes, at_ns: int) -> None:
        before = message.find(b'"delta":"' if place == _FROM_MODEL else b'"audio":"')
        stamp = message[before + 9 : before + 9 + _LETTERS]
        if before < 0 or len(stamp) < _LETTERS:
            return
        if place == _INTO_PRODUCT:
            if len(self._seen) > _MOST_UNDER_WAY:
                self._seen.clear()
            self._seen[stamp] = [at_ns]
        elif (times := self._seen.get(stamp)) is not None and len(times) == place:
            times.append(at_ns)
            if place == _TO_PAGE:
                came, went, back, out = self._seen.pop(stamp)
                self.found.extend((out, went - came + out - back))


def _filter(product: int, model: int) -> bytes:
    """Classic BPF: TCP over IPv4 from or to either port."""
    program = [
        (0x28, 0, 0, 12),  # the protocol of the Ethernet frame
        (0x15, 0, 9, 0x0800),
        (0x30, 0, 0, 23),  # that of IPv4
        (0x15, 0, 7, 6),
        (0xB1, 0, 0, 14),  # x = the length of its header
        (0x48, 0, 0, 14),  # from
        (0x15, 4, 0, product),
        (0x15, 3, 0, model),
        (0x48, 0, 0, 16),  # to
        (0x15, 1, 0, product),
        (0x15, 0, 1, model),
        (0x06, 0, 0, 0x40000),
        (0x06, 0, 0, 0),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in program)


def _listening(product: int, model: int) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    program = ctypes.create_string_buffer(_filter(product, model))
    length = len(program.raw) // 8
    header = struct.pack("HL", length, ctypes.addressof(program))
    tap.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)
    with suppress(PermissionError):  # what is lost for want of room is counted
        tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
    tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    tap.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    tap.bind(("lo", _ETH_P_ALL))
    tap.setblocking(False)
    return tap


def main(product: int, model: int) -> int:
    """Watch until the input ends. 1, if packets were missed."""
    give_way(0)  # it has time: the kernel has stamped what it reads
    watch, buffer = _Watch(product, model), bytearray(1 << 18)
    with _listening(product, model) as tap:
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()
        is_asked = True
        while is_asked:
            ready, _, _ = select.select([tap, sys.stdin], [], [])
            is_asked = sys.stdin not in ready
            with suppress(BlockingIOError):
                while True:
                    size, notes, _, _ = tap.recvmsg_into([buffer], 64)
                    seconds, nanoseconds = struct.unpack("qq", notes[0][2])
                    watch.packet(bytes(buffer[:size]), seconds * 10**9 + nanoseconds)
        _, missed = struct.unpack("II", tap.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
    sys.stdout.buffer.write(watch.found.tobytes())
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
