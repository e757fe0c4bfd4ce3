"""Writes the softphone page's half of its protocol, by the product's generator from the local
cloud's types: here, since neither imports the other.

`python scripts/softphone_types.py frontend/softphone/protocol.gen.ts`
"""

import sys
from pathlib import Path
from typing import Final, get_args

from switchboard.browser.typescript import Contract, render
from switchboard_local.softphone import protocol

SOFTPHONE: Final = Contract(
    protocol,
    "// Generated from src/switchboard_local/softphone/protocol.py by\n"
    "// `python scripts/softphone_types.py`. Edit that file, not this one.\n",
    get_args(protocol.PageMessage),
    (*get_args(protocol.CloudMessage), protocol.Passage),
    ("PATH", "MAX_LINES", "MAX_SOUND_BYTES", "MAX_TEXT"),
    {"PageMessage": protocol.PageMessage, "CloudMessage": protocol.CloudMessage},
)

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(SOFTPHONE), encoding="utf-8")
