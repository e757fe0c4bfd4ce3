// The network: a subnet for each purpose, and on each a security group that denies what it does
// not name. docs/networking.md lists every flow.

import { carrierRanges } from '../levels.bicep'

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The network\'s name.')
param name string
@description('Its addresses: a /22 or larger.')
param cidr string
@description('Where callers\' browsers may come from: an address range, or Internet.')
param callers string[]
@description('Whether ACS and Event Grid must get in.')
param phone bool
@description('Whether a gateway stands before the app and a firewall behind it.')
param inspected bool
@description('A DDoS protection plan that was brought, or empty.')
param ddosPlanId string
@description('Where logs go.')
param workspaceId string

var apps = cidrSubnet(cidr, 24, 0)
var endpoints = cidrSubnet(cidr, 26, 4)
var gateway = cidrSubnet(cidr, 26, 5)
// The same as modules/firewall.bicep makes; named here so that the network keeps it.
var firewall = cidrSubnet(cidr, 26, 6)
// Azure keeps the first addresses of a subnet to itself; the firewall gets the fourth.
var firewallAddress = cidrHost(firewall, 3)

func allow(name string, priority int, direction string, protocol string, sources string[], destination string, ports string[]) object => {
  name: name
  properties: {
    access: 'Allow'
    priority: priority
    direction: direction
    protocol: protocol
    sourceAddressPrefix: length(sources) == 1 ? sources[0] : null
    sourceAddressPrefixes: length(sources) == 1 ? [] : sources
    sourcePortRange: '*'
    destinationAddressPrefix: destination
    destinationPortRange: length(ports) == 1 ? ports[0] : null
    destinationPortRanges: length(ports) == 1 ? [] : ports
  }
}

