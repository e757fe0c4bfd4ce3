"""Who runs what where there are several workers: files stay whole, some go together, and
what is heavy is not done twice at once."""

from collections.abc import Iterable, Sequence
from typing import Final

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]
from xdist.workermanage import WorkerController  # pyright: ignore[reportMissingTypeStubs]

TOGETHER: Final = {
    # They talk in real time through a whole town.
    "tests/e2e/": "talking",
    "tests/evals/test_channels": "talking",
    "tests/soak/": "soaking",
    # Chromium, and a town.
    "tests/phone/test_softphone": "browsers",
    "tests/local/webrtc/test_chromium": "browsers",
    # They share a page, a desk and its browsers.
    "tests/page/": "page",
    # They share a local cloud with the embedded engine.
    "tests/local/realtime/test_agents_js": "embedded",
    "tests/local/realtime/test_openai_sdk": "embedded",
    "tests/local/voice_live/test_voicelive_sdk": "embedded",
    "tests/local/webrtc/test_calls": "embedded",
}
LANES: Final = {"talking": 1, "soaking": 2, "browsers": 2, "page": 2}
"""Groups that are heavy. Those of a lane are done one after the other, by one worker."""
HUNGRY: Final = (
    "tests/local/engine/",
    "tests/local/mind/",
    "tests/conversation/",
    "tests/doctor/",
    "tests/infra/",
)
"""They want a whole core, and come when less is going on."""


class ByFile(LoadScopeScheduling):
    """Hands each lane to one worker and keeps one free for everything else, in which all help once
    their lanes are done. Wants the tests `in_order`.

    In place of `--dist loadgroup`: pytest-xdist 3.8 tells its groups by the ids of the tests, which
    since pytest 9.2 it cannot change.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by the number of tests, which says little here

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for part, name in TOGETHER.items() if file.startswith(part)), file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(self._best_for(node), last=False)
        super()._assign_work_unit(node)

    def _best_for(self, node: WorkerController) -> str:
        borne = {each: _lanes(units) for each, units in self.assigned_work.items()}
        taken = set[int]().union(*borne.values())
        waiting = list(self.workqueue)
        own = [unit for unit in waiting if LANES.get(unit) in borne[node]]
        fresh = [unit for unit in waiting if unit in LANES and LANES[unit] not in taken]
        light = [unit for unit in waiting if unit not in LANES]
        bearers = sum(map(bool, borne.values()))
        may_bear = borne[node] or bearers < max(len(borne) - 1, 1)
        return (own or (fresh if may_bear else []) or light or waiting)[0]


def _lanes(units: Iterable[str]) -> set[int]:
    return {LANES[unit] for unit in units if unit in LANES}


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """What is heavy first, what is hungry last; else as they were."""
    return sorted(items, key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    group = next((name for part, name in TOGETHER.items() if nodeid.startswith(part)), "")
    if group in LANES:
        return list(LANES).index(group)
    return len(LANES) + nodeid.startswith(HUNGRY)
