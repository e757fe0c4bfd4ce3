// Where logs and measurements go: the workspace (made here or brought) and Application Insights.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The workspace\'s name.')
param workspaceName string
@description('Application Insights\' name.')
param insightsName string
@description('The workspace that was brought, or empty: one is made.')
param existingWorkspaceId string
@description('Whether data come in by private endpoint only.')
param privateIngestion bool
@description('Whether queries come in by private endpoint only.')
param privateQueries bool
@description('How long logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = if (empty(existingWorkspaceId)) {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true }
    publicNetworkAccessForIngestion: privateIngestion ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: privateQueries ? 'Disabled' : 'Enabled'
  }
}

var workspaceId = empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: privateIngestion ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: privateQueries ? 'Disabled' : 'Enabled'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (empty(existingWorkspaceId)) {
  name: 'to-workspace'
  scope: workspace
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

@description('The workspace\'s resource id.')
output workspaceId string = workspaceId
@description('Application Insights\' resource id.')
output insightsId string = insights.id
@description('Where telemetry goes. No secret: without a token nothing is taken.')
output ingestion string = insights.properties.ConnectionString
