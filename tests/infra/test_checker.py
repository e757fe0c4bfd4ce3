"""The checker refuses what the compiler would, each in a few lines."""

from pathlib import Path

import pytest

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.expand import Plan, expand
from tests.infra.bicep.names import complaints
from tests.infra.bicep.parser import read
from tests.infra.bicep.values import Value

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
VAULT = "Microsoft.KeyVault/vaults@2024-11-01"


def checked(tmp_path: Path, text: str, given: dict[str, Value] | None = None) -> Plan:
    file = tmp_path / "main.bicep"
    file.write_text(text, encoding="utf-8")
    return expand(file, given or {})


def complained(tmp_path: Path, text: str) -> str:
    file = tmp_path / "main.bicep"
    file.write_text(text, encoding="utf-8")
    return "\n".join(complaints(read(file)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("var a = 'open", "does not end on its line"),
        ("var a = 'x\\q'", "is no escape"),
        ("var a = '${b'", "does not end"),
        ("var a = [1 2]", "not expected here"),
        ("var a = { b 1 }", "':' is missing"),
        ("var a 1", "a name|'{' is missing"),
        ("vra a = 1", "declares nothing"),
        ("var a = 1\nvar a = 2", "declared twice"),
        ("var a = 1 §", "has no meaning"),
        ("output a string", "has no value"),
    ],
)
def test_what_is_no_bicep_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BicepError, match=words):
        checked(tmp_path, text)


def test_expressions_come_to_what_they_say(tmp_path: Path) -> None:
    plan = checked(
        tmp_path,
        """
        var names = ['a', 'b']
        func twice(text string) string => '${text}${text}'
        output joined string = join(map(names, name => toUpper(name)), '-')
        output loop array = [for (name, i) in names: '${name}${i}']
        output choice string = length(names) > 1 && !empty(names)
          ? twice(names[0])
          : fail('never')
        output range string = cidrSubnet('10.0.0.0/22', 26, 5)
        output host string = cidrHost('10.0.1.128/26', 3)
        output reckoned int = 7 * 3 / 2 - 1
        """,
    )
    assert plan.outputs == {
        "joined": "A-B",
        "loop": ["a0", "b1"],
        "choice": "aa",
        "range": "10.0.1.64/26",
        "host": "10.0.1.132",
        "reckoned": 9,
    }


def test_fail_stops_the_deployment_with_its_words_and_line(tmp_path: Path) -> None:
    with pytest.raises(BicepError, match=r"main\.bicep:2: not so"):
        checked(
            tmp_path, "param a int\nvar b = a > 1 ? fail('not so') : a\noutput c int = b", {"a": 2}
        )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("name: 'i'", "location is required"),
        ("name: 'i'\nlocation: 1", "is not a text"),
        ("name: 'i'\nlocation: 'x'\ncolour: 'red'", "colour is not known"),
        ("name: 'i'\nlocation: 'x'\nproperties: { clientId: 'x' }", "can only be read"),
        ("name: 'i'\nlocation: 'x'\ntags: { a: 1 }", "is not a text"),
    ],
)
def test_a_body_is_compared_with_azures_type(tmp_path: Path, body: str, words: str) -> None:
    plan = checked(tmp_path, f"resource it '{IDENTITY}' = {{\n{body}\n}}")
    assert words in "\n".join(plan.problems)


def test_a_value_that_only_looks_like_one_of_the_known_is_refused(tmp_path: Path) -> None:
    plan = checked(
        tmp_path,
        f"resource it '{VAULT}' = {{\n name: 'kv'\n location: 'x'\n properties: {{"
        " tenantId: tenant().tenantId\n sku: { family: 'A', name: 'Standard' } } }",
    )
    assert "'Standard' is not one of" in "\n".join(plan.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"resource it '{IDENTITY.replace('11', '12')}' = {{ name: 'x' }}", "Azure knows no"),
        (
            f"resource it '{IDENTITY}' existing = {{ name: 'x' }}\n"
            "output o string = it.properties.secret",
            "gives it no .secret",
        ),
        (
            f"resource it '{IDENTITY}' = if (false) {{ name: 'x' }}\n"
            "output o string = it.properties.clientId",
            "is not deployed here",
        ),
        ("var a = b\nvar b = a\noutput o string = a", "depends on itself"),
        ("param a string\noutput o string = a", "is not given"),
        ("output o string = { a: 1 }.b", "no .b"),
        ("output o array = range(0)", "range"),
    ],
)
def test_what_cannot_be_deployed_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BicepError, match=words):
        checked(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("output o string = other", "other is not declared"),
        ("output o string = toUper('a')", "no function toUper"),
        ("output o string = join(['a'])", "takes 2 to 2"),
        ("var unused = 1", "unused is not used"),
        ("param p strin\noutput o string = p", "no type strin"),
        ("param p string\noutput o string = p", "is not described"),
        ("@descripton('x')\nparam p string\noutput o string = p", "no decorator"),
        ("output o string = 'https://x.vault.azure.net'", "differs between clouds"),
        (
            f"resource a '{IDENTITY}' existing = {{ name: 'x' }}\n"
            f"resource b '{IDENTITY}' = if (!empty(a.properties.clientId)) {{ name: 'y' }}",
            "known too late",
        ),
        (
            f"resource a '{IDENTITY}' existing = {{ name: 'x' }}\noutput o object = a.listKeys()",
            "at run time",
        ),
        ("output o string = true ? 'a' : missing", "missing is not declared"),
    ],
)
def test_branches_that_are_not_taken_are_read_too(tmp_path: Path, text: str, words: str) -> None:
    assert words in complained(tmp_path, text)


def test_a_module_is_given_what_it_asks_for(tmp_path: Path) -> None:
    (tmp_path / "part.bicep").write_text(
        "@description('x')\nparam size int\noutput out int = size", encoding="utf-8"
    )
    module = "module part 'part.bicep' = {{ params: {{ {} }} }}\noutput o int = part.outputs.{}"
    assert "needs the parameter size" in complained(tmp_path, module.format("", "out"))
    assert "no parameter sice" in complained(tmp_path, module.format("sice: 1", "out"))
    assert "no output uot" in complained(tmp_path, module.format("size: 1", "uot"))
    assert checked(tmp_path, module.format("size: 2", "out")).outputs == {"o": 2}
    with pytest.raises(BicepError, match="is no int"):
        checked(tmp_path, module.format("size: '2'", "out"))


def test_a_module_for_a_group_needs_one(tmp_path: Path) -> None:
    (tmp_path / "part.bicep").write_text("output out int = 1", encoding="utf-8")
    with pytest.raises(BicepError, match="needs a scope"):
        checked(tmp_path, "targetScope = 'subscription'\nmodule part 'part.bicep' = {}")
