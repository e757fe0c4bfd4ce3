"""One live call as the console knows it: what was noted of it, within bounds."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from switchboard.console import protocol as wire
from switchboard.console.feed import Feed
from switchboard.console.shown import LAST_LINE_CHARS, line_of, tool_of
from switchboard.conversation import commands as c

MOST_LINES: Final = 1_000
MOST_TOOLS: Final = 500
MOST_MARKS: Final = 2_000
SUMMARY_LINES: Final = 4
"""Of a call in which somebody waits for an operator."""
TROUBLE_S: Final = 60.0
TROUBLES: Final = frozenset(
    {"reply_refused", "reply_lost", "reply_failed", "model_lost", "renewing"}
)
"""Notices that mean that something is wrong with a call."""


@dataclass
class Watched:
    """Mutated by `note`; read by whoever asks how the call stands."""

    facts: wire.CallFacts
    title_of: Callable[[str], str]
    clock: Callable[[], float] = time.time
    feed: Feed = field(default_factory=Feed)
    floor: wire.FloorName = "nobody"
    lines: OrderedDict[str, wire.Line] = field(default_factory=OrderedDict[str, wire.Line])
    tools: OrderedDict[str, wire.Tool] = field(default_factory=OrderedDict[str, wire.Tool])
    answers: OrderedDict[str, wire.Answer] = field(default_factory=OrderedDict[str, wire.Answer])
    interruptions: deque[wire.Interruption] = field(
        default_factory=lambda: deque[wire.Interruption](maxlen=MOST_MARKS)
    )
    floors: deque[wire.FloorAt] = field(
        default_factory=lambda: deque[wire.FloorAt](maxlen=MOST_MARKS)
    )
    notices: deque[wire.NoticeAt] = field(default_factory=lambda: deque[wire.NoticeAt](maxlen=200))
    actions: OrderedDict[str, wire.Acted] = field(default_factory=OrderedDict[str, wire.Acted])
    usage: wire.Usage = field(default_factory=wire.Usage)
    recording: wire.Recording | None = None
    wish: wire.Wish | None = None
    taken_by: str | None = None
    _trouble: tuple[float, str] | None = None

    def note(self, note: c.Note, at: float) -> bool:
        """Take a note of `at`, epoch seconds. Whether the call's row looks different now."""
        at_ms = max(0.0, (at - self.facts.began_at) * 1_000)
        match note:
            case c.NoteLine():
                return self._line(line_of(note))
            case c.NoteTool():
                tool = tool_of(note, self.title_of(note.name))
                _keep(self.tools, tool.id, tool, MOST_TOOLS)
                self.feed.tell(f"tool {tool.id}", wire.ToolNow(tool))
            case c.NoteInterruption():
                cut = wire.Interruption(note.item_id, note.heard_ms, note.received_ms, note.at_ms)
                self.interruptions.append(cut)
                self.feed.tell(f"cut {cut.item}", wire.InterruptionNow(cut))
                return False
            case c.NoteLatency():
                self._answer(note, at_ms)
            case c.NoteUsage():
                self.usage = _added(self.usage, note)
                self.feed.tell("usage", wire.UsageNow(self.usage))
            case c.NoteFloor(floor):
                self._floor(wire.FloorAt(floor.value, at_ms))
            case c.NoteWish():
                self._wishes(note, at)
            case c.NoteNotice():
                self._notice(note, at, at_ms)
            case c.NoteRecording(state):
                kept = "carrier" if self.facts.channel == "phone" else "here"
                self.recording = wire.Recording(state.value, kept)
                self.feed.tell("recording", wire.RecordingNow(self.recording))
                return False
        return True

    def acted(self, action: wire.Acted) -> None:
        """An operator did something."""
        _keep(self.actions, action.id, action, MOST_TOOLS)
        self.feed.tell(f"acted {action.id}", wire.ActedNow(action))
        if action.kind == "take_over" and action.outcome == "taken":
            self._taken(action.by)

    def ended(self, facts: wire.CallFacts) -> None:
        self.facts = facts
        self.feed.tell("ended", wire.Ended(facts))
        self.feed.close()

    def row(self) -> wire.LiveCall:
        last = next(reversed(self.lines.values()), None)
        answer = next(reversed(self.answers.values()), None)
        asking = sum(tool.state == "asking" for tool in self.tools.values())
        return wire.LiveCall(
            call=self.facts,
            floor=self.floor,
            last_line="" if last is None else last.text[-LAST_LINE_CHARS:],
            last_speaker=None if last is None else last.speaker,
            latency_ms=None if answer is None else answer.first_audio_ms,
            cost_usd=self.usage.cost_usd,
            asking=asking,
            trouble=self._troubled(),
            wish=self.wish,
            taken_by=self.taken_by,
        )

    def detail(self, can: wire.Abilities | None) -> wire.CallDetail:
        return wire.CallDetail(
            call=self.facts,
            live=True,
            floor=self.floor,
            lines=list(self.lines.values()),
            tools=list(self.tools.values()),
            interruptions=list(self.interruptions),
            answers=list(self.answers.values()),
            floors=list(self.floors),
            notices=list(self.notices),
            actions=list(self.actions.values()),
            usage=self.usage,
            can=can,
            recording=self.recording,
            wish=self.wish,
            taken_by=self.taken_by,
        )

    def _notice(self, note: c.NoteNotice, at: float, at_ms: float) -> None:
        if note.code == "handed_back":
            self._taken(None)
        notice = wire.NoticeAt(note.code, note.text, at_ms)
        self.notices.append(notice)
        if note.code in TROUBLES:
            self._trouble = (at, note.text)
        self.feed.tell(f"notice {at_ms} {note.code}", wire.NoticeNow(notice))

    def _wishes(self, note: c.NoteWish, at: float) -> None:
        self.wish = None
        if note.state is c.WishState.RINGING:
            latest = [line for line in self.lines.values() if line.text][-SUMMARY_LINES:]
            said = [f"{line.speaker.title()}: {line.text[-LAST_LINE_CHARS:]}" for line in latest]
            self.wish = wire.Wish(note.human, note.reason, at, said)
        self.feed.tell("wish", wire.WishNow(self.wish))

    def _taken(self, by: str | None) -> None:
        self.taken_by = by
        self.feed.tell("taken", wire.TakenNow(by))

    def _line(self, line: wire.Line) -> bool:
        known = line.id in self.lines
        _keep(self.lines, line.id, line, MOST_LINES)
        self.feed.tell(f"line {line.id}", wire.LineNow(line))
        # An empty line that was not heard of before is no news to somebody who reads only the last.
        return known or bool(line.text)

    def _answer(self, note: c.NoteLatency, at_ms: float) -> None:
        heard_after = (
            0 if note.first_heard_ms is None else note.first_heard_ms - note.first_audio_ms
        )
        answer = wire.Answer(
            note.reply_id, at_ms - heard_after, note.first_audio_ms, note.first_heard_ms
        )
        _keep(self.answers, answer.reply, answer, MOST_MARKS)
        self.feed.tell(f"answer {answer.reply}", wire.AnswerNow(answer))

    def _floor(self, floor: wire.FloorAt) -> None:
        self.floor = floor.floor
        self.floors.append(floor)
        self.feed.tell(f"floor {floor.at_ms}", wire.FloorNow(floor))

    def _troubled(self) -> str | None:
        if self._trouble is None or self.clock() - self._trouble[0] > TROUBLE_S:
            return None
        return self._trouble[1]


def _keep[T](kept: OrderedDict[str, T], key: str, value: T, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)


def _added(usage: wire.Usage, note: c.NoteUsage) -> wire.Usage:
    used = note.usage
    known = note.cost_usd is not None
    cost = (usage.cost_usd or 0.0) + note.cost_usd if note.cost_usd is not None else usage.cost_usd
    return msgspec.structs.replace(
        usage,
        input_text=usage.input_text + used.input_text,
        input_audio=usage.input_audio + used.input_audio,
        cached_text=usage.cached_text + used.cached_text,
        cached_audio=usage.cached_audio + used.cached_audio,
        output_text=usage.output_text + used.output_text,
        output_audio=usage.output_audio + used.output_audio,
        cost_usd=cost,
        unpriced=usage.unpriced + (not known),
    )
