"""The mind that needs no model: rules, slots, and a router over the session's own tools."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date

import anyio.to_thread

from switchboard_local.engine.parts import PartInfo
from switchboard_local.mind import directives, extraction, knowledge
from switchboard_local.mind.catalogue import Tool, read_tools
from switchboard_local.mind.choosing import Chooser
from switchboard_local.mind.farewell import hang_up_tool
from switchboard_local.mind.fold import Fold, text_of
from switchboard_local.mind.insight import Insight
from switchboard_local.mind.parts import Call, Request, Say, Thought
from switchboard_local.mind.policy import Policy
from switchboard_local.mind.router import Feels, Reads, Router
from switchboard_local.mind.schema import arguments_fit
from switchboard_local.mind.smalltalk import Manners
from switchboard_local.mind.tasks import Desk
from switchboard_local.mind.values import as_object, as_text, canonical, parse

_TOOLSETS_KEPT = 32

type Likeness = Callable[[str, str], float]


def no_likeness(_one: str, _other: str) -> float:
    """What two texts have in common in meaning, as far as words alone can tell."""
    return 0.0


class OfflineMind:
    """Makes replies from rules and the evidence in the session's tools and instructions."""

    def __init__(
        self,
        info: PartInfo,
        today: Callable[[], date],
        *,
        reads: Reads | None = None,
        feels: Feels | None = None,
        likeness: Likeness = no_likeness,
        insight: Insight | None = None,
    ) -> None:
        """`reads`, `feels` and `likeness` come from embeddings; without them words alone decide."""
        self.info = info
        self._feels = feels
        self._reads = reads
        self._likeness, self._insight = likeness, insight
        self._today = today
        self._routers: OrderedDict[str, Router] = OrderedDict()

    async def reply(self, request: Request) -> AsyncIterator[Thought]:
        """What to say and which tools to call, in order."""
        for thought in await anyio.to_thread.run_sync(self.think, request):
            yield thought

    def think(self, request: Request) -> list[Thought]:
        """The whole reply at once; milliseconds of work, for a thread of its own."""
        items = [as_object(item) for item in request.items]
        directive = request.response_instructions or ""
        if (schema := extraction.wanted(directive)) is not None:
            record = extraction.read_record(items, self._today())
            if record is not None:
                answer = extraction.extract(schema, record, self._likeness, self._insight)
                return [Say(answer)]
        fold = self.fold(request)
        followed = directives.follow(directive, fold.policy.manners) if directive else None
        if followed is not None:
            rest = _rest(fold, items) if directives.wants_rest(directive) else []
            return [*map(Say, followed), *(each for each in rest if isinstance(each, Say))]
        thoughts = fold.through(items)
        if not thoughts and not directive:
            # What came in while a reply was made stands before it, and is not answered by it.
            thoughts = _rest(self.fold(request), items)
        if not thoughts and not _anything_said(items):
            thoughts += [Say(sentence) for sentence in fold.policy.manners.greeting()]
        return _permitted(thoughts, request.tool_choice)

    def fold(self, request: Request) -> Fold:
        """A fold over nothing yet, with this session's tools and instructions."""
        tools = read_tools(request.tools)
        forced = _forced(request.tool_choice, tools)
        context = [request.instructions, *_system_texts(request.items)]
        today = knowledge.today_in(" ".join(context), self._today)
        desk = Desk({tool.name: tool for tool in tools}, today, self._likeness, self._insight)
        policy = Policy(
            desk=desk,
            chooser=Chooser(desk, self._router(_asked_for(tools))),
            manners=Manners(request.instructions, tools),
            facts=knowledge.facts(context),
            forced=forced,
        )
        return Fold(policy)

    def _router(self, tools: Sequence[Tool]) -> Router:
        key = canonical([(tool.name, tool.description, tool.parameters) for tool in tools])
        router = self._routers.pop(key, None) or Router(tools, self._reads, self._feels)
        self._routers[key] = router
        while len(self._routers) > _TOOLSETS_KEPT:
            self._routers.popitem(last=False)
        return router


def _rest(fold: Fold, items: Sequence[Mapping[str, object]]) -> list[Thought]:
    """What the last reply should have been, without the sentences that were said."""
    before = list(items)
    said = ""
    while before and before[-1].get("role") == "assistant":
        said = f"{text_of(before.pop())} {said}"
    thoughts = fold.through(before)
    return [each for each in thoughts if not isinstance(each, Say) or each.text not in said]


def _asked_for(tools: Sequence[Tool]) -> list[Tool]:
    """Those a caller may ask for: a call is ended at a goodbye, by nothing that sounds like it."""
    ending = hang_up_tool(tools)
    return [tool for tool in tools if ending is None or tool.name != ending[0]]


def _anything_said(items: Sequence[Mapping[str, object]]) -> bool:
    return any(item.get("role") != "system" for item in items)


def _system_texts(items: Sequence[Mapping[str, object]]) -> list[str]:
    return [text_of(as_object(item)) for item in items if as_object(item).get("role") == "system"]


def _forced(choice: object, tools: Sequence[Tool]) -> str:
    """The one tool that must be used, when the request names it or there is no other."""
    name = as_text(as_object(choice).get("name")) or as_text(
        as_object(as_object(choice).get("function")).get("name")
    )
    known = [tool.name for tool in tools]
    if name in known:
        return name
    return known[0] if choice == "required" and len(known) == 1 else ""


def _permitted(thoughts: list[Thought], choice: object) -> list[Thought]:
    """Without calls where the request forbids them."""
    if choice != "none" or not any(isinstance(thought, Call) for thought in thoughts):
        return thoughts
    kept: list[Thought] = [thought for thought in thoughts if isinstance(thought, Say)]
    return kept or [Say("I cannot look that up just now.")]


def valid(call: Call, tools: Sequence[Tool]) -> bool:
    """Whether a call's arguments are what its tool asks for."""
    tool = next((tool for tool in tools if tool.name == call.name), None)
    return tool is not None and arguments_fit(as_object(parse(call.arguments)), tool)
