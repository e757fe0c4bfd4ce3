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
    (*get_args(protocol.Deed), *get_args(protocol.DeskMessage)),
    (
        protocol.AgentName,
        protocol.Me,
        protocol.AgentTool,
        protocol.AgentHuman,
        protocol.AgentLimits,
        protocol.AgentPrivacy,
        protocol.AgentSheet,
        protocol.CallFacts,
        protocol.Wish,
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
        protocol.Recording,
        protocol.CallDetail,
        protocol.Goal,
        protocol.Field,
        protocol.Delivery,
        protocol.After,
        protocol.ListenTicket,
        protocol.DeskTicket,
        protocol.PastCall,
        protocol.History,
        protocol.Percentiles,
        protocol.Sum,
        protocol.ToolSum,
        protocol.Count,
        protocol.Overview,
        protocol.EvalRun,
        protocol.EvalRuns,
        protocol.EvalFigure,
        protocol.EvalVerdict,
        protocol.EvalLine,
        protocol.EvalTool,
        protocol.EvalResult,
        protocol.EvalDetail,
        *get_args(protocol.StreamMessage),
        *get_args(protocol.EarMessage),
    ),
    ("LISTEN_PROTOCOL", "DESK_PROTOCOL", "LISTEN_TICKET", "MAX_WORDS", "MAX_SEARCH"),
    {
        "Deed": protocol.Deed,
        "DeskMessage": protocol.DeskMessage,
        "StreamMessage": protocol.StreamMessage,
        "EarMessage": protocol.EarMessage,
    },
)

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(CONSOLE), encoding="utf-8")
