"""The hooks and the workflow know the templates by their own names."""

import re

import pytest

from tests.azd.azure import HOOKS, ROOT

MAIN = (ROOT / "infra/main.bicep").read_text(encoding="utf-8")
PARAMETERS = (ROOT / "infra/main.parameters.json").read_text(encoding="utf-8")
ASKED_BY_AZD = set(re.findall(r"\$\{(\w+)", PARAMETERS))
TOLD_BY_BICEP = set(re.findall(r"^output (\w+)", MAIN, re.MULTILINE))
AZD = {"AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID", "SERVICE_APP_RESOURCE_EXISTS"}
OWN = {
    *("SKIP_CHECKS", "PATIENCE_S", "PAUSE_S"),
    *("CHECK_MODEL_NAME", "CHECK_MODEL_VERSION", "CHECK_MODEL_SKU", "CHECK_MODEL_CAPACITY"),
}


@pytest.mark.parametrize("name", ["common", "preprovision", "postdeploy", "predown", "postdown"])
def test_what_a_hook_reads_somebody_tells(name: str) -> None:
    text = (HOOKS / f"{name}.sh").read_text(encoding="utf-8")
    read = set(re.findall(r"\$\{([A-Z][A-Z_]{3,})", text))
    assert read <= AZD | OWN | ASKED_BY_AZD | TOLD_BY_BICEP


@pytest.mark.parametrize("name", ["deploy", "infra"])
def test_what_a_workflow_sets_somebody_reads(name: str) -> None:
    text = (ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8")
    told = set(re.findall(r"^      ([A-Z][A-Z_]+): \$\{\{ vars\.", text, re.MULTILINE))
    assert told
    assert told <= {"AZURE_CLIENT_ID", *AZD, *ASKED_BY_AZD}


def test_the_workflow_that_deploys_passes_on_every_parameter() -> None:
    text = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    told = set(re.findall(r"^      ([A-Z][A-Z_]+): \$\{\{ vars\.", text, re.MULTILINE))
    assert ASKED_BY_AZD - told == {"SERVICE_APP_IMAGE_NAME"}
    # What runs now stays until there is another.
    assert re.search(r'"SERVICE_APP_IMAGE_NAME=\$image" .*>>"\$GITHUB_ENV"', text)
    defaults = dict(re.findall(r"\$\{(\w+)=([^}]+)\}", PARAMETERS))
    assert defaults == dict(re.findall(r"vars\.(\w+) \|\| '([^']+)' \}\}", text))


def test_the_model_that_is_checked_is_the_first_that_is_deployed() -> None:
    deployed = re.search(
        r"param models .*?\{ name: '([^']+)', version: '([^']+)', capacity: (\d+)", MAIN, re.DOTALL
    )
    assert deployed is not None
    text = (HOOKS / "preprovision.sh").read_text(encoding="utf-8")
    checked = re.findall(r"CHECK_MODEL_(?:NAME|VERSION|CAPACITY):-([^}]+)\}", text)
    assert tuple(checked) == deployed.groups()


def test_the_app_is_found_by_its_service_s_name() -> None:
    app = (ROOT / "infra/modules/app.bicep").read_text(encoding="utf-8")
    assert "'azd-service-name': 'app'" in app
