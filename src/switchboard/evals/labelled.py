"""How good the judge itself is: a chat model, measured on conversations that people have judged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from switchboard.errors import ConfigurationError
from switchboard.evals.chat import Chat, opinion
from switchboard.evals.figures import Figure, rate


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    speaker: Literal["caller", "agent"]
    text: Annotated[str, Field(min_length=1, max_length=2_000)]


class Labelled(BaseModel):
    """A conversation, a criterion, and what people think."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    criterion: Annotated[str, Field(min_length=1, max_length=500)]
    conversation: Annotated[Sequence[Said], Field(min_length=1, max_length=100)]
    passed: bool


def read_labelled(path: Path) -> list[Labelled]:
    """Raises `ConfigurationError`."""
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        return [Labelled.model_validate(each) for each in found]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, TypeError) as reason:
        raise ConfigurationError(f"{path} holds no labelled conversations: {reason}") from None


class Measured(BaseModel):
    """How often the judge and people agree: in all, and by what people said."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    agrees: Figure
    passes_found: Figure
    failures_found: Figure
    wrong: list[str]


async def measure(chat: Chat, labelled: Sequence[Labelled], seed: int) -> Measured:
    """Ask the judge of each."""
    right: list[tuple[Labelled, bool]] = []
    wrong: list[str] = []
    for each in labelled:
        said = [(line.speaker, line.text) for line in each.conversation]
        found = await opinion(chat, said, each.criterion, seed)
        right.append((each, found.passed is each.passed))
        if found.passed is not each.passed:
            wrong.append(
                f"{each.criterion} ({'passed' if each.passed else 'failed'}): {found.reason}"
            )
    return Measured(
        agrees=_rate(right),
        passes_found=_rate([pair for pair in right if pair[0].passed]),
        failures_found=_rate([pair for pair in right if not pair[0].passed]),
        wrong=wrong,
    )


def _rate(pairs: Sequence[tuple[Labelled, bool]]) -> Figure:
    return rate(sum(right for _, right in pairs), len(pairs))
