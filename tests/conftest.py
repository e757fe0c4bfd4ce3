"""What all tests share: in CI, a test that was skipped is a test that failed; and which tests may
run beside which others, where there are two workers."""

from collections.abc import Generator
from typing import Final

import pytest

_OPTION: Final = "--fail-on-skip"
_LIVELY: Final = ("embedded", "browser")
"""Markers of tests that talk in real time, and want a core for it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        _OPTION,
        action="store_true",
        help="a skipped test fails the run: for machines that ought to have everything",
    )


@pytest.hookimpl(tryfirst=True)  # pytest-xdist looks at the groups in a hook of the same name
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of `-n 2 --dist loadgroup`: what is lively runs one after another, on one worker; of the rest
    each file stays together, for the sake of what its tests share."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        lively = any(item.get_closest_marker(marker) for marker in _LIVELY)
        group = "lively" if lively else item.path.relative_to(config.rootpath).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


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
