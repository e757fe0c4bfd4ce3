"""Tools in the flow of a call: when their results are spoken of, and what fills a long wait."""

from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import AddToolOutput, ClearTimer, Command, RunTool, SetTimer
from switchboard.conversation.endings import Endings
from switchboard.conversation.events import ToolAnswered, ToolRequested
from switchboard.conversation.floor import Cue
from switchboard.conversation.history import Called
from switchboard.conversation.keying import Keying
from switchboard.conversation.replies import Wanted, Why
from switchboard.conversation.stage import Stage
from switchboard.conversation.toolcalls import CONSENT, HOLD, ToolCalls

MAX_FILLERS: Final = 2
"""How often the caller is told that a tool takes its time."""
QUIET_FACTOR: Final = 4
"""After saying so, the agent waits this much longer before it says so again."""


class Tooling:
    def __init__(self, stage: Stage, endings: Endings, tools: ToolCalls, keying: Keying) -> None:
        self._stage = stage
        self._keying = keying
        self._endings = endings
        self._tools = tools
        self._fillers = 0
        self._replies_of: dict[str, str] = {}
        """The reply that made each unanswered call."""
        self._unspoken: set[str] = set()
        """Replies whose calls have outputs that the model has not spoken of."""

    def requested(self, event: ToolRequested) -> None:
        stage = self._stage
        if not self._tools.is_new(event.call_id):
            return
        stage.history.called(Called(event.item_id, event.call_id, event.name, event.arguments))
        stage.earshot.answered()
        if event.name == stage.rules.end_tool:
            self._endings.agent_hangs_up(event)
            return
        self._replies_of[event.call_id] = event.reply_id
        self._do(self._tools.request(event, stage.now, stage.at_ms))
        stage.cue(Cue.WORK_BEGINS)

    def answered(self, event: ToolAnswered) -> None:
        self._do(self._tools.answered(event))
        self._keying.answered(event.call_id)
        if not self._tools.running:
            self._stage.replies.drop(frozenset({Why.SLOW}))
        self.speak_of_results()

    def caller_said(self, item_id: str, words: str) -> None:
        """The words of a turn are known: they may be a consent."""
        self._do(self._tools.turn_words(item_id, words, self._stage.now))
        self.speak_of_results()

    def decided(self, call_id: str, agreed: bool) -> bool:
        """A button or a key decided. Whether there was such a question."""
        commands = self._tools.decide(call_id, agreed, self._stage.now)
        self._do(commands or [])
        return commands is not None

    def timer(self, name: str) -> None:
        if name == "slow":
            self._slow()
        elif name == CONSENT:
            self._do(self._tools.expire(self._stage.now))
            self.speak_of_results()
        elif name.startswith(HOLD):
            self._do(self._tools.hold_over(name.removeprefix(HOLD), self._stage.now))
            self.speak_of_results()

    def hold_nothing(self) -> None:
        """The session that holds its breath for a consent is gone: the question stands."""
        for call_id in self._tools.held():
            self._do([ClearTimer(HOLD + call_id)])
            self._do(self._tools.hold_over(call_id, self._stage.now))

    def withdraw_questions(self) -> None:
        """Whoever was asked now speaks with somebody else."""
        self._do(self._tools.withdraw())
        self.speak_of_results()

    def awaits(self, reply_id: str) -> bool:
        """Whether this reply asked for tools whose results are still to be spoken of."""
        return reply_id in self._unspoken or reply_id in self._replies_of.values()

    def speak_of_results(self) -> None:
        """Let the model speak of its tools' results, once no call of the same reply is open."""
        for reply_id in list(self._unspoken):
            if reply_id in self._stage.replies.running or self._tools.batch_open(reply_id):
                continue
            self._unspoken.discard(reply_id)
            if self._endings.leaving is None:
                self._stage.replies.want(Wanted(Why.TOOLS))

    def spoken_of(self) -> None:
        """The service made a reply that knows every output so far."""
        self._unspoken.clear()

    def _do(self, commands: list[Command]) -> None:
        stage = self._stage
        handing = [c for c in commands if isinstance(c, RunTool) and stage.rules.hands_by(c.name)]
        for command in commands:
            if command in handing:
                continue
            stage.emit(command)
            if isinstance(command, AddToolOutput):
                if reply_id := self._replies_of.pop(command.call_id, None):
                    self._unspoken.add(reply_id)
            elif isinstance(command, RunTool):
                self._fillers = 0
                stage.emit(SetTimer("slow", stage.now + stage.rules.slow_tool_s))
                if command.name == stage.rules.private_tool:
                    self._keying.began(command.call_id, self._replies_of[command.call_id])
        for asked in handing:  # no tool of a toolbox's: the conversation sees to it
            self._endings.agent_hands(asked, self._replies_of.get(asked.call_id, ""))

    def _slow(self) -> None:
        """A tool takes its time. Say so, if that breaks a silence."""
        stage = self._stage
        if not self._tools.running or self._fillers >= MAX_FILLERS:
            return
        quiet = stage.replies.free and not stage.gate.sounding and not stage.speaking
        quiet = quiet and not stage.private  # it is the caller who takes their time
        if quiet and stage.listening and not stage.owed:
            self._fillers += 1
            stage.replies.want(Wanted(Why.SLOW, wording.SLOW, allow_tools=False))
        again_s = stage.rules.slow_tool_s * (QUIET_FACTOR if quiet else 1)
        stage.emit(SetTimer("slow", stage.now + again_s))
