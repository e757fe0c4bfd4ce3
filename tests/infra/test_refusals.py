"""Parameters that contradict each other are refused, in words that say what to set."""

import pytest

from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.expand import expand
from tests.infra.bicep.values import Value
from tests.infra.reading import at, listed
from tests.infra.scenarios import BARE, FULL, INFRA, INSIDE, LOCKED, PREMIUM, PRIVATE, THEIRS, VNET

ACS = f"{THEIRS}/Microsoft.Communication/communicationServices/a"


def plan(given: dict[str, Value]) -> None:
    expand(INFRA / "main.bicep", given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"allowAnonymous": False}, "set SIGN_IN_CLIENT_ID .* or ALLOW_ANONYMOUS=true"),
        ({"signInClientId": "x"}, "either open or not"),
        ({**PRIVATE, "webrtc": "on"}, "WEBRTC=on .* private forbids"),
        ({**LOCKED, "webrtc": "on"}, "WEBRTC=on .* locked-down forbids"),
        ({"records": "sqlite", "maxReplicas": 2}, "RECORDS=sqlite is for one replica"),
        ({"minReplicas": 3, "maxReplicas": 2}, "MIN_REPLICAS is more than MAX_REPLICAS"),
        ({"phoneNumber": "+441632960000"}, "set PHONE=true"),
        ({"dialAllowed": "GB"}, "DIAL_ALLOWED is set, but PHONE is not"),
        ({"phone": True}, "EVENT_GRID_AUDIENCE .* or EVENT_GRID_SECRET_URI"),
        ({"existingAcsId": ACS}, "EXISTING_ACS_ID is set, but PHONE is not"),
        ({"network": "locked-down"}, "needs GATEWAY_HOST"),
        ({**LOCKED, "gatewayCertificateSecretId": ""}, "GATEWAY_CERTIFICATE_SECRET_ID"),
        ({"gatewayHost": "talk.example.com"}, "only NETWORK=locked-down has a gateway"),
        ({**PREMIUM}, "makes no firewall"),
        ({**LOCKED, **VNET, **PREMIUM}, "makes no firewall"),
        ({**LOCKED, "firewallTier": "Premium"}, "needs INSPECTION_CERTIFICATE_SECRET_ID"),
        ({**LOCKED, **PREMIUM, "firewallTier": "Standard"}, "only FIREWALL_TIER=Premium"),
        ({**VNET}, "NETWORK=public uses no network"),
        ({"ddosPlanId": "x"}, "no network to protect"),
        ({**PRIVATE, **VNET, "ddosPlanId": "x"}, "protect it where it is made"),
        ({**PRIVATE, "flowLogs": True}, "FLOW_LOGS=true needs"),
        ({**FULL, "allowAnonymous": False, **INSIDE}, "would keep Event Grid out"),
        (
            {**FULL, "allowAnonymous": False, **PRIVATE, **INSIDE},
            "private would keep Event Grid out",
        ),
    ],
)
def test_a_contradiction_is_refused(given: dict[str, Value], words: str) -> None:
    with pytest.raises(BicepError, match=words):
        plan({**BARE, **given})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BicepError) as refusal:
        plan({**BARE, "minReplicas": 3, "phoneNumber": "+1", "webrtc": "on", **PRIVATE})
    assert all(word in str(refusal.value) for word in ("MIN_REPLICAS", "PHONE=true", "WEBRTC"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"environmentName": "e" * 65}, "above its maxLength"),
        ({"minReplicas": 0}, "below its minValue"),
        ({"graceSeconds": 601}, "above its maxValue"),
        ({"network": "secret"}, "not one of public, private, locked-down"),
        ({"models": [{"name": "gpt-realtime-2.1", "capacity": 1}]}, "version is missing"),
    ],
)
def test_a_value_out_of_bounds_is_refused(given: dict[str, Value], words: str) -> None:
    with pytest.raises(BicepError, match=words):
        plan({**BARE, **given})


def test_webrtc_can_be_turned_off_where_it_would_work() -> None:
    found = expand(INFRA / "main.bicep", {**FULL, "webrtc": "off"})
    [app] = found.of("Microsoft.App/containerApps")
    assert "{'name': 'WEBRTC', 'value': 'false'}" in str(app.body)


def test_before_the_first_deployment_a_placeholder_runs_and_is_probed_like_the_server() -> None:
    [before], [after] = (
        expand(INFRA / "main.bicep", {**BARE, "image": image}).of("Microsoft.App/containerApps")
        for image in ("", "crx.azurecr.io/switchboard:1")
    )
    [first], [then] = (
        listed(app.body, "properties.template.containers") for app in (before, after)
    )
    assert str(at(first, "image")).startswith("mcr.microsoft.com/azurelinux/base/python:")
    assert listed(first, "command")[:2] == ["python3", "-c"]
    assert listed(then, "command") == []
    assert at(first, "probes") == at(then, "probes")
    assert at(first, "env") == at(then, "env")
