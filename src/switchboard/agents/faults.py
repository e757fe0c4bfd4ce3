"""What can be wrong with a well-formed `session_config.json`: names that mean nothing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from switchboard.agents.config import ModelEntry, SessionConfig
from switchboard.agents.foundry import foundry_faults
from switchboard.agents.humans import BRING_IN, SEND_KEYS, TRANSFER
from switchboard.agents.profile import END_CALL, AgentEntry

type Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in the file, and where."""

    loc: Loc
    reason: str


def source_faults(config: SessionConfig, folder: Path) -> Iterator[Fault]:
    """Tool modules and files that are not there."""
    for at, source in enumerate(config.tools.modules):
        loc = ("tools", "modules", at)
        if source.endswith(".py"):
            if not (folder / source).is_file():
                yield Fault(loc, f"there is no file {source}")
        elif not _importable(source):
            yield Fault(loc, f"there is no module {source}; a file's name ends in .py")


def _importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def name_faults(config: SessionConfig, tools: Collection[str]) -> Iterator[Fault]:
    """Names of models, voices, tools and agents that the file does not explain."""
    models = [model.id for model in config.models]
    voices = [voice.id for voice in config.voices]
    ids = [agent.id for agent in config.agents]
    for at, agent in enumerate(config.agents):
        if ids.index(agent.id) != at:
            yield Fault(("agents", at, "id"), f"there is another agent {agent.id}")
        yield from _unknown(("agents", at, "model"), "model", agent.model, models)
        yield from _unknown(("agents", at, "voice"), "voice", agent.voice, voices)
        yield from _voice_faults(at, agent, config)
        yield from _tool_faults(at, agent, tools)
        yield from _prompt_faults(at, agent, config)
    yield from _number_faults(config)
    yield from _model_faults(config)
    for name in config.price_list():
        yield from _unknown(("prices", "models", name), "model", name, models)
    if config.default_agent:
        yield from _unknown(("default_agent",), "agent", config.default_agent, ids)


def _number_faults(config: SessionConfig) -> Iterator[Fault]:
    """Numbers that two agents would answer."""
    answers: dict[str, str] = {}
    for at, agent in enumerate(config.agents):
        for index, number in enumerate(agent.phone.numbers):
            other = answers.setdefault(number, agent.id)
            if other != agent.id:
                loc = ("agents", at, "phone", "numbers", index)
                yield Fault(loc, f"the agent {other} answers it already")


def _model_faults(config: SessionConfig) -> Iterator[Fault]:
    voices = {voice.id: voice for voice in config.voices}
    ids = [model.id for model in config.models]
    for at, model in enumerate(config.models):
        if ids.index(model.id) != at:
            yield Fault(("models", at, "id"), f"there is another model {model.id}")
        yield from _fallback_faults(at, model, config)
        loc = ("models", at, "voice")
        if model.voice is None:
            if model.service == "voice_live" and not model.native:
                yield Fault(
                    loc[:2], f"{model.id} speaks in Azure's voices: name one as its `voice`"
                )
            continue
        yield from _unknown(loc, "voice", model.voice, list(voices))
        if model.voice in voices and not model.speaks(voices[model.voice]):
            yield Fault(loc, f"{model.id} does not speak in the voice {model.voice}")


def _fallback_faults(at: int, model: ModelEntry, config: SessionConfig) -> Iterator[Fault]:
    known = {each.id: each for each in config.models}
    for index, name in enumerate(model.fallbacks):
        loc = ("models", at, "fallbacks", index)
        yield from _unknown(loc, "model", name, list(known))
        if name == model.id:
            yield Fault(loc, f"{name} cannot stand in for itself")
        elif name in known and not _stands_in(known[name], model):
            reason = f"{name} cannot stand in for {model.id}: it is reached or spoken to otherwise"
            yield Fault(loc, reason)


def _stands_in(other: ModelEntry, model: ModelEntry) -> bool:
    """Whether a session made for `model` fits the other too. A Foundry agent's fits nobody."""
    if model.agent is not None or other.agent is not None:
        return False
    alike = (other.service, other.native, other.voice_live)
    return alike == (model.service, model.native, model.voice_live)


def _voice_faults(at: int, agent: AgentEntry, config: SessionConfig) -> Iterator[Fault]:
    """Models that would leave this agent without a voice, its own model first of all."""
    voice = next((each for each in config.voices if each.id == agent.voice), None)
    model = next((each for each in config.models if each.id == agent.model), None)
    if voice is None or model is None or model.speaks(voice) or model.voice is not None:
        return
    reason = f"{model.id} does not speak in the voice {voice.id}; give the model a `voice`"
    yield Fault(("agents", at, "voice"), reason)


def _tool_faults(at: int, agent: AgentEntry, tools: Collection[str]) -> Iterator[Fault]:
    yield from _listed(("agents", at, "tools"), agent.tools, (), tools)
    yield from _listed(("agents", at, "phone", "tools"), agent.phone.tools, agent.tools, tools)


def _listed(
    where: Loc, names: Sequence[str], others: Sequence[str], tools: Collection[str]
) -> Iterator[Fault]:
    """What is wrong with a list of tools; `others` are those that it adds to."""
    for index, name in enumerate(names):
        loc = (*where, index)
        if name == END_CALL.name:
            yield Fault(loc, f"{name} is the agent's own; `can_hang_up` switches it on and off")
        elif name in (TRANSFER, BRING_IN, SEND_KEYS):
            yield Fault(loc, f"{name} is the telephone's own; `phone` switches it on and off")
        elif name in names[:index] or name in others:
            yield Fault(loc, f"{name} is listed twice")
        else:
            yield from _unknown(loc, "tool", name, tools)


def _prompt_faults(at: int, agent: AgentEntry, config: SessionConfig) -> Iterator[Fault]:
    model = next((each for each in config.models if each.id == agent.model), None)
    if model is not None and model.agent is not None:
        for field, reason in foundry_faults(agent):
            yield Fault(("agents", at, field), reason)
    elif agent.prompt is None:
        yield Fault(("agents", at), f"the agent {agent.id} needs a `prompt`")


def _unknown(loc: Loc, kind: str, name: str, known: Collection[str]) -> Iterator[Fault]:
    if name in known:
        return
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
    yield Fault(loc, f"there is no {kind} {name}; {hint}")
