"""At `private` and above every service that can be private is, with all of its names."""

from collections.abc import Iterator
from typing import Final

from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Resource
from tests.infra.reading import at, listed
from tests.infra.scenarios import Scenario

CLOSED: Final = (
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.DBforPostgreSQL/flexibleServers",
)
NEVER_CLOSED: Final = "Microsoft.Communication/communicationServices"
"""It has no private endpoint, and the telephone network is outside."""
ZONES: Final[dict[str, set[str]]] = {
    "account": {
        "privatelink.cognitiveservices.azure.com",
        "privatelink.openai.azure.com",
        "privatelink.services.ai.azure.com",
    },
    "registry": {"privatelink.azurecr.io"},
    "vault": {"privatelink.vaultcore.azure.net"},
    "blob": {"privatelink.blob.core.windows.net"},
    "postgresqlServer": {"privatelink.postgres.database.azure.com"},
    "azuremonitor": {
        "privatelink.monitor.azure.com",
        "privatelink.oms.opinsights.azure.com",
        "privatelink.ods.opinsights.azure.com",
        "privatelink.agentsvc.azure-automation.net",
        "privatelink.blob.core.windows.net",
    },
}
TARGETS: Final = {
    "account": "/accounts/",
    "registry": "/registries/",
    "vault": "/vaults/",
    "blob": "/storageAccounts/",
    "postgresqlServer": "/flexibleServers/",
    "azuremonitor": "/privateLinkScopes/",
}


def closed(plan: Plan, scenario: Scenario) -> Iterator[str]:
    wanted = "Disabled" if scenario.isolated else "Enabled"
    for kind in CLOSED:
        for each in plan.of(kind):
            path = "properties.publicNetworkAccess"
            if kind.startswith("Microsoft.DBforPostgreSQL"):
                path = "properties.network.publicNetworkAccess"
            if at(each.body, path) != wanted:
                yield f"{each}: public access is {at(each.body, path)}"
            rules = at(each.body, "properties.networkAcls.defaultAction")
            if scenario.isolated and rules not in (None, "Deny"):
                yield f"{each}: its own rules let everybody in"
    for each in plan.of(NEVER_CLOSED):
        if at(each.body, "properties.publicNetworkAccess") != "Enabled":
            yield f"{each}: the carrier cannot be reached"
    if scenario.isolated and plan.of("Microsoft.DBforPostgreSQL/flexibleServers/firewallRules"):
        yield "the database has a rule for public addresses"
    yield from _monitor(plan, scenario, wanted)


def _monitor(plan: Plan, scenario: Scenario, wanted: str) -> Iterator[str]:
    query = "Disabled" if scenario.level == "locked-down" else "Enabled"
    for kind in ("Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components"):
        for each in plan.of(kind):
            if at(each.body, "properties.publicNetworkAccessForIngestion") != wanted:
                yield f"{each}: who may send to it is not as the level says"
            if at(each.body, "properties.publicNetworkAccessForQuery") != query:
                yield f"{each}: who may ask it is not as the level says"
    for each in plan.of("Microsoft.Insights/privateLinkScopes"):
        linked = plan.of("Microsoft.Insights/privateLinkScopes/scopedResources")
        if len(linked) != 2:
            yield f"{each}: it does not lead to both"
        if at(each.body, "properties.accessModeSettings.ingestionAccessMode") != "PrivateOnly":
            yield f"{each}: it lets data out elsewhere"


def _group(endpoint: Resource) -> str:
    connection = listed(endpoint.body, "properties.privateLinkServiceConnections")[0]
    return str(at(connection, "properties.groupIds.0"))


def endpoints(plan: Plan, scenario: Scenario) -> Iterator[str]:
    found = plan.of("Microsoft.Network/privateEndpoints")
    wanted: set[str] = set()
    if scenario.isolated:
        wanted = {"account", "registry", "vault", "azuremonitor"}
        wanted |= {"postgresqlServer"} if scenario.postgres else set()
        wanted |= {"blob"} if scenario.has("recordings") else set()
    if {_group(each) for each in found} != wanted or len(found) != len(wanted):
        yield f"there are endpoints for {sorted(map(_group, found))}, not {sorted(wanted)}"
    for each in found:
        connection = listed(each.body, "properties.privateLinkServiceConnections")[0]
        service = str(at(connection, "properties.privateLinkServiceId"))
        if TARGETS[_group(each)] not in service:
            yield f"{each}: it leads to {service}"
        if not str(at(each.body, "properties.subnet.id")).endswith("/subnets/endpoints"):
            yield f"{each}: it is not in the subnet for endpoints"
    for name in ("existingAiId", "existingRegistryId"):
        targets = [str(listed(e.body, "properties.privateLinkServiceConnections")) for e in found]
        brought = scenario.given.get(name)
        if found and brought and not any(str(brought) in target for target in targets):
            yield f"{name} has no endpoint"


def zones(plan: Plan, scenario: Scenario) -> Iterator[str]:
    made = {each.name: each for each in plan.of("Microsoft.Network/privateDnsZones")}
    links = plan.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")
    groups = plan.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    for each in plan.of("Microsoft.Network/privateEndpoints"):
        own = [group for group in groups if group.id.startswith(each.id + "/")]
        configs = listed(own[0].body, "properties.privateDnsZoneConfigs") if own else []
        ids = [str(at(config, "properties.privateDnsZoneId")) for config in configs]
        if {zone.rsplit("/", 1)[-1] for zone in ids} != ZONES[_group(each)]:
            yield f"{each}: its names are in {ids}"
        if missing := [zone for zone in ids if zone not in {m.id for m in made.values()}]:
            yield f"{each}: there are no zones {missing}"
    for zone in made.values():
        if not any(link.id.startswith(f"{zone.id}/") for link in links):
            yield f"{zone}: nobody in the network asks it"
    if scenario.level == "locked-down" and not plan.of("Microsoft.Network/privateDnsZones/A"):
        yield "nobody knows the app's name inside the network"
