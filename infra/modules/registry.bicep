// The image's home: no admin user, no anonymous pulls.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The registry\'s name, which is also its host name.')
@minLength(5)
@maxLength(50)
param name string
@description('Whether only private endpoints reach it, which only Premium can.')
param isolated bool
@description('Where its logs go.')
param workspaceId string

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: isolated ? 'Premium' : 'Basic' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
    networkRuleBypassOptions: 'AzureServices'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: registry
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Its resource id.')
output id string = registry.id
