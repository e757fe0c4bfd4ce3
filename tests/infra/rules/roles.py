"""Who may do what: exactly the roles of docs/authentication.md, each on one resource."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Resource
from tests.infra.reading import at
from tests.infra.scenarios import ROOT, Scenario

ASSIGNMENT: Final = "Microsoft.Authorization/roleAssignments"
GUID: Final = re.compile(r"`([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`")
ROW: Final = re.compile(r"^\|[^|]*\|[^|]*\| \*([^*|]+)\*[^|]*\| `([0-9a-f-]{36})`", re.MULTILINE)


@cache
def documented() -> dict[str, str]:
    """Role id to name, by the table in the documentation."""
    text = (ROOT / "docs/authentication.md").read_text(encoding="utf-8")
    return {found[2]: found[1] for found in ROW.finditer(text)}


def _role(assignment: Resource) -> str:
    return str(at(assignment.body, "properties.roleDefinitionId")).rsplit("/", 1)[-1]


def _scope(assignment: Resource) -> str:
    """The type of what the role is on: `accounts`, `vaults`."""
    return assignment.id.split("/providers/Microsoft.Authorization")[0].rsplit("/", 2)[-2]


def _wanted(scenario: Scenario) -> set[tuple[str, str]]:
    wanted = {
        ("Cognitive Services OpenAI User", "accounts"),
        ("Cognitive Services User", "accounts"),
        ("Foundry User", "accounts"),
        ("AcrPull", "registries"),
        ("Key Vault Secrets User", "vaults"),
        ("Monitoring Metrics Publisher", "components"),
        ("Log Analytics Reader", "workspaces"),
    }
    if scenario.has("phone"):
        wanted.add(("Communication and Email Service Owner", "communicationServices"))
    if scenario.has("recordings"):
        wanted.add(("Storage Blob Data Contributor", "containers"))
    return wanted


def exactly_those(plan: Plan, scenario: Scenario) -> Iterator[str]:
    names = documented()
    found = {(names.get(_role(each), _role(each)), _scope(each)) for each in plan.of(ASSIGNMENT)}
    wanted = _wanted(scenario)
    for role, kind in sorted(wanted - found):
        yield f"the role {role} on {kind} is missing"
    for role, kind in sorted(found - wanted):
        yield f"the role {role} on {kind} is not asked for"
    if scenario.has("recordings"):
        yield from _writers(plan, scenario)
    for name, kind in (("existingAiId", "accounts"), ("existingAcsId", "communicationServices")):
        brought = str(scenario.given.get(name, ""))
        for each in plan.of(ASSIGNMENT):
            if brought and _scope(each) == kind and not each.id.startswith(brought):
                yield f"{each}: the role is not on what was brought"


def _writers(plan: Plan, scenario: Scenario) -> Iterator[str]:
    """The carrier writes recordings itself only where it can reach the account."""
    own = scenario.has("phone") and not scenario.has("existingAcsId")
    wanted = 2 if own and not scenario.isolated else 1
    found = [each for each in plan.of(ASSIGNMENT) if _scope(each) == "containers"]
    if len(found) != wanted:
        yield f"{len(found)} may write recordings, not {wanted}"


def well_formed(plan: Plan, scenario: Scenario) -> Iterator[str]:
    names: set[str] = set()
    for each in plan.of(ASSIGNMENT):
        if _role(each) not in documented():
            yield f"{each}: docs/authentication.md does not know the role {_role(each)}"
        if at(each.body, "properties.principalType") != "ServicePrincipal":
            yield f"{each}: its principalType is not said"
        if not at(each.body, "properties.principalId"):
            yield f"{each}: it is nobody's"
        if each.id in names:
            yield f"{each}: two assignments have one name"
        names.add(each.id)
