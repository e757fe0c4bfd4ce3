"""Makes a tool ready: fills its arguments, asks for what is missing, then calls it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from switchboard_local.mind import reference, wording
from switchboard_local.mind.catalogue import Role, Slot, Tool
from switchboard_local.mind.insight import Insight
from switchboard_local.mind.parts import Call, Say, Thought
from switchboard_local.mind.schema import arguments_fit
from switchboard_local.mind.slots import fill
from switchboard_local.mind.state import State, Task
from switchboard_local.mind.turn import Filled, Turn

_PROSE = frozenset({Role.WORDS, Role.PERSON, Role.PLACE})
_MOST_TRIES = 3


@dataclass(frozen=True)
class Desk:
    """What the tools of one session are, and how to read a turn for them."""

    tools: Mapping[str, Tool]
    today: date
    likeness: Callable[[str, str], float]
    insight: Insight | None = None

    def turn(self, text: str, asked: str = "") -> Turn:
        return Turn(text, self.today, asked, self.likeness, self.insight)

    def begin(self, state: State, name: str, text: str) -> list[Thought]:
        """Starts on a tool with what the request already says."""
        tool = self.tools[name]
        task = Task(name, text)
        self._take(task, fill(tool.slots, self.turn(text)))
        self._refer(task, tool, text, state)
        state.choice = None
        state.task = task
        return self.proceed(state)

    def _take(self, task: Task, found: Mapping[str, Filled]) -> None:
        for name, filled in found.items():
            task.arguments[name] = filled.value
            task.unsure.discard(name)
            if filled.unsure:
                task.unsure.add(name)

    def _refer(self, task: Task, tool: Tool, text: str, state: State) -> None:
        """Fills what is missing from earlier results and calls."""
        for slot in tool.required:
            if slot.name in task.arguments:
                continue
            value = reference.resolve(slot, text, state.ran)
            if value is None:
                value = reference.carried(slot, text, state.ran)
            if value is not None:
                task.arguments[slot.name] = value

    def proceed(self, state: State) -> list[Thought]:
        """The next thing to do for the task: read back, ask, or call."""
        task = state.task
        assert task is not None
        tool = self.tools[task.tool]
        doubtful = next((slot for slot in tool.slots if slot.name in task.unsure), None)
        if doubtful:
            task.checking, task.asking = doubtful.name, ""
            return [Say(wording.read_back(doubtful, task.arguments[doubtful.name], self.today))]
        missing = next((slot for slot in tool.required if slot.name not in task.arguments), None)
        if missing is None:
            return self._call(state, task, tool)
        first = not task.asking
        task.asking, task.checking, task.tries = missing.name, "", 0
        return [Say(self._opening(task, first=first) + wording.question(missing))]

    def _opening(self, task: Task, *, first: bool) -> str:
        if not first:
            return ""
        return "Sure. " if self.tools[task.tool].changes else ""

    def _call(self, state: State, task: Task, tool: Tool) -> list[Thought]:
        state.last, state.task = task, None
        task.asking = task.checking = ""
        known = {
            slot.name: task.arguments[slot.name]
            for slot in tool.slots
            if slot.name in task.arguments
        }
        if not arguments_fit(known, tool):
            return [Say(f"I am sorry, I cannot {wording.phrase(tool)} with what I have.")]
        return [Call(tool.name, json.dumps(known, ensure_ascii=False))]

    def answer(self, state: State, text: str) -> bool:
        """Takes the turn as the answer to the question asked; whether it was one."""
        task = state.task
        assert task is not None
        tool = self.tools[task.tool]
        open_slots = [slot for slot in tool.slots if slot.name not in task.arguments]
        found = fill(open_slots, self.turn(text, task.asking))
        self._drop_prose(found, tool, task.asking)
        asked = tool.slot(task.asking)
        if asked and task.asking not in found:
            value = reference.resolve(asked, text, state.ran) if reference.points(text) else None
            if value is not None:
                found[task.asking] = Filled(value)
        self._take(task, found)
        return bool(found)

    def _drop_prose(self, found: dict[str, Filled], tool: Tool, asking: str) -> None:
        """An answer in plain words belongs to the question, not to some other argument."""
        for name in list(found):
            slot = tool.slot(name)
            if name != asking and slot and slot.role in _PROSE:
                del found[name]

    def ask_again(self, state: State) -> list[Thought]:
        """Asks the open question once more, or gives up kindly."""
        task = state.task
        assert task is not None
        tool = self.tools[task.tool]
        slot = tool.slot(task.asking)
        task.tries += 1
        if slot is None or task.tries >= _MOST_TRIES:
            state.task = None
            what = wording.thing(slot) if slot else "that"
            return [
                Say(f"I am sorry, I could not get the {what}."),
                Say("Is there something else I can do for you?"),
            ]
        return [Say(wording.ask_again(slot))]

    def change(
        self, state: State, arguments: dict[str, object], tool: Tool, text: str
    ) -> dict[str, Filled]:
        """The arguments a correction changes, with their new values."""
        found = {
            n: f
            for n, f in fill(tool.slots, self.turn(text)).items()
            if self._differs(n, f, arguments, tool)
        }
        return (
            found
            or self._repointed(state, arguments, tool, text)
            or self._change_one(arguments, tool.slots, text)
        )

    def _repointed(
        self, state: State, arguments: dict[str, object], tool: Tool, text: str
    ) -> dict[str, Filled]:
        """ "No, the first one": another thing of an earlier result."""
        if not reference.points(text):
            return {}
        for slot in tool.slots:
            value = reference.resolve(slot, text, state.ran) if slot.name in arguments else None
            if value is not None and value != arguments[slot.name]:
                return {slot.name: Filled(value)}
        return {}

    def _differs(self, name: str, filled: Filled, arguments: dict[str, object], tool: Tool) -> bool:
        slot = tool.slot(name)
        prose = slot is not None and slot.role in _PROSE and name not in arguments
        return arguments.get(name) != filled.value and not prose

    def _change_one(
        self, arguments: dict[str, object], slots: Sequence[Slot], text: str
    ) -> dict[str, Filled]:
        """A correction that names no argument: the first it can be the value of."""
        given = [slot for slot in slots if slot.name in arguments]
        for slot in sorted(given, key=lambda slot: slot.role in _PROSE):
            if slot.role in _PROSE and len(text.split()) > 4:
                continue
            found = fill([slot], self.turn(text, slot.name))
            if slot.name in found and found[slot.name].value != arguments[slot.name]:
                return found
        return {}
