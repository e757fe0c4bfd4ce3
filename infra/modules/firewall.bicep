// The only way out of a locked-down network: an Azure Firewall that knows the names the app needs.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The firewall\'s name.')
param name string
@description('The network it stands in, which has a subnet for it.')
param vnetId string
@description('Whose traffic it judges.')
param appsCidr string
@description('Standard judges names; Premium also looks inside TLS and for intrusions.')
param tier 'Standard' | 'Premium'
@description('For Premium: the certificate authority that it signs with, a Key Vault secret; else empty.')
param inspectionCertificateSecretId string
@description('The identity that may read that certificate; else empty.')
param certificatesIdentityId string
@description('The carrier\'s host name, or empty.')
param carrierHost string
@description('Where its logs go.')
param workspaceId string

var premium = tier == 'Premium'
var https = [{ protocolType: 'Https', port: 443 }]

// Names: Microsoft's page on Container Apps behind Azure Firewall. Registry, vault, models, records
// and logs are private endpoints, and do not come by here.
var destinations = concat(
  [
    {
      name: 'platform'
      fqdns: ['mcr.microsoft.com', '*.data.mcr.microsoft.com', 'packages.aks.azure.com', 'acs-mirror.azureedge.net']
    }
    {
      name: 'entra'
      fqdns: [
        replace(replace(environment().authentication.loginEndpoint, 'https://', ''), '/', '')
        '*.login.microsoft.com'
        '*.identity.azure.net'
      ]
    }
  ],
  empty(carrierHost) ? [] : [{ name: 'carrier', fqdns: [carrierHost, 'acscallautomation.communication.azure.com'] }]
)

resource address 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource policy 'Microsoft.Network/firewallPolicies@2024-07-01' = {
  name: 'afwp-${name}'
  location: location
  tags: tags
  identity: premium
    ? { type: 'UserAssigned', userAssignedIdentities: { '${certificatesIdentityId}': {} } }
    : { type: 'None' }
  properties: {
    sku: { tier: tier }
    threatIntelMode: 'Deny'
    dnsSettings: { enableProxy: true }
    intrusionDetection: premium ? { mode: 'Deny' } : null
    transportSecurity: premium
      ? { certificateAuthority: { name: 'inspection', keyVaultSecretId: inspectionCertificateSecretId } }
      : null
  }
}

resource rules 'Microsoft.Network/firewallPolicies/ruleCollectionGroups@2024-07-01' = {
  parent: policy
  name: 'outgoing'
  properties: {
    priority: 200
    ruleCollections: [
      {
        name: 'named-hosts'
        priority: 200
        ruleCollectionType: 'FirewallPolicyFilterRuleCollection'
        action: { type: 'Allow' }
        rules: map(destinations, destination => {
          name: destination.name
          ruleType: 'ApplicationRule'
          sourceAddresses: [appsCidr]
          protocols: https
          targetFqdns: destination.fqdns
          // Pinned certificates: the platform's and Entra's own clients would refuse ours.
          terminateTLS: premium && destination.name == 'carrier'
        })
      }
    ]
  }
}

resource firewall 'Microsoft.Network/azureFirewalls@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'AZFW_VNet', tier: tier }
    firewallPolicy: { id: policy.id }
    ipConfigurations: [
      {
        name: 'outgoing'
        properties: {
          subnet: { id: '${vnetId}/subnets/AzureFirewallSubnet' }
          publicIPAddress: { id: address.id }
        }
      }
    ]
  }
  dependsOn: [rules]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: firewall
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('The address that the carrier and others see.')
output publicAddress string = address.properties.ipAddress
