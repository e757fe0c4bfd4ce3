"""Reads calls that are over, a few at a time, behind those that live."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import anyio
import anyio.to_thread

from switchboard.after.wanted import Misfit, findings_of, instructions, record_of
from switchboard.agents.after import AfterEntry
from switchboard.conversation.events import Usage
from switchboard.conversation.money import cost_usd
from switchboard.conversation.rules import Price
from switchboard.errors import ModelUnavailable
from switchboard.model.aside import Answer, Ask, Question
from switchboard.records.after import MOST_ATTEMPTS, AfterTable, Ended, Findings, Spent
from switchboard.records.history import history
from switchboard.records.redaction.kinds import FULL, Redaction
from switchboard.records.redaction.redactor import Redactor
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
LONGEST_S: Final = 60.0
"""One question to the model, and its answer."""
EVERY_S: Final = 3.0
QUESTIONS: Final = 2
"""The first, and one with what the validator had to say."""
PUT_OFF_S: Final = (30.0, 300.0, 1_800.0)
"""After each attempt that could not reach the model."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be found out about an agent's calls, and who is asked."""

    after: AfterEntry
    language: str
    redaction: Redaction
    model: str
    """Its name, for the records."""
    ask: Ask = field(repr=False)
    price: Price | None = None


class Jobs(Protocol):
    """What is wanted, as it is configured at this moment."""

    def wanted(self) -> Mapping[str, AfterEntry]:
        """By agent: what is made of its calls."""
        ...

    def job(self, ended: Ended) -> Job | None:
        """How this call is read; `None` where its agent asks for nothing any more.

        Raises `ModelUnavailable` where there is no model that could.
        """
        ...


@dataclass(slots=True)
class _Bill:
    spent: Spent

    def add(self, answer: Answer, job: Job) -> None:
        new, old = answer.usage, self.spent
        usage = Usage(
            input_text=old.usage.input_text + new.input_text + new.input_audio,
            cached_text=old.usage.cached_text + new.cached_text + new.cached_audio,
            output_text=old.usage.output_text + new.output_text + new.output_audio,
        )
        cost = None if job.price is None else (old.cost_usd or 0.0) + cost_usd(new, job.price)
        self.spent = Spent(job.model, usage, cost)


class Reading:
    """Finds ended calls in the database, and has each read once. `run` must run."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        *,
        busy: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
        longest_s: float = LONGEST_S,
        every_s: float = EVERY_S,
    ) -> None:
        """`busy`: whether the calls need everything there is. `clock` is epoch seconds."""
        self._store = store
        self._table = AfterTable(store)
        self._jobs = jobs
        self._busy = busy
        self._clock = clock
        self._longest_s = longest_s
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled. What is left undone then is found again by whoever runs next."""
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(self._read_all)

    async def _read_all(self) -> None:
        while True:
            try:
                while not self._busy() and await self.read_one():
                    pass
            except Exception as reason:  # noqa: BLE001  (a busy store; the next round will do)
                logger.warning("call not read", extra={"error": type(reason).__name__})
            await anyio.sleep(self._every_s)

    async def read_one(self) -> bool:
        """Read one call, if there is one to be read."""
        wanted = self._jobs.wanted()
        if not wanted:
            return False
        ended = await self._table.take(wanted.keys(), self._clock())
        if ended is None:
            return False
        await self._read(ended)
        return True

    async def _read(self, ended: Ended) -> None:
        bill = _Bill(await self._table.spent(ended.call_id))
        if ended.attempts > MOST_ATTEMPTS:
            await self._fail(ended, "It was begun several times, and never finished.", bill)
            return
        try:
            job = self._jobs.job(ended)
            if job is None:
                return  # the profile was edited meanwhile
            findings = await self._found(ended, job, bill)
        except Misfit as misfit:
            await self._fail(ended, f"The model's answer was refused twice: {misfit}", bill)
        except ModelUnavailable as why:
            await self._put_off(ended, why, bill)
        else:
            if findings is not None:
                await self._keep(ended, job, findings, bill)

    async def _found(self, ended: Ended, job: Job, bill: _Bill) -> Findings | None:
        """`None` for a call that is gone. Raises `Misfit`, `ModelUnavailable`."""
        past = await history(self._store, ended.call_id)
        if past is None:
            return None
        text = await anyio.to_thread.run_sync(record_of, past)
        complaint: str | None = None
        for last in range(QUESTIONS):
            told = instructions(job.after, job.language, complaint)
            answer = await self._asked(job, Question(told, text))
            bill.add(answer, job)
            try:
                if not answer.whole:
                    raise Misfit("it broke off before its end")
                return findings_of(job.after, answer.text)
            except Misfit as misfit:
                if last == QUESTIONS - 1:
                    raise
                complaint = str(misfit)
        return None

    async def _asked(self, job: Job, question: Question) -> Answer:
        try:
            with anyio.fail_after(self._longest_s):
                return await job.ask(question)
        except TimeoutError:
            raise ModelUnavailable(
                f"The model did not answer within {self._longest_s:g} s.", retryable=True
            ) from None

    async def _keep(self, ended: Ended, job: Job, found: Findings, bill: _Bill) -> None:
        clean = await anyio.to_thread.run_sync(redacted, found, job.redaction)
        event = _event(job.after, "after.done")
        now = self._clock()
        if await self._table.finish(ended, clean, bill.spent, now, event=event):
            logger.info("call read", extra={"call": ended.call_id, "outcome": clean.outcome})

    async def _put_off(self, ended: Ended, why: ModelUnavailable, bill: _Bill) -> None:
        if not why.retryable or ended.attempts >= MOST_ATTEMPTS:
            await self._fail(ended, str(why), bill)
            return
        wait_s = PUT_OFF_S[min(ended.attempts, len(PUT_OFF_S)) - 1]
        await self._table.put_off(ended, self._clock() + wait_s, str(why), bill.spent)
        logger.warning("call not read yet", extra={"call": ended.call_id, "reason": str(why)})

    async def _fail(self, ended: Ended, why: str, bill: _Bill) -> None:
        after = self._jobs.wanted().get(ended.agent)
        event = None if after is None else _event(after, "after.failed")
        why = await anyio.to_thread.run_sync(_clean_words, why)
        now = self._clock()
        if await self._table.finish(ended, None, bill.spent, now, why=why, event=event):
            # Not why: a validator quotes what the model wrote of the caller.
            logger.warning("call could not be read", extra={"call": ended.call_id})


def _event(after: AfterEntry, event: str) -> str | None:
    return event if after.webhook is not None and event in after.webhook.events else None


def redacted(found: Findings, rules: Redaction) -> Findings:
    """The same without what is not to be stored: a model may put together again what was said in
    pieces."""
    redactor = Redactor(rules)
    fields: Any = None if found.fields is None else _redact_all(found.fields, redactor)
    return replace(
        found,
        summary=None if found.summary is None else redactor.text(found.summary).text,
        goals=[{**goal, "reason": redactor.text(goal["reason"]).text} for goal in found.goals],
        fields=fields,
    )


def _redact_all(fields: Mapping[str, Any], redactor: Redactor) -> Any:  # noqa: ANN401  (JSON)
    return json.loads(redactor.data(json.dumps(dict(fields), ensure_ascii=False)))


def _clean_words(text: str) -> str:
    return Redactor(FULL).text(text).text
