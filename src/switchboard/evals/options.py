"""The words of `switchboard eval`."""

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Of the command itself; `compare`, `record` and `judge` have their own."""
    words = argparse.ArgumentParser(
        "switchboard eval",
        description="Hold whole conversations with the agents, and judge them.",
        epilog="Also: switchboard eval compare BEFORE AFTER; switchboard eval record CALL; "
        "switchboard eval judge FILE.",
    )
    words.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[Path("evals")],
        metavar="PATH",
        help="scenarios: files, or directories of *.yaml (evals)",
    )
    words.add_argument(
        "--by",
        choices=["text", "voice", "socket", "phone"],
        default="text",
        help="the channel (text): voice is in this process, socket a page's, phone the telephone",
    )
    words.add_argument(
        "--server", metavar="URL", help="by socket: a server that runs (else one is started)"
    )
    words.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds the token that it is shown"
    )
    words.add_argument("--only", action="append", default=[], metavar="ID", help="this scenario")
    words.add_argument("--tag", action="append", default=[], help="scenarios with this tag")
    words.add_argument("--repeat", type=int, default=1, metavar="N", help="hold each so often (1)")
    words.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same: the same verdicts"
    )
    words.add_argument("--at-once", type=int, default=8, metavar="N", help="so many at a time (8)")
    words.add_argument("--json", type=Path, metavar="FILE", help="the whole run, for `compare`")
    words.add_argument("--junit", type=Path, metavar="FILE", help="for continuous integration")
    words.add_argument("--html", type=Path, metavar="FILE", help="one page, with the failures")
    words.add_argument(
        "--store", action="store_true", help="keep it in the records, for the console to show"
    )
    words.add_argument(
        "--least-success",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="less than this fails (1.0)",
    )
    words.add_argument(
        "--chat-url", metavar="URL", help="plays free callers and judges `opinions` (…/openai/v1)"
    )
    words.add_argument("--chat-model", metavar="NAME")
    words.add_argument("--speech-model", default="gpt-4o-mini-tts", metavar="NAME")
    words.add_argument("--hearing-model", default="gpt-4o-mini-transcribe", metavar="NAME")
    words.add_argument("--schema", action="store_true", help="print the JSON Schema of a scenario")
    return words
