"""No key anywhere, no other way in than Entra, no old TLS."""

import re
from collections.abc import Iterator
from typing import Final

from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Value
from tests.infra.reading import at, listed, made, texts, variables
from tests.infra.scenarios import Scenario

KEY: Final = re.compile(
    r"(?i)listkeys|accountkey|sharedaccess|sharedkey|instrumentationkey|connectionstring"
    r"|primarykey|secondarykey|accesskey|adminpassword|clientsecret|:[^/@\s]+@"
)
"""Names of keys, and an address with a password in it."""
NO_KEY: Final = re.compile(r"<<\S+/Microsoft\.Insights/components/\S+>\.ConnectionString>")
"""Only says where: what it leads to takes nothing without a token, which `OFF` sees to."""
OFF: Final[dict[str, dict[str, Value]]] = {
    "Microsoft.CognitiveServices/accounts": {"properties.disableLocalAuth": True},
    "Microsoft.Communication/communicationServices": {"properties.disableLocalAuth": True},
    "Microsoft.ContainerRegistry/registries": {
        "properties.adminUserEnabled": False,
        "properties.anonymousPullEnabled": False,
    },
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.isLocalUserEnabled": False,
        "properties.defaultToOAuthAuthentication": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {
        "properties.publicAccess": "None"
    },
    "Microsoft.KeyVault/vaults": {"properties.enableRbacAuthorization": True},
    "Microsoft.DBforPostgreSQL/flexibleServers": {
        "properties.authConfig.passwordAuth": "Disabled",
        "properties.authConfig.activeDirectoryAuth": "Enabled",
    },
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.App/managedEnvironments": {
        # The other destination asks for the workspace's key.
        "properties.appLogsConfiguration.destination": "azure-monitor"
    },
}
TLS: Final[dict[str, dict[str, Value]]] = {
    "Microsoft.Storage/storageAccounts": {
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": True,
    },
    "Microsoft.App/containerApps": {"properties.configuration.ingress.allowInsecure": False},
    "Microsoft.App/managedEnvironments": {
        "properties.peerTrafficConfiguration.encryption.enabled": True
    },
    "Microsoft.App/containerApps/authConfigs": {"properties.httpSettings.requireHttps": True},
    "Microsoft.DBforPostgreSQL/flexibleServers/configurations": {"properties.value": "TLSv1.2"},
    "Microsoft.Network/applicationGateways": {
        "properties.sslPolicy.policyName": "AppGwSslPolicy20220101",
        "properties.httpListeners.0.properties.protocol": "Https",
        "properties.backendHttpSettingsCollection.0.properties.protocol": "Https",
    },
}


def no_keys(plan: Plan, scenario: Scenario) -> Iterator[str]:
    places: dict[str, Value] = {"outputs": plan.outputs, "env": dict(variables(plan))}
    for where, values in places.items():
        for path, text in texts(values):
            if KEY.search(text) and not NO_KEY.fullmatch(text):
                yield f"{where}: {path} holds a key, or what is called one: {text}"
    app = plan.one("Microsoft.App/containerApps")
    for secret in listed(app.body, "properties.configuration.secrets"):
        if at(secret, "value") is not None or not at(secret, "keyVaultUrl"):
            yield f"{app}: a secret is no reference to a vault"
    for registry in listed(app.body, "properties.configuration.registries"):
        if at(registry, "username") is not None or not at(registry, "identity"):
            yield f"{app}: the registry is not asked by identity"
    for door in plan.of("Microsoft.App/containerApps/authConfigs"):
        if any("clientSecret" in path for path, _ in texts(door.body)):
            yield f"{door}: signing in needs no secret"


def _held(plan: Plan, wanted: dict[str, dict[str, Value]]) -> Iterator[str]:
    for resource in made(plan):
        for path, value in wanted.get(resource.kind, {}).items():
            if at(resource.body, path) != value:
                yield f"{resource}: {path} is {at(resource.body, path)!r}, not {value!r}"


def local_authentication_off(plan: Plan, scenario: Scenario) -> Iterator[str]:
    yield from _held(plan, OFF)


def tls(plan: Plan, scenario: Scenario) -> Iterator[str]:
    yield from _held(plan, TLS)
    for server in plan.of("Microsoft.DBforPostgreSQL/flexibleServers"):
        settings = plan.of("Microsoft.DBforPostgreSQL/flexibleServers/configurations")
        if not any(each.name == "ssl_min_protocol_version" for each in settings):
            yield f"{server}: its oldest TLS is not set"