func deny(direction string) object => {
  name: 'deny-${toLower(direction)}'
  properties: {
    access: 'Deny'
    priority: 4096
    direction: direction
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

// What the front door admits: the app's own subnet, or the gateway's where there is one.
func front(target string, callers string[], phone bool, ranges string[]) array =>
  concat(
    [allow('callers', 100, 'Inbound', 'Tcp', callers, target, ['443'])],
    phone
      ? [
          allow('carrier', 110, 'Inbound', 'Tcp', ranges, target, ['443'])
          allow('event-grid', 120, 'Inbound', 'Tcp', ['AzureEventGrid'], target, ['443'])
        ]
      : []
  )

var appsRules = concat(
  inspected
    ? [allow('gateway', 100, 'Inbound', 'Tcp', [gateway], apps, ['443', '31443'])]
    : front(apps, callers, phone, carrierRanges),
  [
    allow('probes', 200, 'Inbound', 'Tcp', ['AzureLoadBalancer'], apps, ['30000-32767'])
    allow('within-in', 210, 'Inbound', '*', [apps], apps, ['*'])
    deny('Inbound')
    allow('within-out', 100, 'Outbound', '*', [apps], apps, ['*'])
    allow('endpoints', 110, 'Outbound', 'Tcp', [apps], endpoints, ['443', '5432'])
    allow('entra', 120, 'Outbound', 'Tcp', [apps], 'AzureActiveDirectory', ['443'])
    allow('monitor', 130, 'Outbound', 'Tcp', [apps], 'AzureMonitor', ['443'])
    allow('platform-images', 140, 'Outbound', 'Tcp', [apps], 'MicrosoftContainerRegistry', ['443'])
    allow('platform-front', 150, 'Outbound', 'Tcp', [apps], 'AzureFrontDoor.FirstParty', ['443'])
    // The carrier's API, and Entra's signing keys for its tokens: no narrower tag is known.
    allow('azure', 160, 'Outbound', 'Tcp', [apps], 'AzureCloud', ['443'])
    allow('dns', 170, 'Outbound', '*', [apps], '168.63.129.16/32', ['53'])
    deny('Outbound')
  ]
)

var endpointsRules = [
  allow('apps', 100, 'Inbound', 'Tcp', [apps], endpoints, ['443', '5432'])
  deny('Inbound')
  deny('Outbound')
]

var gatewayRules = concat(front(gateway, callers, phone, carrierRanges), [
  allow('gateway-manager', 200, 'Inbound', 'Tcp', ['GatewayManager'], '*', ['65200-65535'])
  allow('probes', 210, 'Inbound', '*', ['AzureLoadBalancer'], '*', ['*'])
  deny('Inbound')
  allow('apps', 100, 'Outbound', 'Tcp', [gateway], apps, ['443'])
  allow('endpoints', 110, 'Outbound', 'Tcp', [gateway], endpoints, ['443'])
  allow('entra', 120, 'Outbound', 'Tcp', [gateway], 'AzureActiveDirectory', ['443'])
  allow('monitor', 130, 'Outbound', 'Tcp', [gateway], 'AzureMonitor', ['443'])
  allow('dns', 140, 'Outbound', '*', [gateway], '168.63.129.16/32', ['53'])
  deny('Outbound')
])

var guarded = concat(
  [
    { name: 'apps', prefix: apps, delegation: 'Microsoft.App/environments', rules: appsRules }
    { name: 'endpoints', prefix: endpoints, delegation: '', rules: endpointsRules }
  ],
  inspected ? [{ name: 'gateway', prefix: gateway, delegation: '', rules: gatewayRules }] : []
)

resource groups 'Microsoft.Network/networkSecurityGroups@2024-07-01' = [
  for subnet in guarded: {
    name: 'nsg-${subnet.name}'
    location: location
    tags: tags
    properties: { securityRules: subnet.rules }
  }
]

resource routes 'Microsoft.Network/routeTables@2024-07-01' = if (inspected) {
  name: 'rt-apps'
  location: location
  tags: tags
  properties: {
    disableBgpRoutePropagation: true
    routes: [
      {
        name: 'through-firewall'
        properties: {
          addressPrefix: '0.0.0.0/0'
          nextHopType: 'VirtualAppliance'
          nextHopIpAddress: firewallAddress
        }
      }
    ]
  }
}

// Without a firewall the app leaves by an address of its own, which others can put on a list.
resource outgoing 'Microsoft.Network/publicIPAddresses@2024-07-01' = if (!inspected) {
  name: 'pip-outgoing'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource nat 'Microsoft.Network/natGateways@2024-07-01' = if (!inspected) {
  name: 'ng-apps'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outgoing.id }] }
}

// Azure Firewall's subnet takes no security group: the firewall itself is the guard.
var unguarded = inspected ? [{ name: 'AzureFirewallSubnet', properties: { addressPrefix: firewall } }] : []

resource vnet 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [cidr] }
    enableDdosProtection: !empty(ddosPlanId)
    ddosProtectionPlan: empty(ddosPlanId) ? null : { id: ddosPlanId }
    subnets: concat(
      map(range(0, length(guarded)), i => {
        name: guarded[i].name
        properties: {
          addressPrefix: guarded[i].prefix
          defaultOutboundAccess: false
          networkSecurityGroup: { id: resourceId('Microsoft.Network/networkSecurityGroups', 'nsg-${guarded[i].name}') }
          routeTable: inspected && guarded[i].name == 'apps' ? { id: routes.id } : null
          natGateway: !inspected && guarded[i].name == 'apps' ? { id: nat.id } : null
          delegations: empty(guarded[i].delegation)
            ? []
            : [{ name: 'platform', properties: { serviceName: guarded[i].delegation } }]
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }),
      unguarded
    )
  }
  dependsOn: [groups]
}

resource groupDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = [
  for (subnet, i) in guarded: {
    name: 'to-workspace'
    scope: groups[i]
    properties: {
      workspaceId: workspaceId
      logs: [{ categoryGroup: 'allLogs', enabled: true }]
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vnet
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('The network.')
output id string = vnet.id
@description('Where the app\'s subnet is: whose traffic the firewall judges.')
output appsCidr string = apps
