"""What whoever runs it needs: logs, tags, names that fit, backups, alerts."""

import re
from collections.abc import Iterator
from typing import Final

from tests.infra.bicep.catalogue import resource as shape_of
from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Resource
from tests.infra.reading import at, listed, made
from tests.infra.scenarios import LONGEST_NAME, Scenario

SETTING: Final = "Microsoft.Insights/diagnosticSettings"
LOGGED: Final = (
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.Communication/communicationServices",
    "Microsoft.EventGrid/systemTopics",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.App/managedEnvironments",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/applicationGateways",
)
LIMITS: Final[dict[str, str]] = {
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.CognitiveServices/accounts": r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]",
    "Microsoft.Communication/communicationServices": r"[A-Za-z0-9-]{1,63}",
    "Microsoft.EventGrid/systemTopics": r"[A-Za-z0-9-]{3,128}",
    "Microsoft.ContainerRegistry/registries": r"[A-Za-z0-9]{5,50}",
    "Microsoft.App/managedEnvironments": r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]",
    "Microsoft.App/containerApps": r"[a-z][a-z0-9-]{0,30}[a-z0-9]",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.KeyVault/vaults": r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.DBforPostgreSQL/flexibleServers": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/applicationGateways": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/azureFirewalls": r"[A-Za-z0-9][\w.-]{0,54}\w",
}


def diagnostics(plan: Plan, scenario: Scenario) -> Iterator[str]:
    settings = {each.id.split(f"/providers/{SETTING}")[0]: each for each in plan.of(SETTING)}
    for resource in made(plan):
        if resource.kind not in LOGGED:
            continue
        setting = settings.get(resource.id)
        if setting is None:
            yield f"{resource}: it logs nothing"
            continue
        if "/workspaces/" not in str(at(setting.body, "properties.workspaceId")):
            yield f"{resource}: its logs go to no workspace"
        if not any(at(each, "enabled") is True for each in listed(setting.body, "properties.logs")):
            yield f"{resource}: its setting logs nothing"


def _takes_tags(resource: Resource) -> bool:
    shape = shape_of(f"{resource.kind}@{resource.version}")
    return shape is not None and "tags" in shape.body.properties()


def tags(plan: Plan, scenario: Scenario) -> Iterator[str]:
    for resource in made(plan):
        if _takes_tags(resource) and at(resource.body, "tags.azd-env-name") != LONGEST_NAME:
            yield f"{resource}: it has not the tags of the others"
    app = plan.one("Microsoft.App/containerApps")
    if at(app.body, "tags.azd-service-name") != "app":
        yield f"{app}: azd would not find it"


def names(plan: Plan, scenario: Scenario) -> Iterator[str]:
    for resource in made(plan):
        unknown = "<" in resource.name  # an id that Azure gives
        if not unknown and not re.fullmatch(LIMITS.get(resource.kind, r".{1,80}"), resource.name):
            yield f"{resource}: {resource.name} is no name for it"


def backups(plan: Plan, scenario: Scenario) -> Iterator[str]:
    if len(plan.of("Microsoft.DBforPostgreSQL/flexibleServers")) != int(scenario.postgres):
        yield "PostgreSQL is there without a need, or not there with one"
    for server in plan.of("Microsoft.DBforPostgreSQL/flexibleServers"):
        days = at(server.body, "properties.backup.backupRetentionDays")
        if not isinstance(days, int) or days < (35 if scenario.isolated else 7):
            yield f"{server}: its backups are kept for {days} days"
    for vault in plan.of("Microsoft.KeyVault/vaults"):
        if at(vault.body, "properties.enableSoftDelete") is not True:
            yield f"{vault}: what is deleted is gone"
        if scenario.isolated and at(vault.body, "properties.enablePurgeProtection") is not True:
            yield f"{vault}: it may be purged"
    for blobs in plan.of("Microsoft.Storage/storageAccounts/blobServices"):
        if at(blobs.body, "properties.deleteRetentionPolicy.enabled") is not True:
            yield f"{blobs}: what is deleted is gone"
        if not plan.of("Microsoft.Storage/storageAccounts/managementPolicies"):
            yield f"{blobs}: recordings are kept for ever"


def alerts(plan: Plan, scenario: Scenario) -> Iterator[str]:
    found = plan.of("Microsoft.Insights/metricAlerts")
    logs = plan.of("Microsoft.Insights/scheduledQueryRules")
    if len(found) < 2 + int(scenario.postgres) or len(logs) < 2:
        yield "an alert is missing"
    group = plan.one("Microsoft.Insights/actionGroups")
    for each in found:
        if at(each.body, "properties.actions.0.actionGroupId") != group.id:
            yield f"{each}: nobody is told"
    for each in logs:
        if at(each.body, "properties.actions.actionGroups.0") != group.id:
            yield f"{each}: nobody is told"
    if scenario.has("alertEmail") and not listed(group.body, "properties.emailReceivers"):
        yield f"{group}: nobody gets mail"
    plan.one("Microsoft.Insights/workbooks")
