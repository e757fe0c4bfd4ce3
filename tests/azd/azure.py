"""`az` and `azd` that answer as a scene tells them, and write down who asked."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
HOOKS: Final = ROOT / "scripts/azd"
SUBSCRIPTION: Final = "10ca1000-0000-4000-8000-000000000001"
ENVIRONMENT: Final[Mapping[str, str]] = {
    "AZURE_ENV_NAME": "talk",
    "AZURE_LOCATION": "swedencentral",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AZURE_TENANT_ID": "10ca1000-0000-4000-8000-000000000002",
    "AZURE_RESOURCE_GROUP": "rg-talk",
    "SERVICE_APP_NAME": "ca-talk",
    "SIGN_IN_CLIENT_ID": "10ca1000-0000-4000-8000-00000000000d",
    "PATIENCE_S": "5",
    "PAUSE_S": "0",
}

# Shell, because a hook asks twenty times: the first pattern that fits a command line answers it.
COMMAND: Final = """#!/bin/sh
{{ printf '%s\\037' "${{0##*/}}" "$@"; echo; }} >>'{place}/asked'
case "${{0##*/}} $* " in
{answers}
*) echo "no such answer" >&2; exit 9 ;;
esac
"""
ANSWER: Final = "*{pattern}*) cat '{file}' >&{stream}; exit {status} ;;"

GOOD: Final[Mapping[str, tuple[int, str]]] = {
    "azd auth login --check-status": (0, ""),
    "az account show": (0, "10ca1000-0000-4000-8000-000000000002\r\n"),
    "az provider show": (0, "Registered\n"),
    "az feature show": (0, "Registered\n"),
    "az ad signed-in-user show": (0, "10ca1000-0000-4000-8000-000000000003\n"),
    "az role assignment list": (0, "Contributor\nRole Based Access Control Administrator\n"),
    "az cognitiveservices model list": (0, "GlobalStandard\tDataZoneStandard\n"),
    "az cognitiveservices usage list": (0, "20.0\t4.0\n"),
    "az eventgrid system-topic event-subscription show": (3, "not found"),
    "az eventgrid system-topic event-subscription create": (0, ""),
    "az containerapp exec": (0, "ok       settings: can be read\n11 ok, 0 not ok, 2 skipped\n"),
    "az resource show": (0, "acs-talk.europe.communication.azure.com\n"),
    "az rest --method get": (0, ""),
    "az cognitiveservices account list-deleted": (0, ""),
    "az keyvault list-deleted": (0, ""),
}


@dataclass
class Ran:
    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    def line(self, beginning: str) -> str:
        """The one line that begins like this."""
        found = [line for line in self.said.splitlines() if line.startswith(beginning)]
        assert len(found) == 1, self.said
        return found[0]


@dataclass
class Azure:
    place: Path
    answers: dict[str, tuple[int, str]] = field(default_factory=lambda: dict(GOOD))
    tools: tuple[str, ...] = ("az", "azd")

    def says(self, command: str, out: str = "", status: int = 0) -> None:
        """What a command line that begins so is answered. Parts may stand apart: `az x … --y z`."""
        self.answers[command] = (status, out)

    def run(self, hook: str, **environment: str) -> Ran:
        """What `azd` would run, told what `azd` would tell it."""
        programs = self.place / "bin"
        programs.mkdir(exist_ok=True)
        for name in self.tools:
            program = programs / name
            program.write_text(COMMAND.format(place=self.place, answers=self._patterns()))
            program.chmod(0o755)
        ran = subprocess.run(
            ["sh", str(HOOKS / f"{hook}.sh")],
            cwd=ROOT,
            env={
                "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "SHELL": "/bin/sh",
                "no_proxy": "*",
                **ENVIRONMENT,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def _patterns(self) -> str:
        """Of a shell's `case`, the longest first."""
        told: list[str] = []
        for number, command in enumerate(sorted(self.answers, key=len, reverse=True)):
            status, out = self.answers[command]
            file = self.place / f"answer-{number}"
            file.write_text(out, newline="")
            pattern = "*".join(f"'{part}'" for part in command.split(" … "))
            stream = 2 if status else 1
            told.append(ANSWER.format(pattern=pattern, file=file, stream=stream, status=status))
        return "\n".join(told)

    def asked(self, beginning: str) -> list[list[str]]:
        """The command lines that began like this, in order."""
        log = self.place / "asked"
        lines = log.read_text().splitlines() if log.exists() else []
        commands = [line.split("\x1f")[:-1] for line in lines]
        return [words for words in commands if " ".join(words).startswith(beginning)]
