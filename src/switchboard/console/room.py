"""The operators' room: what may be asked in it, wired together."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from switchboard.access.origins import Origins
from switchboard.access.rates import Places
from switchboard.access.standing import Verify, nobody_verifies
from switchboard.console import protocol as wire
from switchboard.console.calldesk import CallDesk
from switchboard.console.doing import Doing
from switchboard.console.evals import EvalShelf
from switchboard.console.feed import Streams
from switchboard.console.gate import Gate, GateRates
from switchboard.console.logbook import Logbook
from switchboard.console.looking import Looking
from switchboard.console.looking_back import LookingBack
from switchboard.console.neighbours import Neighbours
from switchboard.console.reach import Reach
from switchboard.console.register import Register
from switchboard.console.sitting import Sitting
from switchboard.records.evalruns import EvalRunTable
from switchboard.records.store import Store


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """What the room is told about itself."""

    most_streams: int = 100
    most_ears: int = 16
    """People who listen in, in all."""
    most_desks: int = 16
    """Calls that operators have taken over, in all."""
    rates: GateRates = field(default=GateRates())


class ConsoleRoom:
    """Serves operators; every answer is for the role `operator` only.

    `agents` is asked anew each time: agents change while we run. `after`: of which agents calls are
    read once they are over. `sound_of` a call is where its recording lies, if that is here;
    `verify` knows people by their tokens.
    """

    def __init__(
        self,
        register: Register,
        desk: CallDesk,
        store: Store,
        origins: Origins,
        *,
        agents: Callable[[], list[wire.AgentName]],
        title_of: Callable[[str], str],
        version: str,
        neighbours: Neighbours,
        sheet_of: Callable[[str], wire.AgentSheet | None] = lambda _: None,
        sound_of: Callable[[str], Path | None] = lambda _: None,
        after: Callable[[], Collection[str]] = tuple,
        config: ConsoleConfig | None = None,
        verify: Verify = nobody_verifies,
    ) -> None:
        config = config or ConsoleConfig()
        gate = Gate(origins, config.rates)
        reach = Reach(register, desk, neighbours.far)
        logbook = Logbook(store, register)
        self.streams = Streams(config.most_streams)
        self.evals = EvalShelf(EvalRunTable(store), gate.admit)
        self.looking_back = LookingBack(
            gate, reach, logbook, store, title_of=title_of, sound_of=sound_of, after=after
        )
        self.looking = Looking(
            gate,
            reach,
            neighbours.elsewhere,
            self.streams,
            self.looking_back,
            agents=agents,
            sheet_of=sheet_of,
            version=version,
        )
        self.doing = Doing(gate, reach, logbook, neighbours)
        self.sitting = Sitting(
            gate,
            reach,
            logbook,
            neighbours,
            ears=Places(config.most_ears),
            desks=Places(config.most_desks),
            verify=verify,
        )
