"""What the mind is taught with: invented businesses, their tools, and what their callers say.

`data/businesses/*.txt` holds most of them, a line each, fields apart by " | ":

    B  <who the agent is>
    T  <tool> | <description> | <name:type:description of each argument, * where required, by " ; ">
    R  <tool> | <what a caller says> | <what of it is which argument, by " ; ">
    N  <what a caller says for which no tool is right>

The JSON files are older and say less.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from switchboard_local.mind.catalogue import Role, Slot, Tool, read_tools

DATA = Path(__file__).parent / "data"
_ENUM = re.compile(r"enum\s*\((.*)\)\s*\*?$")
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}
_SHAPES = {"date": "YYYY-MM-DD", "time": "HH:MM"}


@dataclass(frozen=True)
class Asked:
    """One request."""

    text: str
    place: int
    """Of the tool that is meant; -1 for none."""
    said: dict[str, str] | None = field(default=None, hash=False)
    """Arguments as they were said, or as the choice that was meant; `None` where nobody noted."""


@dataclass(frozen=True)
class Business:
    """One set of tools, and its requests."""

    name: str
    tools: tuple[Tool, ...]
    asked: tuple[Asked, ...]


def businesses() -> dict[str, Business]:
    """All there are, by name."""
    found = dict(_older())
    for path in sorted((DATA / "businesses").glob("*.txt")):
        found[path.stem] = read_business(path.stem, path.read_text(encoding="utf-8"))
    return found


def read_business(name: str, text: str) -> Business:
    """One file. Raises `ValueError` with the line that makes no sense."""
    tools: list[dict[str, object]] = []
    asked: list[tuple[str, str, dict[str, str]]] = []
    for line in text.splitlines():
        kind, _, rest = line.strip().partition(" ")
        fields = [part.strip() for part in rest.split("|")]
        try:
            if kind == "T":
                tools.append(_tool(*fields))
            elif kind == "R":
                asked.append((fields[0], fields[1], _said(*fields[2:3])))
            elif kind == "N":
                asked.append(("", fields[0], {}))
        except (IndexError, TypeError, ValueError) as fault:
            raise ValueError(f"{name}: {line}") from fault
    read = read_tools(tools)
    places = {tool.name: at for at, tool in enumerate(read)}
    known = [(places.get(tool, -1) if tool else -1, text, said) for tool, text, said in asked
             if not tool or tool in places]  # fmt: skip
    return Business(name, read, tuple(Asked(text, place, said) for place, text, said in known))


def _tool(name: str, description: str, slots: str = "") -> dict[str, object]:
    properties: dict[str, object] = {}
    required: list[str] = []
    for written in filter(None, (part.strip() for part in slots.split(" ; "))):
        slot, kind, described = _split(written)
        if "*" in written:
            required.append(slot)
        properties[slot] = {**_schema(kind), "description": described.replace("*", "").strip()}
    return {
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def _split(written: str) -> tuple[str, str, str]:
    name, _, rest = written.partition(":")
    enum = re.match(r"\s*(enum\s*\([^)]*\))\s*\*?\s*:?(.*)$", rest)
    if enum:
        return name.strip(" *"), enum[1], enum[2]
    kind, _, described = rest.partition(":")
    return name.strip(" *"), kind.strip(" *"), described


def _schema(kind: str) -> dict[str, object]:
    enum = _ENUM.match(kind)
    if enum:
        return {"type": "string", "enum": [one.strip() for one in enum[1].split(",")]}
    if kind in _SHAPES:
        return {"type": "string", "format": kind}
    if kind == "code":
        return {"type": "string", "pattern": ".+"}
    return {"type": _TYPES.get(kind, "string")}


def _said(written: str = "") -> dict[str, str]:
    pairs = (part.partition("=") for part in written.split(" ; ") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _older() -> Iterator[tuple[str, Business]]:
    for file in ("callers", "development", "indirect"):
        one = json.loads((DATA / f"{file}.json").read_text(encoding="utf-8"))
        for key, toolset in one["toolsets"].items():
            tools = read_tools(toolset["tools"])
            places = {tool.name: at for at, tool in enumerate(tools)}
            asked = [
                Asked(r["text"], places.get(r["tool"], -1))
                for r in one["requests"]
                if r["toolset"] == key
            ]
            name = key if file == "callers" else f"{file}_{key}"
            yield name, Business(name, tools, tuple(asked))


def prose(slot: Slot) -> bool:
    """Whether the slot takes the caller's own words."""
    return slot.role in {Role.WORDS, Role.PERSON, Role.PLACE} and not slot.pattern
