"""`switchboard eval judge`: what a chat model is worth as a judge."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import anyio
import httpx

from switchboard.errors import ConfigurationError
from switchboard.evals.chat import Chat
from switchboard.evals.figures import Figure
from switchboard.evals.labelled import Measured, measure, read_labelled
from switchboard.model.credentials import TokenSource, default_credential
from switchboard.settings import Settings

AGREES: Final = 0.8
"""Less often than this, nobody should lean on it."""


def judge_command(words: Sequence[str]) -> int:
    """Measure the judge; 1 where it agrees with people too seldom. Raises `ConfigurationError`."""
    parser = argparse.ArgumentParser("switchboard eval judge")
    parser.add_argument("file", type=Path, help="labelled conversations, YAML")
    parser.add_argument("--chat-url", required=True, metavar="URL")
    parser.add_argument("--chat-model", required=True, metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args(words)
    found = anyio.run(_measured, options)
    for name, figure in (
        ("agrees with people", found.agrees),
        ("passes that it passes", found.passes_found),
        ("failures that it fails", found.failures_found),
    ):
        sys.stdout.write(f"  {name:24} {_shown(figure)}\n")
    for each in found.wrong:
        sys.stdout.write(f"  wrong: {each}\n")
    return 0 if (found.agrees.value or 0.0) >= AGREES else 1


async def _measured(options: argparse.Namespace) -> Measured:
    labelled = read_labelled(options.file)
    settings = Settings.read()
    ours = settings.azure_openai_endpoint
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient())
        tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        tokens = None
        if ours is not None and options.chat_url.startswith(f"{ours.rstrip('/')}/"):
            client_id = settings.azure_client_id
            scope = settings.azure_openai_scope
            tokens = TokenSource(lambda: default_credential(client_id), scope)
            tasks.start_soon(tokens.refresh)
        chat = Chat(http, options.chat_url, options.chat_model, tokens)
        return await measure(chat, labelled, options.seed)


def _shown(figure: Figure) -> str:
    if figure.value is None:
        raise ConfigurationError("There is nothing to judge in this file.")
    return f"{figure.value:6.1%}   {figure.low:.1%} to {figure.high:.1%}, of {figure.count}"
