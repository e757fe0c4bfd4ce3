"""Writes the console page's half of its protocol.

`python -m switchboard.console.typescript frontend/console/protocol.gen.ts`
"""

import sys
from pathlib import Path
from typing import Final, get_args

from switchboard.browser.typescript import Contract, render
from switchboard.console import protocol

CONSOLE: Final = Contract(
    protocol,
    "// Generated from src/switchboard/console/protocol.py by\n"
    "// `python -m switchboard.console.typescript`. Edit that file, not this one.\n",
    get_args(protocol.Deed),
    (
        protocol.AgentName,
        protocol.Me,
        protocol.CallFacts,
        protocol.LiveCall,
        protocol.Line,
        protocol.Tool,
        protocol.Interruption,
        protocol.Answer,
        protocol.FloorAt,
        protocol.NoticeAt,
        protocol.Usage,
        protocol.Acted,
        protocol.Can,
        protocol.Abilities,
        protocol.CallDetail,
        protocol.ListenTicket,
        protocol.PastCall,
        protocol.History,
        protocol.Percentiles,
        protocol.Sum,
        protocol.ToolSum,
        protocol.Count,
        protocol.Overview,
        *get_args(protocol.StreamMessage),
        *get_args(protocol.EarMessage),
    ),
    ("LISTEN_PROTOCOL", "LISTEN_TICKET", "MAX_WORDS", "MAX_SEARCH"),
    {
        "Deed": protocol.Deed,
        "StreamMessage": protocol.StreamMessage,
        "EarMessage": protocol.EarMessage,
    },
)

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(CONSOLE), encoding="utf-8")
