// What the server's identity may do with the logs, in the workspace's own group.

@description('The workspace\'s name.')
param workspaceName string
@description('The server\'s identity.')
param principalId string

// Log Analytics Reader: the scale rule counts live calls with it.
var logAnalyticsReader = '73c42c96-874c-492b-b04d-ab87d138a893'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, principalId, logAnalyticsReader)
  scope: workspace
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsReader)
  }
}

@description('The GUID by which the workspace is queried.')
output customerId string = workspace.properties.customerId
