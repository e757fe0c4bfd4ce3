"""`make bench`: run the measurements by name, print their tables, save their figures.

Usage: python -m bench [--save-dir DIR] [--base COMMIT] [--set NAME=VALUE …]
           [hot|relay|records|replicas|proxy|start|renewal|phone|engine|mind …]
"""

import argparse
import asyncio
import importlib
import sys
import traceback
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from bench.report import print_result, save

BENCHMARKS: Final = {
    "start": "process start to ready",
    "relay": "what the browser leg adds to a frame, in time and CPU",
    "hot": "what a call costs beside bare relays: CPU, latency, memory, set-up, at 1 to 400 calls",
    "records": "what writing records at full rate adds to the audio's latency",
    "replicas": "live calls when a server is killed, and when servers are restarted",
    "workers": "one worker and two at equal load: CPU over all their processes, latency",
    "renewal": "the silence that a lost model session costs the caller",
    "proxy": "the Voice Live proxy under load: idle lines and speaking ones",
    "phone": "a telephone's first sound after the answer, and its silence after a barge-in",
    "attack": "a scripted attack, and what legitimate calls notice of it",
    "redaction": "what is found of people's numbers and addresses in texts, and its time",
    "engine": "end of speech to first audio, and word error rate, of the embedded engine",
    "mind": "tool choice and arguments of the offline mind",
}

type Run = Callable[..., Awaitable[dict[str, Any]]]


def main() -> int:
    """Run what was asked for; the exit code says whether all of it could be measured."""
    arguments = _arguments()
    failed: list[str] = []
    for name in arguments.names or BENCHMARKS:
        print(f"\n== {name}: {BENCHMARKS[name]}")
        if not _measure(name, arguments.options, arguments.save_dir):
            failed.append(name)
    if failed:
        print(f"\nNot measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _measure(name: str, options: dict[str, Any], save_dir: Path) -> bool:
    if find_spec(f"bench.{name}") is None:
        print(f"bench/{name}.py is not in this tree.", file=sys.stderr)
        return False
    run = cast("Run", importlib.import_module(f"bench.{name}").run)
    try:
        result = asyncio.run(cast("Any", run(**options)), loop_factory=uvloop.new_event_loop)
    except Exception:  # noqa: BLE001  # the other measurements still count
        traceback.print_exc()
        return False
    print_result(result)
    print(f"saved {save(name, result, save_dir)}")
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Run measurements by name."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--save-dir", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument(
        "--set",
        dest="pairs",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the measurement, as in --set rounds=1",
    )
    parser.add_argument("--base", metavar="COMMIT", help="compare with it (hot)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    arguments.options = dict(_pair(pair) for pair in arguments.pairs)
    if arguments.base:  # not a pair: some commits' names are numbers
        arguments.options["base"] = arguments.base
    return arguments


def _pair(text: str) -> tuple[str, int | float | str]:
    name, _, value = text.partition("=")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


if __name__ == "__main__":
    sys.exit(main())
