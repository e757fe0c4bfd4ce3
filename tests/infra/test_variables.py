"""A variable that is in one place only is a mistake: settings, templates, azd, documentation.

Settings, `.env.example` and the server's documentation are compared in tests/test_variables.py.
"""

import json
import re
from typing import Final

from switchboard.settings import Settings
from tests.infra.bicep.parser import read
from tests.infra.bicep.syntax import Constant, Declaration
from tests.infra.reading import variables
from tests.infra.scenarios import INFRA, planned

MAIN: Final = read((INFRA / "main.bicep").resolve())
AZD: Final = {
    "environmentName": "AZURE_ENV_NAME",
    "location": "AZURE_LOCATION",
    "image": "SERVICE_APP_IMAGE_NAME",
}
"""azd's own names."""
NOT_BY_VARIABLE: Final = {"models", "extraTags", "settings"}
"""Objects and lists, which are set in main.parameters.json itself."""
LEFT_ALONE: Final = {
    "AZURE_OPENAI_FALLBACK_ENDPOINTS": "other regions are other deployments",
    "AZURE_VOICELIVE_FALLBACK_ENDPOINTS": "likewise",
    "AZURE_OPENAI_SCOPE": "the default is right",
    "AZURE_VOICELIVE_SCOPE": "the default is right",
    "AZURE_VOICELIVE_API_VERSION": "the default is right",
    "AZURE_AI_FOUNDRY_RESOURCE": "the endpoint is given",
    "FOUNDRY_RESOURCE_NAME": "the endpoint is given",
    "VOICELIVE_KEY_SECRET_URI": "there are no keys",
    "SESSION_MINTING": "off",
    "SESSION_MINTING_PER_MINUTE": "off",
    "VOICE_LIVE_PROXY": "off",
    "PROXY_OWN_TOKENS_ONLY": "off",
    "PROXY_MAX_CONNECTIONS": "off",
    "PROXY_MAX_FRAME_BYTES": "off",
    "PROXY_IDLE_SECONDS": "off",
    "PROXY_MAX_SECONDS": "off",
    "PROXY_ADDRESS_PER_MINUTE": "off",
    "PROXY_USER_PER_MINUTE": "off",
    "DIAL_QUIET_HOURS": "the default is right",
    "DIAL_USER_A_DAY": "the default is right",
    "DIAL_NUMBER_A_DAY": "the default is right",
    "DIAL_A_DAY": "the default is right",
    "DIAL_AT_ONCE": "the default is right",
    "DIAL_RING_SECONDS": "the default is right",
    "PHONE_CALLER_PER_MINUTE": "the default is right",
    "PHONE_CALLER_AT_ONCE": "the default is right",
    "ACS_ISSUER": "the carrier is Azure's",
    "ACS_CA_FILE": "the carrier is Azure's",
    "ACS_LATENCY_MS": "to be measured first",
    "SIGN_IN_AUTHORITY": "the platform's door asks",
    "WORKERS": "replicas are how Azure has more than one core",
    "REPLICA_URL": "whether replicas reach each other is not known",
    "AFTER_CALLS": "the default is right",
    "AFTER_MODEL": "the model of the call reads it",
    "WEBHOOK_SECRET": "by hand, from the vault, where an agent has a webhook",
    "WEBHOOK_PRIVATE": "likewise",
    "BUDGET_USER_USD_A_DAY": "by hand: what a day may cost is its owner's to say",
    "BUDGET_USER_MINUTES_A_DAY": "by hand: what a day may cost is its owner's to say",
    "BUDGET_USD_A_DAY": "by hand: what a day may cost is its owner's to say",
    "BUDGET_MINUTES_A_DAY": "by hand: what a day may cost is its owner's to say",
    "LINES_FOR_PEOPLE": "the default is right",
    "CALLS_USER_AT_ONCE": "the default is right",
    "CALLS_ADDRESS_AT_ONCE": "the default is right",
    "CALLS_AGENT_AT_ONCE": "the default is right",
    "CALL_USER_PER_MINUTE": "the default is right",
    "CALL_ADDRESS_PER_MINUTE": "the default is right",
    "CALL_STRANGER_PER_MINUTE": "the default is right",
    "CALL_AGENT_PER_MINUTE": "the default is right",
    "SOCKETS_PER_ADDRESS": "the default is right",
    "REFUSALS_ADDRESS_PER_MINUTE": "the default is right",
    "RETENTION_DAYS": "the default is right",
    "RECORDINGS_MAX_MB": "the default is right",
    "RECORDS_PROCESS": "the default is right",
    "SESSION_CONFIG": "the image's own",
    "REATTACH_SECONDS": "the default is right",
    "TICKET_SECONDS": "the default is right",
    "LOG_LEVEL": "the default is right",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "Application Insights collects",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "likewise",
}
"""Settings on which a deployment has no opinion, and why. The parameter `settings` sets them."""


def azd_name(parameter: str) -> str:
    return AZD.get(parameter) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parameter).upper()


def in_azd() -> dict[str, str]:
    """Parameter to what main.parameters.json says: `${NAME=default}`."""
    text = (INFRA / "main.parameters.json").read_text(encoding="utf-8")
    return {name: each["value"] for name, each in json.loads(text)["parameters"].items()}


def default(parameter: Declaration) -> str:
    value = parameter.value.value if isinstance(parameter.value, Constant) else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_setting_is_set_or_left_alone_for_a_reason() -> None:
    ours = {name.upper() for name in Settings.model_fields}
    told = {*variables(planned("public full")), *variables(planned("locked full"))}
    assert told | LEFT_ALONE.keys() == ours
    assert told.isdisjoint(LEFT_ALONE)


def test_every_parameter_is_a_variable_of_azd_with_the_same_default() -> None:
    parameters = {each.name: each for each in MAIN.of("param") if each.name not in NOT_BY_VARIABLE}
    found = in_azd()
    assert found.keys() == parameters.keys()
    for name, parameter in parameters.items():
        wanted = azd_name(name)
        if parameter.value is not None:
            wanted += f"={default(parameter)}"
        assert found[name] == f"${{{wanted}}}"


def test_every_parameter_is_documented_with_its_default() -> None:
    text = (INFRA / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`|) ?\|", text, re.MULTILINE)
    documented = dict(rows)
    wanted = {
        azd_name(each.name): default(each)
        for each in MAIN.of("param")
        if each.name not in NOT_BY_VARIABLE
    }
    assert documented == wanted


def test_azd_finds_what_it_asks_for() -> None:
    assert {
        *("AZURE_CONTAINER_REGISTRY_ENDPOINT", "AZURE_RESOURCE_GROUP", "AZURE_TENANT_ID"),
        *("SERVICE_APP_NAME", "SWITCHBOARD_URL"),
        *("EVENT_GRID_TOPIC", "ACS_RESOURCE", "ACS_RESOURCE_GROUP", "SWITCHBOARD_GATEWAY_ADDRESS"),
    } <= MAIN.outputs.keys()
    assert planned("public bare").outputs["EVENT_GRID_TOPIC"] == ""
    assert planned("public full").outputs["EVENT_GRID_TOPIC"] != ""
