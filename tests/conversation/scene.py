"""A stage for conversations: say what happens, see what follows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from switchboard.conversation import commands as c
from switchboard.conversation import events as e
from switchboard.conversation.core import Conversation
from switchboard.conversation.gate import Passage
from switchboard.conversation.rules import Rules, ToolRule

RULES = Rules(
    tools={"get_balance": ToolRule(), "block_card": ToolRule("Block the card ending in {card}?")},
    end_tool="end_call",
)


@dataclass
class Scene:
    """A conversation and its clock. Every step returns the commands that followed."""

    rules: Rules = RULES
    now: float = 100.0
    timers: dict[str, float] = field(default_factory=dict[str, float])
    log: list[c.Command] = field(default_factory=list[c.Command])
    watch: Callable[[e.Event, list[c.Command]], None] = lambda _event, _commands: None

    def __post_init__(self) -> None:
        self.call = Conversation(self.rules, self.now)

    def do(self, *events: e.Event) -> list[c.Command]:
        out: list[c.Command] = []
        for event in events:
            commands = self.call.apply(event, self.now)
            self._set_timers(commands)
            self.watch(event, commands)
            out += commands
        self.log += out
        return out

    def _set_timers(self, commands: list[c.Command]) -> None:
        for command in commands:
            if isinstance(command, c.SetTimer):
                self.timers[command.name] = command.at
            elif isinstance(command, c.ClearTimer):
                self.timers.pop(command.name, None)

    def wait(self, seconds: float) -> list[c.Command]:
        """Let time pass; timers fire when they are due, in order."""
        until, out = self.now + seconds, list[c.Command]()
        while self.timers:
            name = min(self.timers, key=lambda name: self.timers[name])
            if self.timers[name] > until:
                break
            self.now = max(self.now, self.timers.pop(name))
            out += self.do(e.TimerFired(name))
        self.now = until
        return out

    def connect(self) -> list[c.Command]:
        return self.do(e.CallerJoined(), e.ModelReady("s1"))

    def loses_the_model(self) -> list[c.Command]:
        return self.do(e.ModelLost("1006", retryable=True))

    def renews(self, *, resumed: bool = False) -> list[c.Command]:
        """A new session is there."""
        return self.do(e.ModelReady("s2", resumed=resumed))

    def audio(self, reply: str, item: str, ms: float) -> Passage:
        """Audio of a reply arrives, as the exchange would pass it on."""
        passage = self.call.gate.admit(reply, item, ms, self.now)
        if passage is Passage.FIRST:
            self.do(e.ReplySounds(reply, item))
        return passage

    def says(
        self, reply: str, item: str, ms: float, text: str = "Hello there, friend.", tag: str = ""
    ) -> list[c.Command]:
        """A reply begins and its audio arrives; it is not done yet."""
        out = self.do(
            e.ReplyStarted(reply, tag or None),
            e.ReplyItemStarted(reply, item, e.ItemKind.MESSAGE),
            e.ReplyWords(reply, item, text, final=False),
        )
        self.audio(reply, item, ms)
        return out

    def done(self, reply: str, status: e.ReplyStatus = e.ReplyStatus.COMPLETED) -> list[c.Command]:
        return self.do(e.ReplyDone(reply, status))

    def speaks(self, item: str, words: str | None = None) -> list[c.Command]:
        """The caller says something, from the first sound to the committed turn."""
        out = self.do(e.SpeechStarted(item, 0))
        out += self.wait(0.5)
        out += self.do(e.SpeechStopped(item, 0), e.TurnCommitted(item))
        if words is not None:
            out += self.do(e.CallerWords(item, words, final=True))
        return out

    def asks_for(self, tool: str, arguments: str, call: str, reply: str) -> list[c.Command]:
        """A reply of the service's own that holds nothing but one tool call."""
        out = self.do(e.ReplyStarted(reply))
        out += self.do(e.ToolRequested(reply, f"i_{call}", call, tool, arguments))
        return out + self.done(reply)


def of[T: c.Command](commands: list[c.Command], kind: type[T]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]


def requests(commands: list[c.Command]) -> list[c.RequestReply]:
    return of(commands, c.RequestReply)
