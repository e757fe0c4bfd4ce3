"""Who may cross which line: subnets, security groups, the way out, the way in."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final

from tests.infra.bicep.expand import Plan
from tests.infra.bicep.values import Resource, Value
from tests.infra.reading import at, listed
from tests.infra.scenarios import Scenario

ANYWHERE: Final = ("*", "Internet", "0.0.0.0/0")
CARRIER: Final = {"52.112.0.0/14", "52.122.0.0/15"}
FIREWALL_SUBNET: Final = "AzureFirewallSubnet"
"""Azure allows no security group on it."""
SIZES: Final = {"apps": 27, "endpoints": 27, "gateway": 26, FIREWALL_SUBNET: 26}
"""The smallest that works: the longest prefix."""
SERVER_NEEDS: Final = {
    *("AzureActiveDirectory", "AzureMonitor", "AzureCloud"),
    *("MicrosoftContainerRegistry", "AzureFrontDoor.FirstParty", "168.63.129.16/32"),
}


def _rules(group: Resource, direction: str, access: str) -> list[Value]:
    return [
        rule
        for rule in listed(group.body, "properties.securityRules")
        if at(rule, "properties.direction") == direction and at(rule, "properties.access") == access
    ]


def _sources(rule: Value) -> set[str]:
    single = at(rule, "properties.sourceAddressPrefix")
    many = [str(each) for each in listed(rule, "properties.sourceAddressPrefixes")]
    return {*many, *([str(single)] if single is not None else [])}


def _ports(rule: Value) -> set[str]:
    single = at(rule, "properties.destinationPortRange")
    many = [str(each) for each in listed(rule, "properties.destinationPortRanges")]
    return {*many, *([str(single)] if single is not None else [])}


def _group(plan: Plan, subnet: str) -> Resource:
    groups = plan.of("Microsoft.Network/networkSecurityGroups")
    [only] = [each for each in groups if each.name == f"nsg-{subnet}"]
    return only


def groups(plan: Plan, scenario: Scenario) -> Iterator[str]:
    for group in plan.of("Microsoft.Network/networkSecurityGroups"):
        for direction in ("Inbound", "Outbound"):
            last = [
                rule
                for rule in _rules(group, direction, "Deny")
                if at(rule, "properties.priority") == 4096
                and at(rule, "properties.protocol") == "*"
                and _sources(rule) == {"*"}
                and _ports(rule) == {"*"}
                and at(rule, "properties.destinationAddressPrefix") == "*"
            ]
            if not last:
                yield f"{group}: {direction} is not denied by default"
            yield from _priorities(group, direction)
        for rule in _rules(group, "Inbound", "Allow"):
            if _sources(rule) & set(ANYWHERE) and _ports(rule) != {"443"}:
                yield f"{group}: {at(rule, 'name')} opens {_ports(rule)} to everybody"
            if at(rule, "properties.destinationAddressPrefix") in ANYWHERE and not (
                _sources(rule) <= {"GatewayManager", "AzureLoadBalancer"}
            ):
                yield f"{group}: {at(rule, 'name')} leads anywhere"
        for rule in _rules(group, "Outbound", "Allow"):
            if at(rule, "properties.destinationAddressPrefix") in ANYWHERE:
                yield f"{group}: {at(rule, 'name')} lets everything out"


def _priorities(group: Resource, direction: str) -> Iterator[str]:
    every = [
        at(rule, "properties.priority")
        for access in ("Allow", "Deny")
        for rule in _rules(group, direction, access)
    ]
    if len(every) != len(set(map(str, every))):
        yield f"{group}: two rules have one priority"


def subnets(plan: Plan, scenario: Scenario) -> Iterator[str]:
    networks = plan.of("Microsoft.Network/virtualNetworks")
    if len(networks) != int(scenario.makes_network):
        yield f"{len(networks)} networks are made"
    for network in networks:
        found = {str(at(each, "name")): each for each in listed(network.body, "properties.subnets")}
        wanted = {"apps", "endpoints"}
        if scenario.level == "locked-down":
            wanted |= {"gateway", FIREWALL_SUBNET}
        if found.keys() != wanted:
            yield f"{network}: its subnets are {sorted(found)}"
        ranges = [ip_network(str(at(s, "properties.addressPrefix"))) for s in found.values()]
        for index, one in enumerate(ranges):
            if any(one.overlaps(other) for other in ranges[:index]):
                yield f"{network}: {one} overlaps another subnet"
        for name, subnet in found.items():
            yield from _subnet(network, name, subnet)


def _subnet(network: Resource, name: str, subnet: Value) -> Iterator[str]:
    prefix = ip_network(str(at(subnet, "properties.addressPrefix"))).prefixlen
    if prefix > SIZES[name]:
        yield f"{network}: {name} is too small"
    group = str(at(subnet, "properties.networkSecurityGroup.id"))
    if name != FIREWALL_SUBNET and not group.endswith(f"/nsg-{name}"):
        yield f"{network}: {name} has no security group of its own"
    delegation = at(subnet, "properties.delegations.0.properties.serviceName")
    if delegation != ("Microsoft.App/environments" if name == "apps" else None):
        yield f"{network}: {name} is delegated to {delegation}"
    if name == "endpoints" and at(subnet, "properties.privateEndpointNetworkPolicies") != "Enabled":
        yield f"{network}: its endpoints are outside the security group"


def ways_out(plan: Plan, scenario: Scenario) -> Iterator[str]:
    firewalls = plan.of("Microsoft.Network/azureFirewalls")
    inspected = scenario.makes_network and scenario.level == "locked-down"
    if len(firewalls) != int(inspected):
        yield f"{len(firewalls)} firewalls are made"
    if len(plan.of("Microsoft.Network/natGateways")) != int(
        scenario.makes_network and not inspected
    ):
        yield "the way out has no address of its own, or two"
    if scenario.makes_network:
        apps = _group(plan, "apps")
        out = {
            str(at(rule, "properties.destinationAddressPrefix"))
            for rule in _rules(apps, "Outbound", "Allow")
        }
        if missing := SERVER_NEEDS - out:
            yield f"{apps}: the server cannot reach {sorted(missing)}"
    if inspected:
        yield from _route(plan)
        yield from _firewall_policy(plan, scenario)


def _route(plan: Plan) -> Iterator[str]:
    [network] = plan.of("Microsoft.Network/virtualNetworks")
    named = {str(at(s, "name")): s for s in listed(network.body, "properties.subnets")}
    prefix = ip_network(str(at(named[FIREWALL_SUBNET], "properties.addressPrefix")))
    routes = plan.one("Microsoft.Network/routeTables")
    route = listed(routes.body, "properties.routes")[0]
    hop = (at(route, "properties.addressPrefix"), at(route, "properties.nextHopIpAddress"))
    if hop != ("0.0.0.0/0", str(prefix[4])):
        yield f"{routes}: what leaves does not go through the firewall"
    if at(named["apps"], "properties.routeTable.id") != routes.id:
        yield f"{routes}: the app's subnet does not use it"


def _firewall_policy(plan: Plan, scenario: Scenario) -> Iterator[str]:
    policy = plan.one("Microsoft.Network/firewallPolicies")
    if at(policy.body, "properties.threatIntelMode") != "Deny":
        yield f"{policy}: known bad addresses are not refused"
    premium = scenario.given.get("firewallTier") == "Premium"
    if (at(policy.body, "properties.intrusionDetection.mode") == "Deny") is not premium:
        yield f"{policy}: intrusions are looked for where they cannot be, or not where they can"
    if bool(at(policy.body, "properties.transportSecurity")) is not premium:
        yield f"{policy}: TLS is looked into where it cannot be, or not where it can"
    group = plan.one("Microsoft.Network/firewallPolicies/ruleCollectionGroups")
    rules = listed(group.body, "properties.ruleCollections.0.rules")
    hosts = {str(host) for rule in rules for host in listed(rule, "targetFqdns")}
    if "*" in hosts or not {"login.microsoftonline.com", "mcr.microsoft.com"} <= hosts:
        yield f"{policy}: it lets everything pass, or not what the server needs"
    if ("acscallautomation.communication.azure.com" in hosts) is not scenario.has("phone"):
        yield f"{policy}: the carrier's keys cannot be had, or need not"


def ways_in(plan: Plan, scenario: Scenario) -> Iterator[str]:
    locked = scenario.level == "locked-down"
    gateways = plan.of("Microsoft.Network/applicationGateways")
    if len(gateways) != int(locked):
        yield f"{len(gateways)} gateways are made"
    environment = plan.one("Microsoft.App/managedEnvironments")
    if bool(at(environment.body, "properties.vnetConfiguration.internal")) is not locked:
        yield f"{environment}: it is not reached as the level says"
    subnet = str(at(environment.body, "properties.vnetConfiguration.infrastructureSubnetId"))
    if scenario.isolated and not subnet.endswith("/subnets/apps"):
        yield f"{environment}: it is outside the network"
    app = plan.one("Microsoft.App/containerApps")
    admitted = listed(app.body, "properties.configuration.ingress.ipSecurityRestrictions")
    wanted = [] if locked else scenario.callers
    if [at(each, "ipAddressRange") for each in admitted] != wanted:
        yield f"{app}: its ingress admits {admitted}"
    if any(at(each, "action") != "Allow" for each in admitted):
        yield f"{app}: its ingress keeps callers out"
    if scenario.makes_network:
        yield from _front(_group(plan, "gateway" if locked else "apps"), scenario)
    if locked and scenario.makes_network:
        inside = _rules(_group(plan, "apps"), "Inbound", "Allow")
        if any(_sources(rule) & {*ANYWHERE, *CARRIER, "AzureEventGrid"} for rule in inside):
            yield "the app can be reached past the gateway"
    for gateway in gateways:
        yield from _gateway(plan, gateway)


def _front(group: Resource, scenario: Scenario) -> Iterator[str]:
    sources = [_sources(rule) for rule in _rules(group, "Inbound", "Allow")]
    if set(scenario.callers or ["Internet"]) not in sources:
        yield f"{group}: nobody's browser gets in"
    if (CARRIER in sources and {"AzureEventGrid"} in sources) is not scenario.has("phone"):
        yield f"{group}: ACS and Event Grid do not get in, or need not"


def _gateway(plan: Plan, gateway: Resource) -> Iterator[str]:
    guard = plan.one("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies")
    if at(gateway.body, "properties.sku.tier") != "WAF_v2":
        yield f"{gateway}: it has no web application firewall"
    if at(gateway.body, "properties.firewallPolicy.id") != guard.id:
        yield f"{gateway}: its firewall has no policy"
    if at(guard.body, "properties.policySettings.mode") != "Prevention":
        yield f"{guard}: it only watches"
    backend = listed(gateway.body, "properties.backendHttpSettingsCollection")[0]
    timeout = at(backend, "properties.requestTimeout")
    if not isinstance(timeout, int) or timeout <= 20:
        yield f"{gateway}: a quiet WebSocket would be closed between two pings"
    probe = listed(gateway.body, "properties.probes")[0]
    if at(probe, "properties.path") != "/livez":
        yield f"{gateway}: it asks {at(probe, 'properties.path')}"
