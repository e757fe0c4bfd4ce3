"""How a measurement is shown and kept: tables for people, JSON for comparing later."""

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parents[1]


def save(name: str, result: Mapping[str, Any], directory: Path) -> Path:
    """Write `<date>-<name>.json` and return its path. Earlier runs of the day are kept."""
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = _unused(directory, f"{now:%Y-%m-%d}-{name}")
    record = {"name": name, "at": now.isoformat(timespec="seconds"), "machine": machine_facts()}
    path.write_text(json.dumps({**record, "result": result}, indent=1) + "\n", encoding="utf-8")
    return path


def _unused(directory: Path, stem: str) -> Path:
    path, number = directory / f"{stem}.json", 1
    while path.exists():
        number += 1
        path = directory / f"{stem}-{number}.json"
    return path


def machine_facts() -> dict[str, Any]:
    """What a figure depends on and does not say."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "load_1min": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed_files": len(_git("status", "--porcelain").splitlines()),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def print_result(result: Mapping[str, Any]) -> None:
    """Print what a measurement returned: lists of rows as tables, the rest line by line.

    Keys that begin with an underscore are saved and not shown.
    """
    for key, value in result.items():
        if key.startswith("_"):
            continue
        if _is_rows(value):
            print(f"\n{key}")
            print(table(cast("Sequence[Mapping[str, Any]]", value)))
        elif isinstance(value, Mapping):
            print(f"\n{key}")
            print(table([{"": k, "value": v} for k, v in cast("Mapping[str, Any]", value).items()]))
        else:
            print(f"{key}: {_cell(value)}")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as aligned text; numbers to the right. Columns are in order of first appearance."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[_cell(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [all(_is_number(row.get(column)) for row in rows) for column in columns]

    def line(texts: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, numeric, strict=True)
        )
        return "  " + "  ".join(padded).rstrip()

    return "\n".join([line(columns), line(["-" * width for width in widths]), *map(line, cells)])


def _is_rows(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(row, Mapping) for row in cast("list[object]", value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` per cent do not exceed (nearest rank). Needs at least one value."""
    ordered = sorted(values)
    rank = math.ceil(percent * len(ordered) / 100)
    return ordered[max(rank, 1) - 1]


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Where the true share lies, with 95 % confidence (Wilson's score). `count` is at least one."""
    z = 1.96
    share, weight = hits / count, z * z / count
    middle = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * math.sqrt(share * (1 - share) / count + weight / (4 * count))
    return middle - reach, middle + reach
