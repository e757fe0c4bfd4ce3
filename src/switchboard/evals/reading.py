"""Reads scenarios from YAML, and says where one is wrong."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml
from pydantic import ValidationError

from switchboard.errors import ConfigurationError
from switchboard.evals.scenario import Scenario

MAX_BYTES: Final = 256 * 1024
MAX_SCENARIOS: Final = 1_000


class _Loader(yaml.SafeLoader):
    """Takes Yes, No, On and Off for the words that callers say, as YAML 1.2 does."""


_BOOLEAN: Final = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first in "tf":
    _Loader.yaml_implicit_resolvers[_first] = [
        *_Loader.yaml_implicit_resolvers.get(_first, ()),
        (_BOOLEAN, re.compile(r"^(?:true|false)$")),
    ]


@dataclass(frozen=True, slots=True)
class Read:
    """A scenario, and where it was found."""

    id: str
    """The file's name, and which of its documents: stable, and safe in file names."""
    path: Path
    scenario: Scenario


def read_all(paths: Sequence[Path]) -> list[Read]:
    """Every scenario of these files, and of the `*.yaml` right in these directories, in order.

    Raises `ConfigurationError` with every fault that there is, each with its file and line.
    """
    faults: list[str] = []
    found: list[Read] = []
    for path in _files(paths):
        try:
            found += read(path)
        except ConfigurationError as reason:
            faults.append(str(reason))
    twice = _twice(each.id for each in found)
    faults += [f"{name}: two scenarios have this id; name the files apart." for name in twice]
    if faults:
        raise ConfigurationError("\n".join(faults))
    if not found:
        raise ConfigurationError(f"There is no scenario in {', '.join(map(str, paths))}.")
    if len(found) > MAX_SCENARIOS:
        raise ConfigurationError(f"There are more than {MAX_SCENARIOS} scenarios; name fewer.")
    return found


def read(path: Path) -> list[Read]:
    """The scenarios of one file: its documents. Raises `ConfigurationError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigurationError(f"{path} is larger than {MAX_BYTES // 1024} KiB.")
        text = path.read_text("utf-8")
        composed = cast("Iterable[yaml.Node | None]", yaml.compose_all(text, _Loader))  # pyright: ignore[reportUnknownMemberType]
        nodes = [node for node in composed if node is not None]
        documents = [each for each in yaml.load_all(text, _Loader) if each is not None]
    except (OSError, UnicodeDecodeError) as reason:
        raise ConfigurationError(f"{path} cannot be read: {reason}.") from reason
    except yaml.YAMLError as reason:
        raise ConfigurationError(
            f"{_place(path, reason)}: this is no YAML: {_said(reason)}."
        ) from None
    several = len(documents) > 1
    return [
        Read(f"{path.stem}.{number}" if several else path.stem, path, _judged(path, node, document))
        for number, (node, document) in enumerate(zip(nodes, documents, strict=True), 1)
    ]


def _judged(path: Path, node: yaml.Node, document: object) -> Scenario:
    try:
        return Scenario.model_validate(document)
    except ValidationError as wrong:
        faults = [
            f"{path}:{_line(node, error['loc'])}: {_named(error['loc'])}{error['msg']}"
            for error in wrong.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("\n".join(dict.fromkeys(faults))) from None


def _named(where: Sequence[int | str]) -> str:
    # Names of types, by which pydantic tells the ways of a union apart, help nobody.
    parts = [str(part) for part in where if isinstance(part, int) or part.isidentifier()]
    parts = [part for part in parts if not part[:1].isupper() and part != "str"]
    return f"{'.'.join(parts)}: " if parts else ""


def _line(node: yaml.Node, where: Sequence[int | str]) -> int:
    """The line of the thing, or of the nearest thing around it."""
    for part in where:
        inner = _child(node, part)
        if inner is not None:
            node = inner
    return node.start_mark.line + 1


def _child(node: yaml.Node, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        inner: yaml.Node = node.value[part]
        return inner
    if isinstance(node, yaml.MappingNode):
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        for key, value in pairs:
            if isinstance(key, yaml.ScalarNode) and key.value == part:
                return value
    return None


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(
                each for each in path.glob("*.y*ml") if each.suffix in (".yaml", ".yml")
            )
        elif path.exists():
            files.append(path)
        else:
            raise ConfigurationError(f"{path}: there is no such file or directory.")
    return list(dict.fromkeys(files))


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    twice: list[str] = []
    for name in names:
        if name in seen:
            twice.append(name)
        seen.add(name)
    return twice


def _place(path: Path, reason: yaml.YAMLError) -> str:
    mark: Any = getattr(reason, "problem_mark", None)
    return str(path) if mark is None else f"{path}:{mark.line + 1}"


def _said(reason: yaml.YAMLError) -> str:
    problem: Any = getattr(reason, "problem", None)
    return str(problem or "it ends too soon").rstrip(".")
