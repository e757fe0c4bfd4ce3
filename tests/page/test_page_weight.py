"""What a caller's browser has to load before it can call."""

import gzip
import re
from pathlib import Path

import pytest

from tests.test_app import ROOT

PAGE = ROOT / "src/switchboard/browser/page"
MOST_BYTES = 120 * 1024
"""Compressed, before what is loaded when it is needed (sign-in)."""

pytestmark = pytest.mark.node


def needed(page: Path) -> set[Path]:
    """The page, and what it names; what its scripts import, and so on."""
    found: set[Path] = set()
    coming = [page]
    while coming:
        path = coming.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        text = path.read_text(encoding="utf-8", errors="ignore")
        if path.suffix == ".html":
            names = re.findall(r'(?:src|href)="/?([^"]+)"', text)
            coming += [PAGE / name for name in names]
        elif path.suffix == ".js":
            names = re.findall(r'(?:from|import)\s*"\./([^"]+)"', text)
            coming += [path.parent / name for name in names]
    return found


def weight(page: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in needed(page))


def test_the_page_is_light() -> None:
    files = needed(PAGE / "index.html")
    assert {path.suffix for path in files} >= {".html", ".js", ".css"}
    assert weight(PAGE / "index.html") <= MOST_BYTES
    assert not [path for path in files if path.name.startswith("entra")]
