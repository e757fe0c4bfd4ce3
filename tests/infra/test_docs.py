"""The documentation names what the templates open, and nothing that they do not."""

import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.infra.reading import at, listed, texts
from tests.infra.rules.private import ZONES
from tests.infra.rules.roles import ASSIGNMENT, documented
from tests.infra.scenarios import ROOT, planned

NETWORKING: Final = (ROOT / "docs/networking.md").read_text(encoding="utf-8")
TAG: Final = re.compile(r"^[A-Z][A-Za-z]+(\.[A-Za-z]+)?$")
"""A service tag, such as AzureMonitor."""


def tags() -> Iterator[str]:
    for scenario in ("private full", "locked full"):
        for group in planned(scenario).of("Microsoft.Network/networkSecurityGroups"):
            for rule in listed(group.body, "properties.securityRules"):
                prefixes = listed(rule, "properties.sourceAddressPrefixes")
                for side in ("source", "destination"):
                    prefixes = [*prefixes, at(rule, f"properties.{side}AddressPrefix")]
                yield from (str(each) for each in prefixes if each not in (None, "*", "Internet"))


def hosts() -> Iterator[str]:
    plan = planned("locked full")
    group = plan.one("Microsoft.Network/firewallPolicies/ruleCollectionGroups")
    for path, text in texts(group.body):
        if "targetFqdns" in path and "<" not in text:
            yield text


def test_every_flow_is_in_the_table() -> None:
    assert {tag for tag in tags() if TAG.match(tag) and f"`{tag}`" not in NETWORKING} == set()
    for carrier in ("52.112.0.0/14", "52.122.0.0/15", "168.63.129.16"):
        assert any(tag.startswith(carrier) for tag in tags())
        assert carrier in NETWORKING


def test_every_host_behind_the_firewall_is_in_the_table() -> None:
    of_entra = {"login.microsoftonline.com", "*.login.microsoft.com"}  # "Entra's hosts" there
    missing = {host for host in hosts() if f"`{host}`" not in NETWORKING} - of_entra
    assert missing == set()


def test_every_documented_role_is_given_to_somebody() -> None:
    given = {
        str(at(each.body, "properties.roleDefinitionId")).rsplit("/", 1)[-1]
        for each in planned("public full").of(ASSIGNMENT)
    }
    assert documented().keys() == given


@pytest.mark.parametrize("service", ZONES)
def test_the_zones_are_those_of_the_templates(service: str) -> None:
    made = {each.name for each in planned("private full").of("Microsoft.Network/privateDnsZones")}
    assert ZONES[service] <= made


@pytest.mark.parametrize("page", ["networking", "authentication", "cost"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
