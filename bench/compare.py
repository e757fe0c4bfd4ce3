"""Another commit of this repository, to be measured beside this one."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.report import ROOT

_PAGE: Final = Path("src/switchboard/browser/page")
_INSTALL_S: Final = 600


@asynccontextmanager
async def tree_of(commit: str) -> AsyncGenerator[Path]:
    """A work tree of `commit`, which is gone when the block ends.

    It has an environment of its own (`.venv`) if it locks other packages than this tree does. Our
    built page stands in for its own: pages are simulated. Raises `RuntimeError`.
    """
    with TemporaryDirectory() as folder:
        tree = Path(folder, "base")
        await asyncio.to_thread(_git, "worktree", "add", "--detach", str(tree), commit)
        try:
            await asyncio.to_thread(_furnish, tree)
            yield tree
        finally:
            await asyncio.to_thread(_git, "worktree", "remove", "--force", str(tree))


def _furnish(tree: Path) -> None:
    page = tree / _PAGE
    if (ROOT / _PAGE).is_dir() and not page.exists():
        page.symlink_to(ROOT / _PAGE, target_is_directory=True)
    if (tree / "uv.lock").read_bytes() == (ROOT / "uv.lock").read_bytes():
        return
    tools = ROOT / ".tools"
    if tools.is_dir() and not (tree / ".tools").exists():
        (tree / ".tools").symlink_to(tools, target_is_directory=True)
    done = subprocess.run(
        ["scripts/python-packages.sh", "run"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=_INSTALL_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Its packages could not be installed:\n{done.stderr[-2_000:]}")


def _git(*words: str) -> None:
    done = subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"git {words[0]}: {done.stderr.strip()}")
