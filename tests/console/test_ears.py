"""Who listens in hears both voices, nothing that is private, and holds nobody up."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from switchboard.access.principal import Kind, Principal, Role
from switchboard.console.listening import SocketEar
from switchboard.console.passes import Passes
from switchboard.errors import LinesBusy
from switchboard.exchange.ears import MOST as MOST_EARS
from switchboard.exchange.ears import Ears
from switchboard.extensions import ABORT
from switchboard.records.store import Store
from switchboard.records.tickets import TicketTable


class Notebook:
    """An ear that writes down."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def caller(self, audio: str) -> None:
        self.heard.append(f"caller {audio}")

    def agent(self, audio: str) -> None:
        self.heard.append(f"agent {audio}")

    def operator(self, audio: str) -> None:
        self.heard.append(f"operator {audio}")

    def hush(self) -> None:
        self.heard.append("hush")

    def muted(self, muted: bool) -> None:
        self.heard.append(f"muted {muted}")

    def over(self) -> None:
        self.heard.append("over")


def test_nothing_is_heard_while_keys_are_taken_privately() -> None:
    private, ear = [False], Notebook()
    ears = Ears(lambda: private[0])
    with ears.listening(ear):
        ears.caller("a")
        private[0] = True
        ears.caller("secret")
        ears.agent("secret too")
        private[0] = False
        ears.agent("b")
        ears.over()
    ears.caller("nobody listens any more")
    assert ear.heard == ["caller a", "muted True", "hush", "muted False", "agent b", "over"]


def test_who_comes_in_the_middle_of_it_is_told_that_there_is_nothing_to_hear() -> None:
    first, second = Notebook(), Notebook()
    ears = Ears(lambda: True)
    with ears.listening(first):
        ears.caller("secret")
        with ears.listening(second):
            ears.caller("secret")
    assert second.heard == ["muted True"]


def test_so_many_listen_to_one_call_and_no_more() -> None:
    ears = Ears(lambda: False)
    opened = [ears.listening(Notebook()) for _ in range(MOST_EARS)]
    for one in opened:
        one.__enter__()
    with pytest.raises(LinesBusy), ears.listening(Notebook()):
        pass
    opened[0].__exit__(None, None, None)
    with ears.listening(Notebook()):
        pass


class Stuck:
    """A socket that takes nothing and says nothing."""

    def __init__(self) -> None:
        self.aborted = anyio.Event()
        self.scope: dict[str, Any] = {"extensions": {ABORT: {"now": self.aborted.set}}}

    async def send_text(self, _: str) -> None:
        await anyio.sleep_forever()

    async def receive(self) -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError


async def test_a_listener_that_reads_nothing_is_cut_off() -> None:
    socket = Stuck()
    ear = SocketEar(socket, most_chars=1_000, stall_s=0.05)  # pyright: ignore[reportArgumentType]  (what an ear uses of one)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ear.run)
            for _ in range(100):
                ear.caller("A" * 100)
                await anyio.lowlevel.checkpoint()
            await socket.aborted.wait()


RITA = Principal("rita", "Rita", frozenset({Role.OPERATOR}), Kind.PERSON, until=99.0)
CARL = Principal("carl", "Carl", frozenset({Role.OPERATOR}), Kind.PERSON)


async def test_a_pass_is_good_once_soon_and_for_one_person_and_call(store: Store) -> None:
    now = [0.0]
    passes = Passes(TicketTable(store), "listen", life_s=30, clock=lambda: now[0])
    others = Passes(TicketTable(store), "link", life_s=30, clock=lambda: now[0])
    ticket = await passes.issue_to("call", RITA)
    assert not await others.redeem(ticket, "call", "rita")
    whose = await passes.redeem_of(ticket, "call", RITA)
    assert whose is not None
    assert whose == RITA
    assert whose.until == RITA.until
    assert await passes.redeem_of(ticket, "call", RITA) is None
    for call_id, principal in (("other", RITA), ("call", CARL)):
        ticket = await passes.issue_to("call", RITA)
        assert await passes.redeem_of(ticket, call_id, principal) is None
    ticket = await passes.issue_to("call", RITA)
    assert await passes.redeem_of(ticket, "call", None) == RITA, "a browser's socket"
    late = await passes.issue_to("call", RITA)
    now[0] = 31
    assert await passes.redeem_of(late, "call", RITA) is None
    assert await passes.redeem_of("", "call", RITA) is None
