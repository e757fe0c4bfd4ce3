// Where containers run. Its logs go out by a diagnostic setting, which needs no workspace key.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The environment\'s name.')
param name string
@description('The subnet it fills, delegated to it; or empty, outside any network.')
param subnetId string
@description('Whether it has an address inside the network only.')
param internal bool
@description('Where its logs go.')
param workspaceId string

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' }
    peerTrafficConfiguration: { encryption: { enabled: true } }
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: internal }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    zoneRedundant: !empty(subnetId)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Its resource id.')
output id string = environment.id
@description('What the names of its apps end in.')
output domain string = environment.properties.defaultDomain
@description('Where those names lead.')
output address string = environment.properties.staticIp
