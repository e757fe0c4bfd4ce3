"""The house as a visitor finds it: its commands, its scripts, its words, its exam."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench.exam import EXAMS, FIRST, Request, foreign_toolsets, mark_arguments, requests, same_value
from bench.report import wilson_interval
from scripts.complete_npm_lock import complete
from switchboard.tools.loading import load_toolbox

ROOT = Path(__file__).parents[1]
SCRIPTS = [*sorted((ROOT / "scripts").glob("*.sh")), ROOT / ".ci/run"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def tracked_files() -> list[Path]:
    listed = run(["git", "ls-files", "-z"]).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def run(
    command: list[str], cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False
    )


# -- commands -----------------------------------------------------------------------------------


def test_every_make_command_says_what_it_does() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE))
    assert targets == explained
    assert {"run", "test", "test-long", "check", "fix", "bench", "page", "help"} <= targets


def test_make_alone_lists_the_commands() -> None:
    shown = run(["make"], env={**os.environ, "MAKEFLAGS": ""}).stdout
    assert "make run" in shown
    assert "make test-long" in shown


@pytest.mark.parametrize("page", ["README.md", "bench/README.md"])
def test_documented_commands_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    code = "\n".join(_code(text))
    for target in re.findall(r"\bmake ([a-z][a-z-]*)", code):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"{page}: make {target}"


def _code(text: str) -> Iterator[str]:
    for block, inline in re.findall(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL):
        yield block or inline


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    checked = run(["bash", "-n", str(script)])
    assert checked.returncode == 0, checked.stderr


def test_workflow_actions_are_pinned_to_commits() -> None:
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        for used in re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8")):
            assert re.search(r"@[0-9a-f]{40}$", used), used


# -- finding Python -----------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The scripts in a tree that holds nothing else, not even a `.venv`."""
    shutil.copytree(ROOT / "scripts", tmp_path / "house/scripts")
    return tmp_path


def shim(directory: Path, name: str, body: str) -> None:
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)


def find_python(elsewhere: Path, *path: Path) -> "subprocess.CompletedProcess[str]":
    return run_script(elsewhere, "find-python.sh", *path)


def run_script(elsewhere: Path, script: str, *path: Path) -> "subprocess.CompletedProcess[str]":
    places = ":".join([*map(str, path), "/usr/bin", "/bin"])
    env = {"PATH": places, "HOME": str(elsewhere), "PYENV_ROOT": str(elsewhere / "pyenv")}
    return run(["bash", str(elsewhere / "house/scripts" / script)], env=env)


DEAD_SHIM = 'echo "pyenv: $0: command not found" >&2; exit 127'


def test_dead_and_old_pythons_are_passed_over(elsewhere: Path) -> None:
    shims = elsewhere / "shims"
    shim(shims, "python3.12", DEAD_SHIM)
    shim(shims, "python3.13", DEAD_SHIM)
    shim(shims, "python3", "echo 3.11; exit 1")
    shim(shims, "python", f'exec {sys.executable} "$@"')
    found = find_python(elsewhere, shims)
    assert found.returncode == 0, found.stderr
    version = run([found.stdout.strip(), "-c", "import sys; print(sys.version_info[:2])"])
    assert version.stdout.strip() in ("(3, 12)", "(3, 13)")


def test_a_version_managers_python_is_found_behind_its_dead_shims(elsewhere: Path) -> None:
    shims = elsewhere / "shims"
    for name in ("python3.12", "python3.13", "python3", "python"):
        shim(shims, name, DEAD_SHIM)
    version = elsewhere / "pyenv/versions/3.12.1/bin"
    version.mkdir(parents=True)
    shim(version, "python3", f'exec {sys.executable} "$@"')
    found = find_python(elsewhere, shims)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip()


def test_a_shim_that_says_yes_to_everything_is_not_believed(elsewhere: Path) -> None:
    """Success without a path to a program is no Python."""
    shims = elsewhere / "shims"
    for name in ("python3.12", "python3"):
        shim(shims, name, "exit 0")
    shim(shims, "python", f'exec {sys.executable} "$@"')
    found = find_python(elsewhere, shims)
    assert os.access(found.stdout.strip(), os.X_OK)


def test_a_new_uv_on_the_path_is_used(elsewhere: Path) -> None:
    shims = elsewhere / "shims"
    shim(shims, "uv", "echo uv 0.13.9")
    assert run_script(elsewhere, "find-uv.sh", shims).stdout.strip() == str(shims / "uv")


