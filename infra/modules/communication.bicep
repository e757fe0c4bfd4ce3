// The telephone's carrier: ACS with an identity of its own. No private endpoint exists for it.

@description('The tags of every resource.')
param tags object
@description('The resource\'s name, which is also its host name.')
@minLength(1)
@maxLength(63)
param name string
@description('Where it keeps data at rest.')
param dataLocation string
@description('Where its logs go.')
param workspaceId string

resource acs 'Microsoft.Communication/communicationServices@2025-05-01' = {
  name: name
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: acs
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Its resource id.')
output id string = acs.id
@description('Its own identity, for what it writes and reads.')
output principalId string = acs.identity.principalId
