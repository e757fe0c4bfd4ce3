// The only way in to a locked-down network: an Application Gateway with a web application firewall.
// WebSockets pass it: their opening request is inspected, their frames are not.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The gateway\'s name.')
param name string
@description('The subnet it lies in.')
param subnetId string
@description('The app\'s host name inside the network.')
param appHost string
@description('The name that people and the carrier use.')
param hostName string
@description('Its certificate: a Key Vault secret.')
param certificateSecretId string
@description('The identity that may read the certificate.')
param certificatesIdentityId string
@description('Where its logs go.')
param workspaceId string

var gatewayId = resourceId('Microsoft.Network/applicationGateways', name)

resource address 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource guard 'Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies@2024-07-01' = {
  name: 'waf-${name}'
  location: location
  tags: tags
  properties: {
    policySettings: {
      state: 'Enabled'
      mode: 'Prevention'
      requestBodyCheck: true
      maxRequestBodySizeInKb: 128
    }
    customRules: [
      {
        name: 'OneAddressAtATime'
        priority: 10
        ruleType: 'RateLimitRule'
        action: 'Block'
        rateLimitDuration: 'OneMin'
        rateLimitThreshold: 600
        groupByUserSession: [{ groupByVariables: [{ variableName: 'ClientAddr' }] }]
        // Everybody: the rule counts each address by itself.
        matchConditions: [
          {
            matchVariables: [{ variableName: 'RequestUri' }]
            operator: 'Contains'
            negationConditon: false
            matchValues: ['/']
          }
        ]
      }
    ]
    managedRules: {
      managedRuleSets: [
        { ruleSetType: 'Microsoft_DefaultRuleSet', ruleSetVersion: '2.1' }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.0' }
      ]
    }
  }
}

resource gateway 'Microsoft.Network/applicationGateways@2024-07-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${certificatesIdentityId}': {} } }
  properties: {
    sku: { name: 'WAF_v2', tier: 'WAF_v2' }
    autoscaleConfiguration: { minCapacity: 1, maxCapacity: 5 }
    enableHttp2: true
    firewallPolicy: { id: guard.id }
    sslPolicy: { policyType: 'Predefined', policyName: 'AppGwSslPolicy20220101' } // TLS 1.2 and 1.3
    sslCertificates: [{ name: 'own', properties: { keyVaultSecretId: certificateSecretId } }]
    gatewayIPConfigurations: [{ name: 'inside', properties: { subnet: { id: subnetId } } }]
    frontendIPConfigurations: [{ name: 'outside', properties: { publicIPAddress: { id: address.id } } }]
    frontendPorts: [{ name: 'https', properties: { port: 443 } }]
    httpListeners: [
      {
        name: 'https'
        properties: {
          protocol: 'Https'
          hostName: hostName
          frontendIPConfiguration: { id: '${gatewayId}/frontendIPConfigurations/outside' }
          frontendPort: { id: '${gatewayId}/frontendPorts/https' }
          sslCertificate: { id: '${gatewayId}/sslCertificates/own' }
        }
      }
    ]
    backendAddressPools: [{ name: 'app', properties: { backendAddresses: [{ fqdn: appHost }] } }]
    probes: [
      {
        name: 'live'
        properties: {
          protocol: 'Https'
          path: '/livez'
          interval: 10
          timeout: 5
          unhealthyThreshold: 3
          pickHostNameFromBackendHttpSettings: true
        }
      }
    ]
    backendHttpSettingsCollection: [
      {
        name: 'app'
        properties: {
          port: 443
          protocol: 'Https'
          cookieBasedAffinity: 'Disabled'
          pickHostNameFromBackendAddress: true
          // Longer than the 20 s between the server's pings, so that a quiet socket stays open.
          requestTimeout: 300
          connectionDraining: { enabled: true, drainTimeoutInSec: 600 }
          probe: { id: '${gatewayId}/probes/live' }
        }
      }
    ]
    requestRoutingRules: [
      {
        name: 'app'
        properties: {
          ruleType: 'Basic'
          priority: 100
          httpListener: { id: '${gatewayId}/httpListeners/https' }
          backendAddressPool: { id: '${gatewayId}/backendAddressPools/app' }
          backendHttpSettings: { id: '${gatewayId}/backendHttpSettingsCollection/app' }
        }
      }
    ]
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: gateway
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('What the host name must lead to: an A record that is yours to make.')
output publicAddress string = address.properties.ipAddress
