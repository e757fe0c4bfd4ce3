"""Make `types.zip` anew: the types that `infra/` uses, out of the full set.

    python -m tests.infra.bicep.trim FULL.zip

FULL.zip holds `index.json` ({"resources": {type@version: {"$ref": …}}}) and the files that it
names, as bicep-types-az has them. Only what the templates name is kept, each file cut down to what
it needs.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tests.infra.bicep.catalogue import HERE

INFRA = Path(__file__).parents[3] / "infra"
TARGET = re.compile(r"'(Microsoft\.[\w.]+/[\w/]+@[\w-]+)'")
SAME_TIME = (2026, 1, 1, 0, 0, 0)  # so that the same data make the same file


def wanted() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in INFRA.rglob("*.bicep"))
    return {found.lower() for text in texts for found in TARGET.findall(text)}


def needed(types: list[dict[str, Any]], roots: set[int]) -> set[int]:
    """The entries that these lead to."""
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += [int(n) for n in re.findall(r'"\$ref": "#/(\d+)"', json.dumps(types[index]))]
    return found


def trimmed(types: list[dict[str, Any]], roots: set[int]) -> list[dict[str, Any]]:
    """The same list with what is not needed left empty, and without descriptions."""
    keep = needed(types, roots)
    kept = [each if index in keep else {} for index, each in enumerate(types)]
    return json.loads(json.dumps(kept), object_hook=_undescribed)


def _undescribed(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in fields.items() if k != "description" or not isinstance(v, str)}


def main(full: str) -> None:
    source = ZipFile(full)
    every = json.loads(source.read("index.json"))["resources"]
    resources = {name.lower(): ref for name, ref in every.items() if name.lower() in wanted()}
    kinds = {name.split("@")[0] for name in resources}
    known: dict[str, list[str]] = {kind: [] for kind in kinds}
    for name in every:
        kind, _, version = name.lower().partition("@")
        if kind in known:
            known[kind].append(version)
    roots: dict[str, set[int]] = {}
    for reference in resources.values():
        file, _, index = reference["$ref"].rpartition("#/")
        roots.setdefault(file, set()).add(int(index))
    with ZipFile(HERE / "types.zip", "w") as out:
        _put(out, "index.json", {"resources": resources, "versions": known})
        for file, indexes in sorted(roots.items()):
            _put(out, file, trimmed(json.loads(source.read(file)), indexes))


def _put(out: ZipFile, name: str, content: object) -> None:
    entry = ZipInfo(name, SAME_TIME)
    entry.compress_type = ZIP_DEFLATED
    out.writestr(entry, json.dumps(content, sort_keys=True), compresslevel=9)


if __name__ == "__main__":
    main(sys.argv[1])
