"""Under which licence each package is that this is made of, and whether it may be.

Usage: licences.py    names those that `licences.toml` does not allow; the exit status says if any
The locks say which packages; what is installed (Python) or locked (npm) says their licences.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
NAMES: Final[Mapping[str, str]] = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "isc license (iscl)": "ISC",
    "the unlicense (unlicense)": "Unlicense",
}
"""How people write them, and what SPDX calls them."""


def python_packages() -> Iterator[str]:
    """Those of the product and its extras, with all that they need; not what developers use."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    by_name: dict[str, Mapping[str, Any]] = {each["name"]: each for each in locked}
    wanted, seen = ["switchboard"], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        package = by_name[name]
        needs = [*package.get("dependencies", ())]
        for extra in package.get("optional-dependencies", {}).values():
            needs += extra
        wanted += [need["name"] for need in needs]
        if name != "switchboard":
            yield name


def python_licence(name: str) -> str | None:
    """In SPDX's words where they can be had. `None` for what is not installed here, which is for
    another system."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    return _expression(told) or "unknown"


def _expression(told: PackageMetadata) -> str:
    if "License-Expression" in told:
        return told["License-Expression"]
    named = [
        each.rpartition(" :: ")[2]
        for each in told.get_all("Classifier", [])
        if each.startswith("License :: ") and each != "License :: OSI Approved"
    ]
    if not named and "License" in told:
        named = [told["License"].strip().splitlines()[0]]
    return " OR ".join(dict.fromkeys(NAMES.get(each.lower(), each) for each in named))


def npm_licences() -> Iterator[tuple[str, str]]:
    """Of the page's packages; tools of its build are a developer's."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    for place, package in lock["packages"].items():
        if place and not package.get("dev", False):
            yield place.rpartition("node_modules/")[2], str(package.get("license", "unknown"))


def is_allowed(licence: str, allowed: Iterable[str]) -> bool:
    """Whether one of its alternatives is, all parts of it."""
    known = {each.lower() for each in allowed}
    plain = licence.replace("(", " ").replace(")", " ")
    return any(
        all(part.strip().lower() in known for part in re.split(r"\s+AND\s+", choice))
        for choice in re.split(r"\s+OR\s+", plain)
    )


def faults() -> list[str]:
    """What may not be here, a line each."""
    rules = tomllib.loads((ROOT / "licences.toml").read_text(encoding="utf-8"))
    found = [(name, python_licence(name)) for name in sorted(python_packages())]
    exceptions: Mapping[str, str] = rules["exceptions"]
    named = {name for name, _ in found}
    wrong = [
        f"{name}: {licence}"
        for name, licence in [*found, *npm_licences()]
        if licence is not None
        and name not in exceptions
        and not is_allowed(licence, rules["allowed"])
    ]
    return wrong + [f"{name}: excepted, and not here" for name in exceptions if name not in named]


def main() -> int:
    wrong = faults()
    if wrong:
        sys.stderr.write("\n".join([*wrong, "licences.toml allows none of these.", ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
