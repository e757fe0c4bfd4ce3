"""The telephone's carrier, asked by the managed identity of the local cloud."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from switchboard.doctor.carrier import ROLE, carrier
from switchboard.doctor.findings import Finding
from switchboard_local.acs.serving import ServedAcs, serving_acs
from switchboard_local.acs.troubles import RestTrouble
from tests.doctor.peers import HEADER, PATIENT, failed, ok, settings, skipped
from tests.local.acs.peers import kept
from tests.local.realtime.doubles import Cloud, local_cloud
from tests.ports import free_port

IDENTITY = "identity for https://communication.azure.com/.default"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with local_cloud(identity_header=HEADER) as served:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{served.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield served


@pytest.fixture
async def served(cloud: Cloud) -> AsyncGenerator[ServedAcs]:
    """A local ACS that believes the tenant of the local cloud."""
    assert cloud.issuer is not None
    async for acs in kept(serving_acs(cloud.issuer)):
        yield acs


async def examine(data_dir: Path, **given: object) -> dict[str, Finding]:
    found = [each async for each in carrier(settings(data_dir, **given), PATIENT)]
    return {each.check: each for each in found}


def reached(served: ServedAcs) -> dict[str, object]:
    return {"acs_endpoint": served.endpoint + "/", "acs_ca_file": str(served.ca_file)}


async def test_a_carrier_that_knows_the_identity(served: ServedAcs, tmp_path: Path) -> None:
    found = await examine(tmp_path, **reached(served))
    assert list(found) == [IDENTITY, ROLE]
    assert all(ok(each) for each in found.values()), found


@pytest.mark.parametrize("status", [401, 403])
async def test_a_carrier_that_refuses_it_says_which_role_is_wanted(
    served: ServedAcs, tmp_path: Path, status: int
) -> None:
    served.acs.troubles.script_rest(RestTrouble(status))
    told = (await examine(tmp_path, **reached(served)))[ROLE]
    assert failed(told)
    assert str(status) in told.detail
    assert "09976791-48a7-449e-bb21-39d1a415f350" in told.advice


async def test_a_carrier_in_trouble_says_nothing_of_the_role(
    served: ServedAcs, tmp_path: Path
) -> None:
    served.acs.troubles.script_rest(RestTrouble(503))
    told = (await examine(tmp_path, **reached(served)))[ROLE]
    assert failed(told)
    assert "503" in told.detail
    assert "ask again later" in told.advice


async def test_without_a_token_the_carrier_is_not_asked(
    served: ServedAcs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    found = await examine(tmp_path, **reached(served))
    assert failed(found[IDENTITY])
    assert skipped(found[ROLE])


@pytest.mark.usefixtures("cloud")
async def test_a_carrier_that_is_not_there(tmp_path: Path) -> None:
    found = await examine(tmp_path, acs_endpoint=f"https://127.0.0.1:{free_port()}")
    assert failed(found[ROLE])
    assert "firewall" in found[ROLE].advice


async def test_no_token_is_shown_in_the_open(tmp_path: Path) -> None:
    found = await examine(tmp_path, acs_endpoint="http://talk.communication.azure.com")
    assert list(found) == ["telephone"]
    assert failed(found["telephone"])


async def test_where_there_is_no_telephone_nothing_is_said_of_it(tmp_path: Path) -> None:
    assert await examine(tmp_path) == {}
