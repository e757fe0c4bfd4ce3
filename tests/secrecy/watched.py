"""The product's command line, with an environment that takes down what it is asked for.

Run as a program: the file to write to, then the product's own words. Reads by name are taken down.
Sweeping over all of it is not, as settings are found that way: what was swept up has to be looked
for where it would be used.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, override


class Notebook:
    """Names, each once, written as they come: a signal may end the process at any moment."""

    def __init__(self, file: Path) -> None:
        self._pages = file.open("a", encoding="utf-8", buffering=1)
        self._seen: set[str] = set()

    def add(self, name: str) -> None:
        if name not in self._seen:
            self._seen.add(name)
            self._pages.write(f"{name}\n")


class Watched(dict[str, str]):
    """`os.environ`, which takes down the names it was asked for."""

    def __init__(self, plain: Mapping[str, str], asked: Notebook) -> None:
        super().__init__(plain)
        self._asked = asked

    @override
    def __getitem__(self, key: str) -> str:
        self._asked.add(key)
        return super().__getitem__(key)

    @override
    def __contains__(self, key: object) -> bool:
        self._asked.add(str(key))
        return super().__contains__(key)

    @override
    def get(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        return super().get(key, default)


def main() -> int:
    os.environ = Watched(os.environ, Notebook(Path(sys.argv[1])))  # type: ignore[assignment]  # noqa: B003  (so that all read it)
    from switchboard.__main__ import main as product

    return product(sys.argv[2:])


if __name__ == "__main__":
    raise SystemExit(main())
