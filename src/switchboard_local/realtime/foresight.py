"""The answer to a turn that may be over, begun before that is sure.

A pause is transcribed on speculation; from its words the mind can already think, and the voice make
the first clause, while the silence that would end the turn runs its course. If the turn ends there,
the answer is at hand; if the caller goes on, it is thrown away. Nothing of it is sent before.
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from switchboard_local.engine.parts import PartInfo, Voice
from switchboard_local.mind.parts import Mind, Request, Say, Thought

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Attempt:
    """One answer in the making, and what there is of it."""

    request: Request
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    thoughts: list[Thought] = field(default_factory=list[Thought])
    complete: bool = False
    failed: bool = False
    news: anyio.Event = field(default_factory=anyio.Event)

    def stir(self) -> None:
        self.news.set()
        self.news = anyio.Event()


class Foresight:
    """A mind that answers at once what it was told to prepare for. One session's own.

    Its work runs in `tasks`, and ends with them; one answer is prepared at a time.
    """

    def __init__(self, mind: Mind, voice: Voice, tasks: TaskGroup) -> None:
        self.info: PartInfo = mind.info
        self._mind = mind
        self._voice = voice
        self._tasks = tasks
        self._attempt: _Attempt | None = None

    def prepare(self, request: Request, *, aloud: bool) -> None:
        """Begin on the answer to `request`, in place of whatever was being prepared."""
        self.forget()
        self._attempt = _Attempt(request)
        self._tasks.start_soon(self._make, self._attempt, aloud)

    def forget(self) -> None:
        """The caller went on: what was prepared is of no use."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.scope.cancel()

    async def reply(self, request: Request) -> AsyncIterator[Thought]:
        """What was prepared, if it was for this very request; else what the mind says now."""
        attempt = self._attempt
        if attempt is None or attempt.request != request:
            self.forget()
            async for thought in self._mind.reply(request):
                yield thought
            return
        self._attempt = None
        told = 0
        try:
            while not (attempt.failed or (attempt.complete and told == len(attempt.thoughts))):
                if told == len(attempt.thoughts):
                    await attempt.news.wait()
                    continue
                told += 1
                yield attempt.thoughts[told - 1]
        finally:
            if not attempt.complete:
                attempt.scope.cancel()
        if attempt.failed:
            if told:
                raise RuntimeError("the mind failed in the middle of its answer")
            async for thought in self._mind.reply(request):
                yield thought

    async def _make(self, attempt: _Attempt, aloud: bool) -> None:
        with attempt.scope:
            async with anyio.create_task_group() as making:
                try:
                    async for thought in self._mind.reply(attempt.request):
                        attempt.thoughts.append(thought)
                        attempt.stir()
                        if aloud and len(attempt.thoughts) == 1 and isinstance(thought, Say):
                            making.start_soon(self._speak, thought.text)
                    attempt.complete = True
                except Exception:
                    # Asked in earnest it may answer, or fail where somebody is told of it.
                    logger.warning("an answer could not be prepared", exc_info=True)
                    attempt.failed = True
                attempt.stir()

    async def _speak(self, text: str) -> None:
        try:
            await self._voice.prepare(text)
        except Exception:
            logger.warning("a voice could not be prepared", exc_info=True)
