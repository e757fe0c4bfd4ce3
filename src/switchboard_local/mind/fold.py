"""Folds the items of a request into the state of the conversation, turn by turn."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from switchboard_local.mind.parts import Call, Say, Thought
from switchboard_local.mind.policy import Policy
from switchboard_local.mind.state import Ran, State, Task
from switchboard_local.mind.values import as_list, as_object, as_text, parse

_RUNNING = re.compile(r"still (?:running|working)\b", re.IGNORECASE)
"""An output that is none yet."""
_LATE = re.compile(r"\btool (?P<tool>\w+) has finished\b.*?\bresult: (?P<result>.+)", re.DOTALL)
"""What a client tells of a call that ran on while its session was replaced."""
_MOST_ITEMS = 400
"""Older items are left out of the fold; their calls and results go with them."""


@dataclass
class Fold:
    """Goes through a history as if it had been there, deciding at each reply as it did then."""

    policy: Policy
    state: State = field(default_factory=State)
    _heard: list[str] = field(default_factory=list[str])
    _answered: list[Ran] = field(default_factory=list[Ran])

    def through(self, items: Sequence[Mapping[str, object]]) -> list[Thought]:
        """Takes in all items; what is to be said or done now."""
        for item in items[-_MOST_ITEMS:]:
            self._take(item)
        return self._reply()

    @property
    def waiting(self) -> bool:
        """Whether something came in that has not been answered."""
        return bool(self._heard or self._answered)

    def _take(self, item: Mapping[str, object]) -> None:
        kind = item.get("type", "message")
        if kind == "message":
            self._message(item)
        elif kind == "function_call":
            self._called(item)
        elif kind == "function_call_output":
            self._output(item)

    def _message(self, item: Mapping[str, object]) -> None:
        text = text_of(item)
        if item.get("role") == "user":
            self._heard += [text] if text else []
        elif item.get("role") == "assistant":
            self._settle()
            self.state.said = text or self.state.said
        elif late := _LATE.search(text):
            self._late(late["tool"], late["result"])

    def _called(self, item: Mapping[str, object]) -> None:
        self._settle()
        name, arguments = as_text(item.get("name")), as_text(item.get("arguments")) or "{}"
        ran = Ran(as_text(item.get("call_id")), name, arguments)
        self.state.ran.append(ran)
        if self.state.task and self.state.task.tool == name:
            self.state.task = None
        self.state.last = Task(name, "", dict(ran.given))

    def _output(self, item: Mapping[str, object]) -> None:
        called, output = as_text(item.get("call_id")), as_text(item.get("output"))
        if _RUNNING.match(output):
            return  # the result will come in a message
        for ran in self.state.ran:
            if ran.call_id == called and not ran.answered:
                self._finished(ran, output)

    def _late(self, tool: str, result: str) -> None:
        for ran in reversed(self.state.ran):
            if ran.tool == tool and not ran.answered:
                self._finished(ran, result)
                return

    def _finished(self, ran: Ran, output: str) -> None:
        ran.output, ran.answered = parse(output), True
        self._answered.append(ran)

    def _settle(self) -> None:
        """A reply was made here: decide as it was decided then."""
        if self.waiting:
            self._reply()

    def _reply(self) -> list[Thought]:
        thoughts = [
            thought for ran in self._answered for thought in self.policy.answered(self.state, ran)
        ]
        self._answered.clear()
        heard = ". ".join(self._heard)
        self._heard.clear()
        if heard:
            thoughts += self.policy.heard(self.state, heard)
        elif not any(isinstance(thought, Call) for thought in thoughts):
            thoughts += self.policy.next_on_agenda(self.state)
        spoken = " ".join(thought.text for thought in thoughts if isinstance(thought, Say))
        self.state.said = spoken or self.state.said
        return thoughts


def text_of(item: Mapping[str, object]) -> str:
    """What a message says, typed or transcribed."""
    return " ".join(part for part in _parts(item) if part).strip()


def _parts(item: Mapping[str, object]) -> Iterator[str]:
    content = item.get("content")
    if isinstance(content, str):
        yield content
    for part in as_list(content):
        piece = as_object(part)
        yield as_text(piece.get("text")) or as_text(piece.get("transcript"))
