"""Azure's resource types, as the compiler knows them.

`types.zip` holds those that `infra/` uses, out of Microsoft's bicep-types-az (MIT), which the npm
package @azure/mcp-linux-x64 carries; beside them the list of all versions of those types, so that a
test can ask for the newest. `python -m tests.infra.bicep.trim` makes it anew.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

REQUIRED: Final = 1
READ_ONLY: Final = 2
HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shape:
    """A type in the data: its file, and its raw entry."""

    file: str
    raw: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.raw["$type"]

    def follow(self, reference: dict[str, str]) -> "Shape":
        file, _, index = reference["$ref"].rpartition("#/")
        file = file or self.file
        return Shape(file, _file(file)[int(index)])

    def properties(self) -> dict[str, tuple["Shape", int]]:
        """Name to type and flags, of an object."""
        raw: dict[str, Any] = self.raw.get("properties", self.raw.get("baseProperties", {}))
        return {
            name: (self.follow(each["type"]), each.get("flags", 0)) for name, each in raw.items()
        }

    def choices(self) -> Iterator["Shape"]:
        """The members of a union, flattened."""
        for reference in self.raw["elements"]:
            member = self.follow(reference)
            if member.kind == "UnionType":
                yield from member.choices()
            else:
                yield member

    def member(self, name: str) -> "Shape | None":
        """What `.name` of a value of this type is. None: nobody knows. Raises `KeyError`."""
        if self.kind == "DiscriminatedObjectType" or self.kind not in ("ObjectType", "StringType"):
            return None
        properties = self.properties()
        if name in properties:
            return properties[name][0]
        if "additionalProperties" in self.raw:
            return None
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class ResourceShape:
    name: str
    """Spelt as Azure spells it, with the version."""
    body: Shape


def resource(target: str) -> ResourceShape | None:
    """Of `type@version`; None if Azure has no such type, or not in that version."""
    found = _index()["resources"].get(target.lower())
    if found is None:
        return None
    file, _, index = found["$ref"].rpartition("#/")
    raw = _file(file)[int(index)]
    return ResourceShape(raw["name"], Shape(file, raw).follow(raw["body"]))


def versions(kind: str) -> list[str]:
    """All versions of a type, oldest first."""
    return sorted(_index()["versions"].get(kind.lower(), []))


@cache
def _archive() -> ZipFile:
    return ZipFile(HERE / "types.zip")


@cache
def _file(name: str) -> list[dict[str, Any]]:
    return json.loads(_archive().read(name))


@cache
def _index() -> dict[str, Any]:
    return json.loads(_archive().read("index.json"))
