"""Child processes of a measurement: started, waited for, metered, ended."""

import asyncio
import gc
import os
import resource
import socket
import sys
import time
from collections.abc import (
    AsyncGenerator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

PYTHON: Final = sys.executable
_STOP_S: Final = 10.0


def free_port() -> int:
    """A port of loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def give_way(pid: int) -> None:
    """Let a process have only what all others of its cores leave over: it stands for machines that
    are elsewhere, and would take nothing of ours."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


@asynccontextmanager
async def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The process, with our environment plus `environment`; ended when the block ends.

    It may keep its bytecode, as an installed product does: compiling is not what is measured.
    """
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**inherited, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def answering(
    url: str, process: asyncio.subprocess.Process, log: Path, timeout_s: float = 60.0
) -> float:
    """Seconds until `url` first answers 200. Raises `RuntimeError` if it never does."""
    began = time.perf_counter()
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while time.perf_counter() - began < timeout_s and process.returncode is None:
            try:
                if (await client.get(url)).is_success:
                    return time.perf_counter() - began
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.01)
    raise RuntimeError(f"{url} never answered. The process said:\n{tail(log)}")


def tail(log: Path) -> str:
    """What a process said last."""
    return log.read_text(encoding="utf-8", errors="replace")[-2_000:]


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far, by the scheduler's own count (Linux)."""
    return sum(_of_threads(pid, "schedstat", lambda text: int(text.split()[0]))) / 1e9


def family(pid: int) -> set[int]:
    """A process and those that it began (Linux)."""
    several = {pid}
    with suppress(FileNotFoundError):
        for children in _of_threads(pid, "children", str.split):
            several |= {each for child in children for each in family(int(child))}
    return several


def family_cpu_seconds(pid: int) -> float:
    """CPU time of a process and of those that it began, also of those that have ended (Linux)."""
    return sum(cpu_seconds(each) + _of_the_ended(each) for each in family(pid))


def _of_the_ended(pid: int) -> float:
    # The sixteenth and seventeenth field of proc_pid_stat(5); the second is in parentheses.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def _of_threads[Told](pid: int, what: str, read: Callable[[str], Told]) -> Iterator[Told]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # the thread ended meanwhile
            yield read((thread / what).read_text(encoding="ascii"))


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def pin(pid: int, cores: set[int]) -> None:
    """Keep a process on some cores, where the system can and there are several."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, cores)


@contextmanager
def apart(product_pid: int, service_pid: int) -> Generator[None]:
    """The product alone on the first core; everything else of ours on the last.

    Callers and service are many machines, of which none waits for another's core: as root they go
    before whatever else is there, and our garbage is not collected. What they say would wait
    meanwhile, and then come all at once, and the product's queue be of our making.
    """
    cores = sorted(os.sched_getaffinity(0))
    pin(product_pid, {cores[0]})
    pin(service_pid, {cores[-1]})
    pin(0, {cores[-1]})
    with ExitStack() as before:
        before.callback(pin, 0, set(cores))
        if len(cores) > 1:  # else they would starve what they measure
            before.enter_context(_first((0, service_pid)))
        before.enter_context(uncollected())
        yield


@contextmanager
def _first(pids: Sequence[int]) -> Generator[None]:
    """As `go_first`, while the block runs, and where we may."""
    try:
        were = [(pid, os.sched_getscheduler(pid), os.sched_getparam(pid)) for pid in pids]
        go_first(pids)
    except (AttributeError, PermissionError):
        yield
        return
    try:
        yield
    finally:
        for pid, policy, how in were:
            with suppress(ProcessLookupError):
                os.sched_setscheduler(pid, policy, how)


@contextmanager
def uncollected() -> Generator[None]:
    """Our own pauses would be taken for theirs whom we measure."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def go_first(pids: Iterable[int]) -> None:
    """Let the main threads of processes go before all others of a shared machine (needs root).

    For short windows: nobody else gets what they take. Niceness would not do: Linux counts it
    within a session only. What they start does not.
    """
    for pid in pids:
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(pid, policy, os.sched_param(1))


def room_for_files(count: int) -> None:
    """Let this process, and those it starts, open `count` files. Raises `RuntimeError`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            raise RuntimeError(f"{count} open files are needed and {hard} allowed: ulimit -Hn.")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