@pytest.mark.parametrize("node", [DEAD_SHIM, "echo v20.5.1", "exit 0"])
def test_without_a_usable_node_the_page_is_left_out_and_the_reader_told(
    elsewhere: Path, node: str
) -> None:
    (elsewhere / "house/frontend").mkdir()
    shim(elsewhere / "shims", "node", node)
    told = run_script(elsewhere, "page.sh", elsewhere / "shims")
    assert told.returncode == 0
    assert "NOT built" in told.stderr
    assert "Node.js 20" in told.stderr


# -- words --------------------------------------------------------------------------------------


def test_the_licence_is_mit() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


FORBIDDEN = (
    r"\bAI (?:coding )?assistants?\b",
    r"\bClau" r"de\b",
    r"\bChat" r"GPT\b",
    r"\bCo" r"pilot\b",
    r"(?<![\w.:/])/wo" r"rk/",
    r"(?<![\w.])/tm" r"p/",
    r"\bissues? #?\d",
    r"\bTO" r"DO\b",
    r"\bFIX" r"ME\b",
)


NO_TEXT = {".bin", ".lock", ".png", ".wav", ".npz", ".zip"}


def test_the_project_speaks_only_of_itself() -> None:
    pattern = re.compile("|".join(FORBIDDEN))
    told: list[str] = []
    for path in tracked_files():
        if path.suffix in NO_TEXT or "lock.json" in path.name:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                told.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not told, "\n".join(told)


def test_lock_files_name_no_private_registry() -> None:
    for path in tracked_files():
        if path.name not in {"uv.lock", "package-lock.json"}:
            continue
        hosts = set(re.findall(r"https?://([^/\"\s]+)", path.read_text(encoding="utf-8")))
        foreign = {host for host in hosts if "pypi" in host or "npm" in host} - {
            "pypi.org",
            "registry.npmjs.org",
        }
        assert not foreign, path


def test_npm_locks_suit_every_platform() -> None:
    for path in tracked_files():
        if path.name == "package-lock.json":
            missing = complete(json.loads(path.read_text(encoding="utf-8")))
            assert not missing, f"run: python scripts/complete_npm_lock.py {path.relative_to(ROOT)}"


def test_a_lock_is_completed_with_what_the_names_say() -> None:
    lock = {
        "packages": {
            "node_modules/tool": {
                "dev": True,
                "optionalDependencies": {
                    "@tool/cli-linux-x64-musl": "2.0.1",
                    "@tool/cli-darwin-arm64": "2.0.1",
                    "fsevents": "~2.3.2",
                },
            },
            "node_modules/@tool/cli-darwin-arm64": {"version": "2.0.1"},
        }
    }
    assert complete(lock) == ["@tool/cli-linux-x64-musl"]
    assert lock["packages"]["node_modules/@tool/cli-linux-x64-musl"] == {
        "version": "2.0.1",
        "optional": True,
        "dev": True,
        "os": ["linux"],
        "cpu": ["x64"],
        "libc": ["musl"],
    }
    assert complete(lock) == []


# -- skipping -----------------------------------------------------------------------------------

SKIPPING = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="no such program")
def test_skips(): pass

