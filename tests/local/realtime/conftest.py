"""What callers say, and Node with the JavaScript SDK."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

JS: Final = Path(__file__).parents[2] / "js"

TRACK: Final = "Where is my parcel? Its number is four two four two."
STOP: Final = "Stop please, wait a moment."
LINES: Final = (TRACK, STOP)
"""What callers say aloud in these tests."""


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the SDK installed beside the script it runs."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("Node.js is not installed")
    if not (JS / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=JS, check=True, timeout=150)
    return found
