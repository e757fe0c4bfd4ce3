"""What ticks is done when it is due, again for as long as it wants, and not once it is stopped."""

import anyio

from switchboard.ticks import Ticks


async def test_it_is_done_as_often_as_it_says() -> None:
    pauses: list[float | None] = [0.0, 0.0, None]
    done = anyio.Event()

    def act() -> float | None:
        again_s = pauses.pop(0)
        if again_s is None:
            done.set()
        return again_s

    ticks = Ticks(0.0, act)
    with anyio.fail_after(20):
        await done.wait()
    await anyio.sleep(0.01)
    assert not pauses
    ticks.stop()


async def test_stopped_it_is_done_no_more() -> None:
    times = 0

    def act() -> float:
        nonlocal times
        times += 1
        ticks.stop()
        return 0.0

    ticks = Ticks(0.0, act)
    await anyio.sleep(0.02)
    assert times == 1, "stopped by itself, it does not begin anew"
    early = Ticks(0.01, act)
    early.stop()
    await anyio.sleep(0.03)
    assert times == 1
