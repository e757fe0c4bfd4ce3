"""The deployments that are looked at: each level, bare and full, and whatever is brought to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Final

from tests.infra.bicep.expand import Plan, expand
from tests.infra.bicep.values import Value

ROOT: Final = Path(__file__).parents[2]
INFRA: Final = ROOT / "infra"
LONGEST_NAME: Final = "e" * 64
"""azd takes names of up to 64 letters."""
THEIRS: Final = (
    "/subscriptions/00000000-0000-0000-0000-0000000000bb/resourceGroups/rg-theirs/providers"
)
BARE: Final[dict[str, Value]] = {
    "environmentName": LONGEST_NAME,
    "location": "swedencentral",
    "allowAnonymous": True,
    "image": "crx.azurecr.io/switchboard:1",
}
FULL: Final[dict[str, Value]] = {
    **BARE,
    "allowAnonymous": False,
    "signInClientId": "11111111-0000-0000-0000-000000000000",
    "phone": True,
    "phoneNumber": "+441632960000",
    "phoneAgent": "telecom",
    "dialAllowed": "GB,+4420",
    "eventGridAudience": "api://switchboard",
    "eventGridSecretUri": "https://kv.example/secrets/event-grid",
    "recordings": True,
    "minReplicas": 2,
    "maxReplicas": 5,
    "alertEmail": "duty@example.com",
}
PRIVATE: Final[dict[str, Value]] = {"network": "private"}
LOCKED: Final[dict[str, Value]] = {
    "network": "locked-down",
    "gatewayHost": "talk.example.com",
    "gatewayCertificateSecretId": "https://kv.example/secrets/gateway",
    "certificatesIdentityId": f"{THEIRS}/Microsoft.ManagedIdentity/userAssignedIdentities/c",
}
INSIDE: Final[dict[str, Value]] = {"callers": "192.0.2.0/24,198.51.100.0/24"}
PREMIUM: Final[dict[str, Value]] = {
    "firewallTier": "Premium",
    "inspectionCertificateSecretId": "https://kv.example/secrets/authority",
}
BROUGHT: Final[dict[str, dict[str, Value]]] = {
    "ai": {"existingAiId": f"{THEIRS}/Microsoft.CognitiveServices/accounts/their-ai"},
    "acs": {"existingAcsId": f"{THEIRS}/Microsoft.Communication/communicationServices/their-acs"},
    "registry": {"existingRegistryId": f"{THEIRS}/Microsoft.ContainerRegistry/registries/theircr"},
    "workspace": {
        "existingWorkspaceId": f"{THEIRS}/Microsoft.OperationalInsights/workspaces/their-logs"
    },
}
VNET: Final[dict[str, Value]] = {
    "existingVnetId": f"{THEIRS}/Microsoft.Network/virtualNetworks/their-vnet"
}


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    given: dict[str, Value]

    @property
    def level(self) -> str:
        return str(self.given.get("network", "public"))

    @property
    def isolated(self) -> bool:
        return self.level != "public"

    @property
    def callers(self) -> list[str]:
        """The ranges that they are kept to, if to any."""
        given = str(self.given.get("callers", "Internet"))
        return [] if given == "Internet" else given.split(",")

    def has(self, name: str) -> bool:
        return bool(self.given.get(name))

    @property
    def makes_network(self) -> bool:
        return self.isolated and not self.has("existingVnetId")

    @property
    def postgres(self) -> bool:
        return self.has("phone")


def _together(
    things: dict[str, dict[str, Value]],
) -> Iterator[tuple[str, dict[str, Value]]]:
    """Every choice of one or more: their names, and all that they say."""
    for count in range(1, len(things) + 1):
        for names in combinations(things, count):
            together = {key: value for name in names for key, value in things[name].items()}
            yield " and ".join(names), together


def _all() -> list[Scenario]:
    levels: dict[str, dict[str, Value]] = {"public": {}, "private": PRIVATE, "locked": LOCKED}
    found: list[Scenario] = []
    for level, given in levels.items():
        found += [
            Scenario(f"{level} bare", {**BARE, **given}),
            Scenario(f"{level} full", {**FULL, **given}),
        ]
        things = BROUGHT if level == "public" else {**BROUGHT, "network": VNET}
        for names, brought in _together(things):
            found.append(Scenario(f"{level} {names} brought", {**FULL, **given, **brought}))
        if level != "public":
            found.append(Scenario(f"{level} flow logs", {**FULL, **given, "flowLogs": True}))
        uncounted: dict[str, Value] = {"scaleOnCalls": False}
        found.append(Scenario(f"{level} callers", {**BARE, **given, **INSIDE, **uncounted}))
    found.append(Scenario("locked callers with a telephone", {**FULL, **LOCKED, **INSIDE}))
    found.append(Scenario("locked premium", {**FULL, **LOCKED, **PREMIUM}))
    return found


SCENARIOS: Final = {each.name: each for each in _all()}


@cache
def planned(name: str) -> Plan:
    """The plan of a scenario. The same one for every test: nobody changes it."""
    return expand(INFRA / "main.bicep", SCENARIOS[name].given)
