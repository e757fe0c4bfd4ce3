"""Who runs what where there are two workers (`-n 2`): files stay whole, and some go together."""

from collections.abc import Sequence
from typing import Final

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]

TOGETHER: Final = {
    # They talk in real time through a whole town, and want a core and a half: one at a time.
    "tests/e2e/": "talking",
    "tests/soak/": "talking",
    # They share a page, a desk and its browsers.
    "tests/page/": "page",
}


class ByFile(LoadScopeScheduling):
    """Hands out what is longest first, if the tests are `longest_first`.

    In place of `--dist loadgroup`: pytest-xdist 3.8 tells its groups by the ids of the tests, which
    since pytest 9.2 it cannot change.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by the number of tests, which says little here

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for part, name in TOGETHER.items() if file.startswith(part)), file)


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Those that go together take minutes; all others keep their order."""
    return sorted(items, key=lambda item: not item.nodeid.startswith(tuple(TOGETHER)))
