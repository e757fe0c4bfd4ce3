"""`switchboard eval`: the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio
import httpx
import msgspec

from switchboard.errors import ConfigurationError
from switchboard.evals import terminal
from switchboard.evals.byphone import by_phone
from switchboard.evals.bysocket import Site, by_socket
from switchboard.evals.callers import SimulatedCaller, caller_of
from switchboard.evals.chat import Chat, FreeCaller
from switchboard.evals.cloud import Carrier, local_cloud
from switchboard.evals.judging import judge_command
from switchboard.evals.junit import junit
from switchboard.evals.options import parser
from switchboard.evals.page import page
from switchboard.evals.reading import Read, read_all
from switchboard.evals.record import scenario_of
from switchboard.evals.results import Run, compared, read_run
from switchboard.evals.running import MOST_AT_ONCE, Finished, Hold, Plan, run
from switchboard.evals.scenario import Scenario, schema_text
from switchboard.evals.servers import Servers, servers
from switchboard.evals.speech import TIMEOUT_S, Speech
from switchboard.evals.stage import Stage, opened
from switchboard.evals.storing import stored
from switchboard.evals.talking import Held, Talk, by_text, by_voice
from switchboard.keeping import kept
from switchboard.settings import Settings

PASSED: Final = 0
FAILED: Final = 1
MOST_FAILURES: Final = 20
"""Those whose audio a page holds."""
ENDPOINTS: Final = ("AZURE_OPENAI_ENDPOINT", "AZURE_VOICELIVE_ENDPOINT")


def eval_command(arguments: Sequence[str]) -> int:
    """Run the command; its exit status. Raises `ConfigurationError`."""
    words = list(arguments)
    if words[:1] == ["compare"]:
        return _compare(words[1:])
    if words[:1] == ["record"]:
        return _record(words[1:])
    if words[:1] == ["judge"]:
        return judge_command(words[1:])
    options = parser().parse_args(words)
    if options.schema:
        sys.stdout.write(schema_text())
        return PASSED
    plan = _plan(options)
    found, failures = anyio.run(_hold_all, plan, options)
    try:
        _write(options, found, failures)
    finally:
        terminal.summary(found, print)
    share = found.figures.success.value or 0.0
    return PASSED if share >= options.least_success else FAILED


def _plan(options: argparse.Namespace) -> Plan:
    if not 1 <= options.repeat <= 1_000 or not 1 <= options.at_once <= MOST_AT_ONCE:
        raise ConfigurationError(f"--repeat is 1 to 1000, and --at-once 1 to {MOST_AT_ONCE}.")
    found = [each for each in read_all(options.paths) if _chosen(each, options)]
    if not found:
        raise ConfigurationError("No scenario is left: mend --only, --tag or --by.")
    if (options.server or options.token_file) and options.by != "socket":
        raise ConfigurationError("--server and --token-file are for --by socket.")
    return Plan(found, options.by, options.repeat, options.seed, options.at_once)


def _chosen(read: Read, options: argparse.Namespace) -> bool:
    scenario = read.scenario
    if scenario.caller.free and options.chat_url is None:
        return False
    by_id = not options.only or read.id in options.only
    by_tag = not options.tag or bool(set(options.tag) & set(scenario.tags))
    can_be = options.by != "text" or not scenario.voice_only
    can_be = can_be and (options.by != "phone" or scenario.model is None)
    return (
        by_id and by_tag and can_be and (not scenario.caller.free or options.chat_url is not None)
    )


async def _hold_all(plan: Plan, options: argparse.Namespace) -> tuple[Run, list[Finished]]:
    failures: list[Finished] = []
    async with AsyncExitStack() as stack:
        carrier = await _cloud(plan, stack)
        settings = Settings.read()
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="switchboard-evals-")))
        stage = await stack.enter_async_context(opened(settings, folder, calls=plan.at_once * 2))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=TIMEOUT_S))
        chat = _chat(options, settings, stage, http)
        if plan.by_voice:
            speech = _speech(options, settings, stage, http)
            hold = await _spoken(plan, options, stack, Spoken(stage, chat, speech, folder, carrier))
        else:
            hold = _by_text(stage, chat)
        progress = terminal.Progress(len(plan.scenarios) * plan.repeat, print)

        def tell(finished: Finished) -> None:
            progress.tell(finished.result)
            if not finished.result.passed and len(failures) < MOST_FAILURES:
                failures.append(finished)

        return await run(plan, hold, tell, chat), failures


async def _cloud(plan: Plan, stack: AsyncExitStack) -> Carrier | None:
    """The local cloud, where there is no other; its carrier, where one is wanted."""
    by_phone = plan.by == "phone"
    if any(os.environ.get(name) for name in ENDPOINTS):
        if by_phone:
            raise ConfigurationError(
                f"By phone the carrier is the local cloud's, and so is the model: unset "
                f"{' and '.join(ENDPOINTS)}."
            )
        return None
    sessions = plan.at_once * 2 + 8
    cloud = local_cloud(by_voice=plan.by_voice, sessions=sessions, telephone=by_phone)
    found = await stack.enter_async_context(cloud)
    os.environ.update(found.environment)
    return found.carrier


@dataclass(frozen=True, slots=True)
class Spoken:
    """What conversations by voice need, whatever carries them."""

    stage: Stage
    chat: Chat | None
    speech: Speech
    folder: Path
    carrier: Carrier | None

    def talk(self, scenario: Scenario, seed: int, folder: Path) -> Talk:
        return Talk(self.stage, _caller(scenario, self.chat, seed), seed, folder)


async def _spoken(
    plan: Plan, options: argparse.Namespace, stack: AsyncExitStack, spoken: Spoken
) -> Hold:
    if plan.by == "voice":
        return _by_voice(spoken)
    if options.server is not None:
        return _at_a_site(spoken, Site(options.server, _token(options.token_file)))
    agents = [each.scenario.agent for each in plan.scenarios for _ in range(plan.repeat)]
    wanted = agents if spoken.carrier is not None else [None] * len(agents)
    found = servers(wanted, spoken.folder, plan.at_once, spoken.carrier)
    return _at_our_own(spoken, await stack.enter_async_context(found))


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as reason:
        raise ConfigurationError(f"{file} cannot be read: {reason}.") from reason


def _by_text(stage: Stage, chat: Chat | None) -> Hold:
    async def hold(scenario: Scenario, seed: int, folder: Path) -> Held:
        return await by_text(Talk(stage, _caller(scenario, chat, seed), seed, folder), scenario)

    return hold


def _by_voice(spoken: Spoken) -> Hold:
    async def hold(scenario: Scenario, seed: int, folder: Path) -> Held:
        return await by_voice(spoken.talk(scenario, seed, folder), scenario, spoken.speech)

    return hold


def _at_a_site(spoken: Spoken, site: Site) -> Hold:
    async def hold(scenario: Scenario, seed: int, folder: Path) -> Held:
        talk = spoken.talk(scenario, seed, folder)
        return await by_socket(talk, scenario, spoken.speech, site, None)

    return hold


def _at_our_own(spoken: Spoken, found: Servers) -> Hold:
    async def hold(scenario: Scenario, seed: int, folder: Path) -> Held:
        talk, speech, carrier = spoken.talk(scenario, seed, folder), spoken.speech, spoken.carrier
        async with found.one(None if carrier is None else scenario.agent) as own:
            if carrier is not None:
                return await by_phone(talk, scenario, speech, carrier, own)
            return await by_socket(talk, scenario, speech, Site(own.address), own)

    return hold


def _caller(scenario: Scenario, chat: Chat | None, seed: int) -> SimulatedCaller:
    if scenario.caller.free and chat is not None:
        return FreeCaller(scenario.caller, chat, seed)
    return caller_of(scenario.caller, seed)


def _speech(
    options: argparse.Namespace, settings: Settings, stage: Stage, http: httpx.AsyncClient
) -> Speech:
    endpoint, tokens = settings.azure_openai_endpoint, stage.tokens
    if endpoint is None or tokens is None:
        raise ConfigurationError("By voice, AZURE_OPENAI_ENDPOINT has to have speech, too.")
    speaks, hears = options.speech_model, options.hearing_model
    return Speech(http, endpoint, tokens, speaks=speaks, hears=hears)


def _chat(
    options: argparse.Namespace, settings: Settings, stage: Stage, http: httpx.AsyncClient
) -> Chat | None:
    """The chat model, if one is named. Our token is for the endpoint that is ours, and no other."""
    if options.chat_url is None:
        return None
    if options.chat_model is None:
        raise ConfigurationError("--chat-url needs --chat-model.")
    ours = settings.azure_openai_endpoint
    own = ours is not None and options.chat_url.startswith(f"{ours.rstrip('/')}/")
    return Chat(http, options.chat_url, options.chat_model, stage.tokens if own else None)


def _write(options: argparse.Namespace, found: Run, failures: Sequence[Finished]) -> None:
    html = b""
    if options.html or options.store:
        html = page(found, {each.key: each.held.audio for each in failures})
    try:
        if options.json:
            _put(options.json, msgspec.json.format(msgspec.json.encode(found)))
        if options.junit:
            _put(options.junit, junit(found))
        if options.html:
            _put(options.html, html)
    except OSError as reason:
        raise ConfigurationError(f"The report cannot be written: {reason}.") from reason
    if options.store:
        run_id = anyio.run(stored, Settings.read(), found, html)
        terminal.kept(run_id, print)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _compare(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("switchboard eval compare")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args(words)
    runs: list[Run] = []
    for path in (options.before, options.after):
        try:
            runs.append(read_run(path.read_bytes(), str(path)))
        except OSError as reason:
            raise ConfigurationError(f"{path} cannot be read: {reason}.") from reason
    moved = compared(*runs)
    terminal.comparison(moved, print)
    success = moved[0]
    worse = success.real and (success.after or 0) < (success.before or 0)
    return FAILED if worse else PASSED


def _record(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("switchboard eval record")
    parser.add_argument("call", help="its id")
    parser.add_argument("--out", type=Path, metavar="FILE", help="else it is printed")
    options = parser.parse_args(words)
    found = anyio.run(kept, Settings.read(), options.call)
    if found is None:
        raise ConfigurationError("There is no such call in the records.")
    text = scenario_of(found)
    if options.out is None:
        sys.stdout.write(text)
        return PASSED
    try:
        _put(options.out, text.encode())
    except OSError as reason:
        raise ConfigurationError(f"{options.out} cannot be written: {reason}.") from reason
    return PASSED
