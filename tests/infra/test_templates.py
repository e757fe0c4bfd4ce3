"""The templates as texts: names, modules, versions, the order of things."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.infra.bicep.catalogue import versions
from tests.infra.bicep.names import complaints
from tests.infra.bicep.parser import read
from tests.infra.bicep.syntax import Name, within
from tests.infra.scenarios import INFRA, ROOT, SCENARIOS, planned

FILES: Final = sorted(INFRA.rglob("*.bicep"))
MAIN: Final = read((INFRA / "main.bicep").resolve())
EXCEPTION: Final = re.compile(r"^\| `(Microsoft\.[\w./]+)` \| `([\w-]+)` \|", re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(INFRA)))
def test_a_file_has_nothing_to_complain_of(file: Path) -> None:
    assert complaints(read(file.resolve())) == []


def test_every_module_is_used_and_every_resource_is_made_somewhere() -> None:
    used = {MAIN.beside(each.target) for each in MAIN.of("module")}
    assert used == {path.resolve() for path in (INFRA / "modules").glob("*.bicep")}
    declared = {
        (path.name, each.name)
        for path in FILES
        for each in read(path.resolve()).of("resource")
        if not each.existing
    }
    made = {(each.file, each.symbol) for name in SCENARIOS for each in planned(name).resources}
    assert declared <= made


def test_every_resource_has_the_newest_stable_version_or_a_reason() -> None:
    text = (INFRA / "README.md").read_text(encoding="utf-8")
    exceptions = {found[1]: found[2] for found in EXCEPTION.finditer(text)}
    used = {tuple(each.target.split("@")) for path in FILES for each in read(path).of("resource")}
    wrong: dict[str, str] = {}
    for kind, version in used:
        stable = [each for each in versions(kind) if "-" not in each[10:]]
        newest = stable[-1] if stable else None
        if version != newest and exceptions.get(kind) != version:
            wrong[kind] = f"{version}, newest stable is {newest}"
        if version == newest and kind in exceptions:
            wrong[kind] = "no exception any more"
    assert wrong == {}
    assert exceptions.keys() <= {kind for kind, _ in used}


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("app", "registryRoles"),  # the image is pulled by role
        ("app", "aiRoles"),
        ("app", "vault"),
        ("app", "endpoints"),  # or the first start would find no service
        ("environment", "firewall"),  # or the platform could not fetch what it needs
        ("endpoints", "privateDns"),
        ("monitorRoles", "monitor"),
        ("aiRoles", "ai"),
        ("acsRoles", "acs"),
        ("registryRoles", "registry"),
        ("gateway", "environmentDns"),
        ("signIn", "app"),
    ],
)
def test_what_needs_another_comes_after_it(later: str, earlier: str) -> None:
    waiting, seen = [later], set[str]()
    while waiting:
        declaration = MAIN.declarations.get(waiting.pop())
        if declaration is None or declaration.value is None or declaration.name in seen:
            continue
        seen.add(declaration.name)
        waiting += [each.name for each in within(declaration.value) if isinstance(each, Name)]
    assert earlier in seen


def test_no_parameter_and_no_output_takes_a_key() -> None:
    for path in FILES:
        template = read(path.resolve())
        for each in (*template.of("param"), *template.outputs.values()):
            names_one = re.search(r"(?i)key|password|secret|connectionstring", each.name)
            where_it_is = re.search(r"(?i)(uri|id)$|^AZURE_KEY_VAULT$|^secrets$", each.name)
            assert where_it_is or not names_one, f"{path.name}: {each.name}"


def test_main_can_be_read_in_a_sitting() -> None:
    lines = (INFRA / "main.bicep").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 600
    for file in (INFRA / "modules").glob("*.bicep"):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 260, file.name


def test_the_linter_is_told_to_be_strict() -> None:
    text = (ROOT / "bicepconfig.json").read_text(encoding="utf-8")
    for rule in (
        "outputs-should-not-contain-secrets",
        "no-unused-params",
        "secure-parameter-default",
    ):
        assert re.search(rf'"{rule}": \{{\s*"level": "error"', text), rule
