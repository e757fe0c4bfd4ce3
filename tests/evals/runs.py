"""`switchboard eval` as its users run it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from switchboard.evals.results import Run

ROOT = Path(__file__).parents[2]
PATIENCE_S = 1_700


@dataclass(frozen=True)
class Outcome:
    status: int
    said: str
    run: Run | None

    def verdicts(self) -> list[tuple[str, int, bool, list[tuple[str, bool]]]]:
        """What has to be alike in two runs of one seed."""
        assert self.run is not None
        return [
            (each.id, each.repetition, each.passed, [(v.judge, v.passed) for v in each.verdicts])
            for each in self.run.results
        ]

    def failed(self) -> list[str]:
        assert self.run is not None
        return [each.id for each in self.run.results if not each.passed]


def evaluate(folder: Path, *words: str, environment: Mapping[str, str]) -> Outcome:
    """Run the command from the repository, and read its report."""
    report = folder / "run.json"
    command = [sys.executable, "-m", "switchboard", "eval", *words, "--json", str(report)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    run = msgspec.json.decode(report.read_bytes(), type=Run) if report.exists() else None
    return Outcome(done.returncode, done.stdout + done.stderr, run)


def changed_house(folder: Path, change: Mapping[str, Any], prompts: Mapping[str, str]) -> Path:
    """A copy of the shipped agents with one thing broken: the first agent's profile updated by
    `change`, and these prompts' texts in place of theirs. Its session_config.json."""
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    for name, text in prompts.items():
        (folder / "prompts" / name).write_text(text)
    config = json.loads((ROOT / "session_config.json").read_text())
    modules = change.get("modules")
    if modules:
        config["tools"]["modules"] = modules
    config["agents"][0].update({k: v for k, v in change.items() if k != "modules"})
    path = folder / "session_config.json"
    path.write_text(json.dumps(config))
    return path


def only(*names: str) -> Sequence[str]:
    return [word for name in names for word in ("--only", name)]


def compare(before: str, after: str) -> str:
    """`switchboard eval compare`"""
    command = [sys.executable, "-m", "switchboard", "eval", "compare", before, after]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    return done.stdout
