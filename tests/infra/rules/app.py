"""The container app: probes, port, replicas, draining, and what the server is told."""

from collections.abc import Iterator
from typing import Final

from switchboard.house import LIVE_PATH, PROBES, READY_PATH
from switchboard.settings import Settings
from switchboard.telemetry.names import CALLS_ACTIVE
from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Value
from tests.infra.reading import at, container, listed, variables
from tests.infra.scenarios import Scenario

PATHS: Final = {"Startup": LIVE_PATH, "Liveness": LIVE_PATH, "Readiness": READY_PATH}

EXPECTED: Final = {
    "HOST": "0.0.0.0",
    "DATA_DIR": "/data",
    "LOG_FORMAT": "json",
}
GOODBYES_S: Final = 30
"""What stopping takes at most, once the time to finish calls in is over."""
UNPRIVILEGED: Final = 1024
"""Below it the platform lets only root listen."""
ADDRESSES: Final = {
    "PUBLIC_URL": "",
    "AZURE_OPENAI_ENDPOINT": ".openai.azure.com",
    "AZURE_VOICELIVE_ENDPOINT": ".services.ai.azure.com",
}


def _app(plan: Plan) -> Value:
    return plan.one("Microsoft.App/containerApps").body


def probes(plan: Plan, scenario: Scenario) -> Iterator[str]:
    found = {str(at(each, "type")): each for each in listed(container(plan), "probes")}
    if found.keys() != PATHS.keys():
        yield f"there are probes for {sorted(found)}"
    for kind, probe in found.items():
        path = at(probe, "httpGet.path")
        if path != PATHS[kind] or path not in PROBES:
            yield f"the {kind} probe asks {path}"


def port(plan: Plan, scenario: Scenario) -> Iterator[str]:
    told = variables(plan).get("PORT")
    asked = {str(at(probe, "httpGet.port")) for probe in listed(container(plan), "probes")}
    target = str(at(_app(plan), "properties.configuration.ingress.targetPort"))
    if {target, *asked} != {told} or int(told or 0) < UNPRIVILEGED:
        yield f"it listens on {told}, traffic goes to {target}, probes to {sorted(asked)}"


def replicas(plan: Plan, scenario: Scenario) -> Iterator[str]:
    scale = at(_app(plan), "properties.template.scale")
    least, most = at(scale, "minReplicas"), at(scale, "maxReplicas")
    if not isinstance(least, int) or not isinstance(most, int) or not 1 <= least <= most:
        yield f"{least} to {most} replicas: a cold start loses calls"
    elif most > 1 and "DATABASE_URL" not in variables(plan):
        yield "several replicas have no database in common"
    rules = listed(scale, "rules")
    if not any(at(rule, "http.metadata.concurrentRequests") for rule in rules):
        yield "it does not grow with its connections"
    if not any(at(rule, "custom.type") == "cpu" for rule in rules):
        yield "it does not grow with its work"
    counted = [rule for rule in rules if at(rule, "custom.type") == "azure-log-analytics"]
    wanted = scenario.level != "locked-down" and scenario.given.get("scaleOnCalls", True)
    if bool(counted) is not wanted:
        yield "it does not grow with its calls where it can, or counts them where it cannot"
    for rule in counted:
        query = str(at(rule, "custom.metadata.query"))
        if not at(rule, "custom.identity") or listed(rule, "custom.auth"):
            yield "calls are not counted by identity"
        if CALLS_ACTIVE not in query or "/appi-" not in query:
            yield "the query does not count calls"


def draining(plan: Plan, scenario: Scenario) -> Iterator[str]:
    grace = at(_app(plan), "properties.template.terminationGracePeriodSeconds")
    drained = int(variables(plan).get("DRAIN_SECONDS", "0"))
    if not isinstance(grace, int) or not 0 < drained <= grace - GOODBYES_S or grace > 600:
        yield f"the server drains for {drained} s, and is killed after {grace}"
    if at(_app(plan), "properties.configuration.activeRevisionsMode") != "Single":
        yield "several revisions take calls at once"


