"""Reading `session_config.json` and its prompts into a roster of agents."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from switchboard.agents.config import Choice, ModelEntry, SessionConfig, VoiceEntry
from switchboard.agents.faults import Fault, Loc, name_faults, source_faults
from switchboard.agents.lines import line_of, twin_in
from switchboard.agents.profile import AgentEntry, AgentProfile
from switchboard.conversation.rules import Price
from switchboard.errors import ConfigurationError, NotAllowed

MAX_FILE_CHARS: Final = 1_000_000
MAX_PROMPT_CHARS: Final = 60_000
_MAX_FAULTS_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Roster:
    """The agents of this server, and what callers may choose."""

    agents: Mapping[str, AgentProfile]
    """By id, in the file's order."""
    default_agent: str
    models: Sequence[ModelEntry]
    voices: Sequence[VoiceEntry]
    prices: Mapping[str, Price]
    """USD per million tokens, by the model's id; a model may be missing."""

    def pairing(
        self, agent: AgentProfile, *, model: str | None, voice: str | None
    ) -> tuple[ModelEntry, VoiceEntry]:
        """The model and the voice of a call: the caller's choice, else the agent's own.

        An agent's voice gives way where the model cannot speak in it; a caller's choice is refused.
        Raises `NotAllowed`.
        """
        own = _named(self.models, agent.model, "model")
        chosen = own if model is None else _named(self.models, model, "model")
        if chosen is not own and (chosen.agent is not None or own.agent is not None):
            # Neither would one of ours have words for the other, nor the other need them.
            raise NotAllowed(f"{agent.title} is not to be had with {chosen.title}.")
        wanted = _named(self.voices, voice or agent.voice, "voice")
        if not chosen.speaks(wanted) and voice is None and chosen.voice is not None:
            wanted = _named(self.voices, chosen.voice, "voice")
        if not chosen.speaks(wanted):
            raise NotAllowed(f"{chosen.title} does not speak in the voice {wanted.title}.")
        return chosen, wanted

    def fallbacks(self, model: ModelEntry) -> Sequence[str]:
        """The models that may take this one's place, as the service calls them."""
        return [_named(self.models, name, "model").name for name in model.fallbacks]


def _named[C: Choice](choices: Sequence[C], name: str, kind: str) -> C:
    for choice in choices:
        if choice.id == name:
            return choice
    raise NotAllowed(f"This {kind} is not on offer.")


@dataclass(frozen=True, slots=True)
class Draft:
    """The file, well-formed; whether its names mean anything is not yet known."""

    path: Path
    text: str
    config: SessionConfig

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def tool_sources(self) -> Sequence[str]:
        return self.config.tools.modules

    def files(self) -> set[Path]:
        """Every file whose edit may change an agent."""
        prompts = {self.folder / agent.prompt for agent in self.config.agents if agent.prompt}
        tools = {self.folder / each for each in self.tool_sources if each.endswith(".py")}
        return {self.path} | prompts | tools

    def check_sources(self) -> None:
        """Raises `ConfigurationError` for a tool module or file that is not there."""
        self._refuse(source_faults(self.config, self.folder))

    def roster(self, tools: Collection[str]) -> Roster:
        """The agents, their prompts read. `tools` are the names there are.

        Raises `ConfigurationError` with file, line and reason of what does not fit.
        """
        self._refuse(name_faults(self.config, tools))
        return Roster(
            agents={
                agent.id: self._profile(at, agent) for at, agent in enumerate(self.config.agents)
            },
            default_agent=self.config.default_agent or self.config.agents[0].id,
            models=self.config.models,
            voices=self.config.voices,
            prices=self.config.price_list(),
        )

    def _profile(self, at: int, agent: AgentEntry) -> AgentProfile:
        words = "" if agent.prompt is None else self._prompt(at, agent.prompt)
        # Every field of the entry has been checked already.
        return AgentProfile.model_construct(**dict(agent), instructions=words)

    def _prompt(self, at: int, name: str) -> str:
        loc = ("agents", at, "prompt")
        file = (self.folder / name).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            self._refuse([Fault(loc, "a prompt must lie beside or below this file")])
        try:
            words = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            self._refuse([Fault(loc, f"{name} cannot be read: {reason}")])
            raise
        if not words or len(words) > MAX_PROMPT_CHARS:
            size = "empty" if not words else f"longer than {MAX_PROMPT_CHARS:,} characters"
            self._refuse([Fault(loc, f"{name} is {size}")])
        return words

    def _refuse(self, faults: Sequence[Fault] | Iterator[Fault]) -> None:
        told = [
            f"{self.path.name}, line {line_of(self.text, fault.loc)}:"
            f" {_spelled(fault.loc)}{fault.reason}"
            for fault in faults
        ]
        if told:
            raise ConfigurationError("\n".join(told[:_MAX_FAULTS_TOLD]))


def read_draft(path: Path) -> Draft:
    """The file at `path`, checked on its own. Raises `ConfigurationError`: file, line, reason."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{path.name}: it cannot be read: {reason}") from error
    _well_formed(path, text)
    try:
        config = SessionConfig.model_validate_json(text, strict=True)
    except ValidationError as refusal:
        raise ConfigurationError(_told(path, text, refusal)) from None
    return Draft(path, text, config)


def _well_formed(path: Path, text: str) -> None:
    if len(text) > MAX_FILE_CHARS:
        raise ConfigurationError(f"{path.name}: it is longer than {MAX_FILE_CHARS:,} characters")
    try:
        json.loads(text)
        twin = twin_in(text)
    except json.JSONDecodeError as error:
        place = f"{path.name}, line {error.lineno}, column {error.colno}"
        raise ConfigurationError(f"{place}: {error.msg}") from None
    except RecursionError:
        raise ConfigurationError(f"{path.name}: it is nested too deeply") from None
    except ValueError:
        raise ConfigurationError(f"{path.name}: a number in it is too long") from None
    if twin:
        place, line = twin
        raise ConfigurationError(f"{path.name}, line {line}: {_spelled(place)}it is given twice")


def _told(path: Path, text: str, refusal: ValidationError) -> str:
    errors = refusal.errors(include_url=False, include_context=False)
    return "\n".join(
        f"{path.name}, line {line_of(text, error['loc'])}:"
        f" {_spelled(error['loc'])}{error['msg'].removeprefix('Value error, ')}"
        for error in errors[:_MAX_FAULTS_TOLD]
    )


def _spelled(loc: Loc) -> str:
    """ "agents[0].voice: " """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return f"{''.join(parts).lstrip('.')}: " if loc else ""