@pytest.mark.xfail(strict=True)
def test_fails_as_expected(): assert False
"""


def run_pytest(tmp_path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests/conftest.py").read_bytes())
    (tmp_path / "test_three.py").write_text(SKIPPING, encoding="utf-8")
    quiet = ["-q", "-p", "no:cacheprovider", "-c", "pytest.ini"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}  # for what that conftest imports
    return run([sys.executable, "-m", "pytest", *quiet, *options], cwd=tmp_path, env=env)


def test_a_skipped_test_passes_on_a_poor_machine(tmp_path: Path) -> None:
    assert run_pytest(tmp_path).returncode == 0


def test_a_skipped_test_fails_where_everything_ought_to_be_there(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "--fail-on-skip")
    assert ran.returncode == 1
    assert "no such program" in ran.stdout
    assert "1 passed, 1 xfailed, 1 error" in ran.stdout


# -- the blind exams ----------------------------------------------------------------------------

REQUESTS = {exam: requests(exam) for exam in EXAMS}
FOREIGN = {exam: foreign_toolsets(exam) for exam in EXAMS}
ALL_REQUESTS = [(exam, request) for exam, listed in REQUESTS.items() for request in listed]


def own_schemas() -> dict[str, dict[str, Mapping[str, Any]]]:
    """For each of the product's agents, its tools' argument schemas."""
    config = json.loads((ROOT / "session_config.json").read_text(encoding="utf-8"))
    packs = ["telecom", "government", "banking"]
    toolbox = load_toolbox([f"switchboard.tools.{pack}" for pack in packs], ROOT)
    return {
        agent["id"]: {spec.name: spec.parameters for spec in toolbox.specs(agent["tools"])}
        for agent in config["agents"]
    }


def schemas(exam: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    foreign = {
        name: {tool["name"]: tool["parameters"] for tool in toolset.tools}
        for name, toolset in FOREIGN[exam].items()
    }
    return {**foreign, **own_schemas()} if exam == FIRST else foreign


SCHEMAS = {exam: schemas(exam) for exam in EXAMS}


@pytest.mark.parametrize("exam", EXAMS)
def test_an_exam_is_long_and_foreign_enough(exam: str) -> None:
    listed = REQUESTS[exam]
    foreign = [request for request in listed if request.toolset in FOREIGN[exam]]
    assert len(foreign) >= 100
    assert len(FOREIGN[exam]) >= 5
    nothing_to_call = [request for request in listed if request.tool is None]
    assert 0.06 <= len(nothing_to_call) / len(listed) <= 0.15


def test_the_first_exam_asks_for_the_products_own_tools_too() -> None:
    assert len(REQUESTS[FIRST]) >= 150
    assert {request.toolset for request in REQUESTS[FIRST]} == set(SCHEMAS[FIRST])


def test_the_exams_have_nothing_in_common() -> None:
    assert not any(set(one) & set(other) for one, other in combinations(FOREIGN.values(), 2))
    assert len({request.id for _, request in ALL_REQUESTS}) == len(ALL_REQUESTS)
    assert len({request.text.casefold() for _, request in ALL_REQUESTS}) == len(ALL_REQUESTS)


@pytest.mark.parametrize("exam", EXAMS)
def test_every_tool_is_asked_for(exam: str) -> None:
    asked = {(request.toolset, request.tool) for request in REQUESTS[exam] if request.tool}
    assert asked == {(toolset, tool) for toolset, tools in SCHEMAS[exam].items() for tool in tools}


@pytest.mark.parametrize("exam", EXAMS)
def test_every_foreign_prompt_says_what_day_it_is(exam: str) -> None:
    for toolset in FOREIGN[exam].values():
        assert re.search(r"Today is (?:Sunday, )?2026-11-22", toolset.instructions)


def test_no_suggestion_on_the_page_gives_an_exam_question_away() -> None:
    config = json.loads((ROOT / "session_config.json").read_text(encoding="utf-8"))
    shown = {text.casefold() for agent in config["agents"] for text in agent["suggestions"]}
    assert not shown & {request.text.casefold() for _, request in ALL_REQUESTS}


@pytest.mark.parametrize(
    ("exam", "request_"),
    [
        pytest.param(exam, request, id=request.id)
        for exam, request in ALL_REQUESTS
        if request.tool is not None
    ],
)
def test_exam_answers_fit_the_tools(exam: str, request_: Request) -> None:
    schema = SCHEMAS[exam][request_.toolset][request_.tool or ""]
    arguments = {**request_.arguments, **request_.answered}
    jsonschema.validate(arguments, schema, format_checker=jsonschema.FormatChecker())
    assert set(request_.answers) == set(request_.answered)
    assert not set(request_.answers) & set(request_.arguments)
    assert request_.clarify


def test_values_are_compared_by_what_they_say() -> None:
    assert same_value("BS6 5TR", "bs65tr")
    assert same_value("central station", "the central station")
    assert same_value(62.5, 62.50)
    assert same_value(2, 2.0)
    assert not same_value("44107", "44170")
    assert not same_value("2026-12-03", "2026-12-04")
    assert not same_value(1, True)
    assert not same_value("5", 5)


def test_marks_count_what_was_said_and_what_was_made_up() -> None:
    request = next(request for request in REQUESTS[FIRST] if request.id == "airline-09")
    marks = mark_arguments(
        request, {"new_date": "2026-11-29", "booking_reference": "XXXXXX", "seat": "1A"}
    )
    assert (marks.expected, marks.right, marks.invented) == (2, 1, ("seat",))


def test_a_share_of_few_requests_is_known_only_roughly() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.490, 0.943), abs=0.001)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.278), abs=0.001)
