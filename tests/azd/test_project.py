"""azure.yaml, its hooks, and what they have in common with one another."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml  # pyright: ignore[reportMissingModuleSource]

from tests.azd.azure import HOOKS, ROOT

SCHEMA = Path(__file__).parent / "data/azure.yaml.schema.json"
NAMES = ("preprovision", "postdeploy", "predown", "postdown")


@pytest.fixture
def project() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def test_azure_yaml_is_what_azd_reads(project: dict[str, Any], schema: dict[str, Any]) -> None:
    jsonschema.validate(project, schema)


@pytest.mark.parametrize("fault", ["remotBuild", "postprovison", "shell"])
def test_a_slip_in_it_is_noticed(
    project: dict[str, Any], schema: dict[str, Any], fault: str
) -> None:
    wrong = copy.deepcopy(project)
    match fault:
        case "remotBuild":
            wrong["services"]["app"]["docker"]["remotBuild"] = True
        case "postprovison":
            wrong["hooks"]["postprovison"] = wrong["hooks"]["postdeploy"]
        case _:
            wrong["hooks"]["postdeploy"]["posix"]["shell"] = "bash"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_what_it_names_is_there(project: dict[str, Any]) -> None:
    service = project["services"]["app"]
    assert service["host"] == "containerapp"
    assert service["docker"]["remoteBuild"] is True
    assert (ROOT / service["project"] / service["docker"]["path"]).is_file()
    assert set(project["hooks"]) == set(NAMES)
    for name, hook in project["hooks"].items():
        assert hook["posix"]["run"] == f"./scripts/azd/{name}.sh"
        assert hook["windows"]["run"] == f"./scripts/azd/{name}.ps1"
        assert os.access(ROOT / hook["posix"]["run"], os.X_OK)
        assert (ROOT / hook["windows"]["run"]).is_file()
        assert hook["posix"].get("interactive") == hook["windows"].get("interactive")


@pytest.mark.parametrize("script", sorted(HOOKS.glob("*.sh")), ids=lambda path: path.name)
def test_hooks_are_plain_sh(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n") or script.name == "common.sh"
    shells = [shell for shell in ("dash", "bash --posix") if _is_there(shell.split()[0])]
    for shell in shells:
        checked = subprocess.run(
            [*shell.split(), "-n", str(script)], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


def _is_there(program: str) -> bool:
    return any((Path(place) / program).exists() for place in ("/bin", "/usr/bin"))


# -- twins --------------------------------------------------------------------------------------
# No PowerShell runs here. So its hooks are held to what the tested ones say and ask.


def steps(text: str) -> list[tuple[str, str]]:
    """What is said of which check, in order: `("not_ok", "roles")`."""
    said = re.findall(r"\b(ok|not_ok|note|skipped|Ok|NotOk|Note|Skipped) '?([a-z-]+)'? [\"']", text)
    return [(how.lower().replace("_", ""), name) for how, name in said]


def commands(text: str) -> set[tuple[str, frozenset[str]]]:
    """The commands of az and azd in it, each with its options. Prose has none."""
    joined = re.sub(r"[\\`]\n\s*", " ", text)
    code = [line for line in joined.splitlines() if not line.lstrip().startswith("#")]
    asked = re.findall(r"\b(azd? [a-z -]*?)(?= --)([^|;\n]*)", "\n".join(code))
    return {(command, frozenset(re.findall(r"--[a-z-]+", rest))) for command, rest in asked}


def environment(text: str) -> set[str]:
    return set(re.findall(r"(?:\$\{|\$env:|Env ')([A-Z][A-Z_]{3,})", text))


@pytest.mark.parametrize("name", NAMES)
def test_both_shells_say_the_same_of_the_same(name: str) -> None:
    posix = (HOOKS / f"{name}.sh").read_text(encoding="utf-8")
    windows = (HOOKS / f"{name}.ps1").read_text(encoding="utf-8")
    assert steps(posix)
    assert steps(windows) == steps(posix)
    assert environment(windows) == environment(posix)


@pytest.mark.parametrize("name", NAMES)
def test_both_shells_ask_azure_the_same(name: str) -> None:
    posix = commands((HOOKS / f"{name}.sh").read_text(encoding="utf-8"))
    windows = commands((HOOKS / f"{name}.ps1").read_text(encoding="utf-8"))
    assert posix
    assert windows == posix


def test_the_hooks_end_alike() -> None:
    for name in ("common", *NAMES):
        windows = (HOOKS / f"{name}.ps1").read_text(encoding="utf-8")
        assert windows.count("{") == windows.count("}"), name
        assert windows.count("(") == windows.count(")"), name
