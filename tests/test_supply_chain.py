"""What this is made of comes by hash, under licences that were chosen, and can be listed."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from scripts.licences import faults, is_allowed, python_packages

ROOT = Path(__file__).parents[1]


def test_every_locked_package_has_a_hash() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    files = {
        each["name"]: [*each.get("wheels", ()), *filter(None, [each.get("sdist")])]
        for each in locked
        if each["name"] != "switchboard"
    }
    assert len(files) > 100
    for name, found in files.items():
        assert found, name
        assert all(file["hash"].startswith("sha256:") for file in found), name


@pytest.mark.parametrize("folder", ["frontend", "tests/js"])
def test_every_locked_package_of_the_page_has_a_strong_hash(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {place: each for place, each in lock["packages"].items() if place}
    assert packages
    for place, package in packages.items():
        # Tools of the build for other systems, of which names are known: none is the page's.
        elsewhere = package.get("optional") and package.get("dev") and "os" in package
        assert elsewhere or package["integrity"].startswith("sha512-"), place


def test_every_licence_may_be_here() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT AND BSD-3-Clause) OR Proprietary", True),
        ("unknown", False),
        ("AGPL-3.0-only", False),
    ],
)
def test_one_of_the_choices_must_be_allowed_with_all_its_parts(licence: str, may: bool) -> None:
    assert is_allowed(licence, ["MIT", "Apache-2.0", "BSD-3-Clause"]) is may


@pytest.mark.node
def test_bills_of_materials_name_all_that_is_locked(tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts/sbom.sh", tmp_path], check=True, capture_output=True)
    bills = {
        name: json.loads((tmp_path / f"sbom-{name}.cdx.json").read_text())
        for name in ("python", "page")
    }
    assert {bill["bomFormat"] for bill in bills.values()} == {"CycloneDX"}
    named = {each["name"] for each in bills["python"]["components"]}
    production = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {"fastapi", "pyjwt", "cryptography"} <= named
    assert len(named) >= len(production)
    assert named <= {*python_packages(), "switchboard"}  # nothing of the developers'
    assert any(each["name"] == "react" for each in bills["page"]["components"])


def test_a_secret_that_is_committed_is_found(tmp_path: Path) -> None:
    """The hook that `make check` runs, on a key made up here."""
    leak = tmp_path / "settings.py"
    leak.write_text("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n")
    looked = subprocess.run(
        [ROOT / "scripts/secrets.sh", leak], capture_output=True, text=True, check=False
    )
    assert looked.returncode == 1
    assert "Private Key" in looked.stdout
