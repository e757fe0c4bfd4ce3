"""Builds the mind: a chat model where one is given, else the offline one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import anyio.to_thread

from switchboard_local.engine.parts import PartInfo
from switchboard_local.mind.chat import ChatMind
from switchboard_local.mind.insight import Insight
from switchboard_local.mind.offline import OfflineMind
from switchboard_local.mind.parts import Mind
from switchboard_local.mind.router import Feels


def system_today() -> date:
    """The day by this machine's clock and zone."""
    return datetime.now().astimezone().date()


async def load_mind(
    *,
    llm_url: str | None = None,
    llm_model: str | None = None,
    llm_key: str | None = None,
    today: Callable[[], date] = system_today,
) -> Mind:
    """The best mind there is: any OpenAI-compatible chat endpoint at `llm_url`, else our own.

    Reading the embeddings takes about a fifth of a second, in a thread. Without their data the
    router falls back to words alone, and `info` says why.
    """
    if llm_url:
        return ChatMind(llm_url, model=llm_model, key=llm_key)
    return await anyio.to_thread.run_sync(load_offline_mind, today)


def load_offline_mind(today: Callable[[], date] = system_today) -> OfflineMind:
    """The offline mind, read on the spot."""
    try:
        # Imported here: numpy and the tokenizer are binaries that a platform may lack.
        from switchboard_local.mind.meaning import Meaning
        from switchboard_local.mind.vectors import NoEmbeddings, load_embeddings
    except ImportError as fault:
        return _by_words(f"{fault.name or 'a package'} is not installed", today)
    try:
        embeddings = load_embeddings()
    except NoEmbeddings as fault:
        return _by_words(str(fault), today)
    senses, reason = _senses()
    feels, insight = senses or (None, None)
    name = "rules and a sentence encoder" if feels else "rules and static embeddings"
    return OfflineMind(
        PartInfo("mind", name, fallback=feels is None, reason=reason),
        today,
        reads=lambda cards: Meaning(cards, embeddings),
        feels=feels,
        insight=insight,
        likeness=lambda one, other: float(embeddings.word(one) @ embeddings.word(other)),
    )


def _senses() -> tuple[tuple[Feels, Insight] | None, str]:
    """What the sentence encoder adds; or nothing, and why."""
    from switchboard_local.mind.vectors import NoEmbeddings

    try:
        from switchboard_local.mind.reader import Reader, load_lesson
        from switchboard_local.mind.senses import Senses
        from switchboard_local.mind.sentences import Sentences, load_model

        model, lesson = load_model(), load_lesson()
        plain, reader = Sentences(model), Reader(Sentences(model, lesson), lesson)
    except ImportError as fault:
        return None, f"{fault.name or 'a package'} is not installed"
    except NoEmbeddings as fault:
        return None, str(fault)
    # One thread reads new sets of tools, so that a greeting need not wait for them.
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mind")
    return (lambda cards: Senses(cards, plain, reader, worker), reader), ""


def _by_words(reason: str, today: Callable[[], date]) -> OfflineMind:
    return OfflineMind(
        PartInfo("mind", "rules and words alone", fallback=True, reason=reason), today
    )
