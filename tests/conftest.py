"""What all tests share: in CI, a test that was skipped is a test that failed; where there are
several workers, some tests go together."""

from collections.abc import Generator
from typing import Final

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]

from tests.workers import ByFile, in_order

# The same examples each time, and as long as they take: what chance finds, and what a busy machine
# does, is nothing that a change has done. For others: --hypothesis-profile=default.
settings.load_profile("ci")

pytest_plugins = ["tests.stores"]

_OPTION: Final = "--fail-on-skip"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        _OPTION,
        action="store_true",
        help="a skipped test fails the run: for machines that ought to have everything",
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        # Schemathesis gives all operations of a test one id, and of those with one id one is run.
        if label := getattr(item, "operation_label", None):
            item._id = coerce_node_id(f"{item.nodeid}[{label}]")  # pyright: ignore[reportPrivateUsage]
    if hasattr(config, "workerinput"):
        items[:] = in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.config.getoption(_OPTION):
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.getoption(_OPTION):
        _refuse(report)
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_failure = hasattr(report, "wasxfail")
    if report.outcome != "skipped" or expected_failure:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"Skipped, which {_OPTION} forbids. {reason}"
