"""A process of its own that begins to say something on many connections and stops.

`python -m tests.faults.halves PORT COUNT`: it says `open` when all are, and `gone` once the server
has ended each. Its descriptors are not the server's.
"""

import asyncio
import resource
import sys
from typing import Final

HALVES: Final = [
    b"",
    b"GET /",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
    b"POST /api/calls HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-length: 1000\r\n",
]


async def half(port: int, number: int, is_open: asyncio.Semaphore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HALVES[number % len(HALVES)])
    is_open.release()
    try:
        while await reader.read(1_000):
            pass
    except ConnectionError:
        pass
    writer.close()


async def main(port: int, count: int) -> None:
    is_open = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(half(port, number, is_open))
            await is_open.acquire()  # one after the other: a queue of them would be another test
        sys.stdout.write("open\n")
        sys.stdout.flush()
    sys.stdout.write("gone\n")


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
