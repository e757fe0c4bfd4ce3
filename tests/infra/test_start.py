"""The server starts with what the templates tell it, and answers to the right names."""

import re
from pathlib import Path
from typing import Final

import pytest
from starlette.testclient import TestClient

from switchboard.app import create_app
from switchboard.settings import Settings
from tests.infra.bicep.expand import expand
from tests.infra.bicep.values import Value
from tests.infra.reading import variables
from tests.infra.scenarios import BARE, FULL, INFRA, LOCKED, PRIVATE, ROOT

OF_AZURE: Final = re.compile(r"<.*>")
"""What only Azure knows, in the middle of a text."""
TELEPHONE: Final[dict[str, Value]] = {
    **FULL,
    "minReplicas": 1,
    "maxReplicas": 1,
    "eventGridSecretUri": "",
}


def told(given: dict[str, Value], tmp_path: Path) -> Settings:
    """The settings of a server that is deployed so, but for its paths."""
    environment = variables(expand(INFRA / "main.bicep", given))
    found = {name.lower(): OF_AZURE.sub("azure", text) for name, text in environment.items()}
    found["acs_resource_id"] = "11111111-2222-3333-4444-555555555555"
    if "sign_in_client_id" in found:
        found["sign_in_tenant_id"] = "11111111-2222-3333-4444-666666666666"
    found["applicationinsights_connection_string"] = (
        f"InstrumentationKey={found['acs_resource_id']};"
        "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
    )
    own = {"data_dir": tmp_path, "session_config": ROOT / "session_config.json"}
    return Settings.model_validate({**found, **own})


@pytest.mark.parametrize(
    "given",
    [BARE, {**BARE, **PRIVATE}, {**BARE, **LOCKED}, TELEPHONE, {**TELEPHONE, **LOCKED}],
    ids=["public", "private", "locked-down", "telephone", "telephone, locked-down"],
)
def test_a_server_can_be_made_of_what_it_is_told(given: dict[str, Value], tmp_path: Path) -> None:
    settings = told(given, tmp_path)
    house = create_app(settings).state.house
    assert (house.telephone is not None) is bool(given.get("phone"))
    assert house.store.is_shared is bool(given.get("phone"))
    assert settings.port == 8000
    assert not settings.is_local


def asked_by(host: str, settings: Settings) -> int:
    """The status that whoever names this host is answered with."""
    return TestClient(create_app(settings)).get("/api/config", headers={"host": host}).status_code


def test_behind_a_gateway_it_goes_by_both_names_and_no_other(tmp_path: Path) -> None:
    settings = told({**BARE, **LOCKED}, tmp_path)
    own = settings.allowed_origins[0].removeprefix("https://")
    assert asked_by("talk.example.com", settings) == 200
    assert asked_by(own, settings) == 200
    assert asked_by("elsewhere.example.com", settings) == 421
