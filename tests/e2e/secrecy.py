"""What no page may be told and no log may hold."""

import json
import subprocess
import sys
from functools import cache

SCHEMA = '"parameters"'
CLIENT_SECRET = "ek_"


@cache
def confidential() -> tuple[str, ...]:
    """Every sentence of the prompts, and every description of a tool, as the product has them."""
    command = [sys.executable, "-m", "switchboard", "tools", "--json"]
    agents = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    lines = [line for agent in agents.values() for line in agent["instructions"].splitlines()]
    tools = [tool["description"] for agent in agents.values() for tool in agent["tools"]]
    return (CLIENT_SECRET, SCHEMA, *(text for text in lines + tools if len(text) > 30))


def secrets_in(text: str) -> list[str]:
    """What of all that is in `text`."""
    return [secret for secret in confidential() if secret in text]
