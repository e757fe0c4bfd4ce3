"""Each scene has an Azure of its own: commands that answer as told, and an app that is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azd.app import App, serving
from tests.azd.azure import ROOT, Azure

# The templates have tests of their own; these are about what both sides call things.
collect_ignore = [] if (ROOT / "infra/main.bicep").exists() else ["test_infra.py"]


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    """A subscription in which everything is as it should be."""
    return Azure(tmp_path)


@pytest.fixture
def app() -> Iterator[App]:
    with serving() as app:
        yield app
