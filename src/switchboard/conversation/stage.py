"""What the parts of a conversation share: its state, and the commands of the event at hand."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    MODEL_COMMANDS,
    AddNote,
    AddToolOutput,
    ClearTimer,
    Command,
    Floor,
    LineState,
    NoteFloor,
    NoteNotice,
    Record,
    SetTimer,
)
from switchboard.conversation.earshot import Earshot
from switchboard.conversation.floor import NEXT, Cue
from switchboard.conversation.gate import Gate
from switchboard.conversation.history import History, Role
from switchboard.conversation.posted import Posted
from switchboard.conversation.replies import Replies
from switchboard.conversation.rules import Rules
from switchboard.conversation.settling import Settling
from switchboard.conversation.transcript import Transcript

MAX_WITHHELD: Final = 64


@dataclass(slots=True)
class Turn:
    """The caller's latest turn, for the latency of its answer."""

    ended_at: float | None = None
    typed: bool = False
    first_audio_ms: float | None = None
    reply_id: str | None = None


@dataclass(slots=True)
class Stage:
    rules: Rules
    began: float
    now: float
    out: list[Command] = field(default_factory=list[Command])
    """The commands of the event at hand, in order."""

    gate: Gate = field(default_factory=Gate)
    history: History = field(default_factory=History)
    replies: Replies = field(default_factory=Replies)
    transcript: Transcript = field(default_factory=Transcript)
    settling: Settling = field(default_factory=Settling)

    floor: Floor = Floor.NOBODY
    turn: Turn = field(default_factory=Turn)
    turns: int = 0
    """Turns of the caller so far, spoken or typed."""
    told_at_turn: int = -1
    """The turn after which we last told the model something that wants an answer."""
    speaking: str | None = None
    """The item that the caller is speaking now."""
    owed: bool = False
    """The service owes a reply to a spoken turn."""
    present: bool = False
    """The caller's leg is attached."""
    gone: bool = False
    """The caller is with a human, or on the way to one: whatever is said is not for them."""
    taken: bool = False
    """An operator speaks with the caller in the agent's place."""
    cut_off: bool = False
    """Something was not heard to its end because the line was lost."""
    ready: bool = False
    """The model's session is configured."""
    keys: str = field(default="", repr=False)
    """What the caller is keying, until it is told to the model."""
    private: bool = False
    """The caller has been asked for what only the keypad may know."""
    may_record: bool = False
    """The caller knows that the call is recorded, and has agreed where that is asked."""
    recorded: bool = False
    """It is being recorded now, for all we know."""
    ended: bool = False
    made: int = 0
    withheld: deque[Command] = field(default_factory=lambda: deque[Command](maxlen=MAX_WITHHELD))
    """Commands for the model while there is none, for a session that only lost sight of us."""
    posted: Posted = field(default_factory=Posted)
    """Commands for the model that it may not have read."""
    pended: set[str] = field(default_factory=set[str])
    """Tool calls that this session was told are still running."""
    earshot: Earshot = field(init=False)

    def __post_init__(self) -> None:
        self.earshot = Earshot(self.gate)

    @property
    def listening(self) -> bool:
        """The caller's leg is attached, and at its end is an ear for the agent."""
        return self.listening_to_operator and not self.taken

    @property
    def listening_to_operator(self) -> bool:
        """The caller's leg is attached, and at its end is the caller's ear."""
        return self.present and not self.gone

    @property
    def at_ms(self) -> float:
        """Milliseconds since the call began."""
        return (self.now - self.began) * 1000

    def emit(self, *commands: Command) -> None:
        for command in commands:
            told = self._written(command)
            # Without a model nothing is told: whatever comes next is told all of the past.
            if self.ready or not isinstance(told, MODEL_COMMANDS):
                self.posted.note(told)
                self.out.append(told)
            else:
                self.withheld.append(told)

    def retell(self, *commands: Command) -> None:
        """Tell the model what the history holds already."""
        self.out += commands

    def tell_missed(self) -> None:
        """Tell a session that knows the rest what was on the lost line, and what came since.

        What it has read after all it refuses, by its id.
        """
        missed = [*self.posted.take(), *self.withheld]
        for command in missed:
            self.posted.note(command)
        self.retell(*missed)

    def _written(self, command: Command) -> Command:
        """Keep in the history what the model is told; a result may have to become a message."""
        match command:
            case AddToolOutput(call_id, output):
                self.history.answered(call_id, output)
                self.told_at_turn = self.turns
                if call_id in self.pended:
                    self.pended.discard(call_id)
                    text = wording.late_result(self.history.name_of(call_id), output)
                    return AddNote(self.new_id("result"), text)
            case AddNote(item_id, text):
                self.history.said(item_id, Role.SYSTEM).text = text
            case _:
                pass
        return command

    def cue(self, cue: Cue) -> None:
        """Move the floor; nobody's floor starts the clock of silence."""
        floor = NEXT[self.floor, cue]
        if floor is self.floor:
            return
        self.floor = floor
        self.emit(NoteFloor(floor))
        if floor is Floor.NOBODY:
            self.await_caller()
        else:
            self.emit(ClearTimer("silence"))

    def await_caller(self) -> None:
        """Start the clock of silence, if it is for the caller to say something."""
        if self.floor is Floor.NOBODY and self.ready and self.listening:
            patience_s = self.rules.silence_s * (3 if self.turn.typed else 1)
            self.emit(SetTimer("silence", self.now + patience_s))

    def record(self, *, on: bool) -> None:
        """Have the call recorded, or not for now. Until it is known that it is not, it is."""
        self.recorded = self.recorded or on
        storage = self.rules.recording.storage if self.rules.recording else None
        self.emit(Record(on, storage))

    def notice(self, code: str, text: str) -> None:
        self.emit(NoteNotice(code, text))

    def tell_operator(self, code: str, text: str) -> None:
        """What the caller need not know."""
        self.emit(NoteNotice(code, text, aside=True))

    def finish_line(self, item_id: str) -> None:
        """A line that was being written ends with the words there are."""
        draft = self.transcript.drafts.get(item_id)
        if draft is not None and draft.note().state is LineState.PARTIAL:
            self.emit(self.transcript.words(draft, "", final=True))

    def new_id(self, kind: str) -> str:
        """An id of ours for a conversation item."""
        while True:
            self.made += 1
            item_id = f"{kind}_{self.made}"
            if not self.is_taken(item_id):
                return item_id

    def is_taken(self, item_id: str) -> bool:
        """Whether an item of this id has been spoken of."""
        return item_id in self.history or item_id in self.transcript.drafts