def container_itself(plan: Plan, scenario: Scenario) -> Iterator[str]:
    app = _app(plan)
    identity = plan.one("Microsoft.ManagedIdentity/userAssignedIdentities").id
    if at(app, "identity.type") != "UserAssigned" or identity not in str(at(app, "identity")):
        yield "it has not the identity that has the roles"
    if at(app, "properties.configuration.registries.0.identity") != identity:
        yield "its image is not pulled by that identity"
    if at(container(plan), "image") != scenario.given["image"]:
        yield "a new deployment would bring the placeholder back"
    if at(app, "properties.configuration.ingress.external") is not True:
        yield "its ingress is closed"
    doors = plan.of("Microsoft.App/containerApps/authConfigs")
    if bool(doors) is not scenario.has("signInClientId"):
        yield "the door is not as it was asked for"
    for door in doors:
        passed = [str(p) for p in listed(door.body, "properties.globalValidation.excludedPaths")]
        if not {*PROBES, "/api/phone/incoming", "/api/phone/events/*"} <= set(passed):
            yield "the door stops those who have tokens of their own"
        if any(path in ("/", "/*", "/api/*") for path in passed):
            yield "the door stands open"


def features(plan: Plan, scenario: Scenario) -> Iterator[str]:
    told = variables(plan)
    if (told.get("WEBRTC") == "true") is scenario.isolated:
        yield f"WEBRTC is {told.get('WEBRTC')}, where the level is {scenario.level}"
    if ("ACS_ENDPOINT" in told) is not scenario.has("phone"):
        yield "the telephone is not as it was asked for"
    if ("DATABASE_URL" in told) is not scenario.postgres:
        yield "the records are not where they should be"


def values(plan: Plan, scenario: Scenario) -> Iterator[str]:
    """The server would start with this: every name is a setting, every value one of its own."""
    told = variables(plan)
    ours = {name.upper() for name in Settings.model_fields}
    if strangers := told.keys() - ours:
        yield f"the server knows no {sorted(strangers)}"
    for name, value in EXPECTED.items():
        if told.get(name) != value:
            yield f"{name} is {told.get(name)}, not {value}"
    yield from _who_may_come(told, scenario)
    for name, where in ADDRESSES.items():
        address = told.get(name, "")
        if not address.startswith("https://") or where not in address:
            yield f"{name} is {address}"
    if (told.get("TRUSTED_PROXIES") == "10.80.0.0/22") is not scenario.makes_network:
        yield f"the proxies that are believed are {told.get('TRUSTED_PROXIES')}"
    if "clientId" not in told.get("AZURE_CLIENT_ID", ""):
        yield "AZURE_CLIENT_ID does not name the identity"
    if scenario.level == "locked-down":
        yield from _behind_the_gateway(plan, told)
    reference = "secret:event-grid-secret" if scenario.has("eventGridSecretUri") else None
    if told.get("EVENT_GRID_SECRET") != reference:
        yield "the secret of the web hook is not read from the vault"


def _behind_the_gateway(plan: Plan, told: dict[str, str]) -> Iterator[str]:
    """The server answers only to names that it was told: people's, and the gateway's for it."""
    if told.get("PUBLIC_URL") != "https://talk.example.com":
        yield "people would not find it at the gateway"
    app = plan.one("Microsoft.App/containerApps")
    if not told.get("ALLOWED_ORIGINS", "").startswith(f"https://{app.name}."):
        yield "the server would not answer to the name by which the gateway asks"
    for door in plan.of("Microsoft.App/containerApps/authConfigs"):
        host = at(door.body, "properties.httpSettings.forwardProxy.customHostHeaderName")
        if host != "X-Original-Host":
            yield f"{door}: people would be sent back to a name they cannot reach"


def _who_may_come(told: dict[str, str], scenario: Scenario) -> Iterator[str]:
    door = scenario.has("signInClientId")
    asked = {"SIGN_IN": "platform", "SIGN_IN_CLIENT_ID": scenario.given.get("signInClientId")}
    wanted = asked if door else {}
    if {name: told[name] for name in asked if name in told} != wanted:
        yield "the server does not know who signs people in"
    if ("SIGN_IN_TENANT_ID" in told) is not door:
        yield "the server does not know whose people they are"
    if told.get("ALLOW_ANONYMOUS") != ("false" if door else "true"):
        yield "strangers are not let in, or kept out, as it was asked for"
